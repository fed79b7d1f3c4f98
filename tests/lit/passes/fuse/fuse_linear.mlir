// RUN: lathe-opt %s --lathe-fuse-linear | FileCheck %s
// RUN: lathe-opt %s --lathe-fuse-linear -o %t && lathe-interpret --compare %s %t

!w = tensor<8x16xbf16>
!codes = !lathe.quantized<8x16xf8E4M3FN, block<128x128xf32>>

// Later weights move up; results keep the order of the products.
// CHECK-LABEL: func @makes_query_key_and_value_one_op
// CHECK-SAME: choice = "fused", layer = 1 : i64, op = "fused_linear", pass = "fuse-linear", why = "3 products of one input: self_attn.q_proj.weight, k, v"
func.func @makes_query_key_and_value_one_op(%x: tensor<?x16xf32>) -> (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x4xf32>) {
  // CHECK: %[[Q:.+]] = lathe.weight "model.layers.1.self_attn.q_proj.weight"
  // CHECK: %[[K:.+]] = lathe.weight "k"
  // CHECK: %[[V:.+]] = lathe.weight "v"
  // CHECK: %[[R:.+]]:3 = lathe.fused_linear %arg0, %[[Q]], %[[K]], %[[V]] : (tensor<?x16xf32>, tensor<8x16xbf16>, tensor<8x16xbf16>, tensor<4x16xf32>)
  %wq = lathe.weight "model.layers.1.self_attn.q_proj.weight" from [#lathe.tensor_ref<"q">] : !w
  %q = lathe.linear %x, %wq : (tensor<?x16xf32>, !w) -> tensor<?x8xf32> loc("layers.1.self_attn.q_proj")
  // CHECK: %[[S:.+]] = lathe.scale %[[R]]#0
  %s = lathe.scale %q by 2.0 : tensor<?x8xf32>
  %wk = lathe.weight "k" from [#lathe.tensor_ref<"k">] : !w
  %k = lathe.linear %x, %wk : (tensor<?x16xf32>, !w) -> tensor<?x8xf32> loc("layers.1.self_attn.k_proj")
  %wv = lathe.weight "v" from [#lathe.tensor_ref<"v">] : tensor<4x16xf32>
  %v = lathe.linear %x, %wv : (tensor<?x16xf32>, tensor<4x16xf32>) -> tensor<?x4xf32> loc("layers.1.self_attn.v_proj")
  // CHECK: return %[[S]], %[[R]]#1, %[[R]]#2
  return %s, %k, %v : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x4xf32>
}

// CHECK-LABEL: func @makes_products_with_biases_one_op
func.func @makes_products_with_biases_one_op(%x: tensor<?x16xf32>, %q: !w, %k: !w) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  // CHECK: lathe.fused_linear %arg0, %arg1, %arg2 biases
  %qb = lathe.weight "qb" from [#lathe.tensor_ref<"qb">] : tensor<8xf32>
  %a = lathe.linear %x, %q bias %qb : (tensor<?x16xf32>, !w, tensor<8xf32>) -> tensor<?x8xf32>
  %kb = lathe.weight "kb" from [#lathe.tensor_ref<"kb">] : tensor<8xf32>
  %b = lathe.linear %x, %k bias %kb : (tensor<?x16xf32>, !w, tensor<8xf32>) -> tensor<?x8xf32>
  return %a, %b : tensor<?x8xf32>, tensor<?x8xf32>
}

// CHECK-LABEL: func @makes_floats_and_codes_one_op
func.func @makes_floats_and_codes_one_op(%x: tensor<?x16xf32>, %q: !w, %k: !codes) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  // CHECK: lathe.fused_linear %arg0, %arg1, %arg2
  %a = lathe.linear %x, %q : (tensor<?x16xf32>, !w) -> tensor<?x8xf32>
  %b = lathe.scaled_matmul %x, %k : (tensor<?x16xf32>, !codes) -> tensor<?x8xf32>
  return %a, %b : tensor<?x8xf32>, tensor<?x8xf32>
}

// CHECK-LABEL: func @makes_an_op_for_each_input
func.func @makes_an_op_for_each_input(%x: tensor<?x16xf32>, %z: tensor<?x16xf32>, %q: !w, %k: !w) -> (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) {
  // CHECK: %[[X:.+]]:2 = lathe.fused_linear %arg0, %arg2, %arg3
  // CHECK: %[[Z:.+]]:2 = lathe.fused_linear %arg1, %arg2, %arg3
  // CHECK: return %[[X]]#0, %[[Z]]#0, %[[X]]#1, %[[Z]]#1
  %a = lathe.linear %x, %q : (tensor<?x16xf32>, !w) -> tensor<?x8xf32>
  %b = lathe.linear %z, %q : (tensor<?x16xf32>, !w) -> tensor<?x8xf32>
  %c = lathe.linear %x, %k : (tensor<?x16xf32>, !w) -> tensor<?x8xf32>
  %d = lathe.linear %z, %k : (tensor<?x16xf32>, !w) -> tensor<?x8xf32>
  return %a, %b, %c, %d : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>
}

// CHECK-LABEL: func @keeps_products_of_different_inputs
// CHECK-NOT: lathe.fused_linear
func.func @keeps_products_of_different_inputs(%x: tensor<?x16xf32>, %z: tensor<?x16xf32>, %q: !w, %k: !w) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %a = lathe.linear %x, %q : (tensor<?x16xf32>, !w) -> tensor<?x8xf32>
  %b = lathe.linear %z, %k : (tensor<?x16xf32>, !w) -> tensor<?x8xf32>
  return %a, %b : tensor<?x8xf32>, tensor<?x8xf32>
}

// CHECK-LABEL: func @keeps_a_bias_beside_none
// CHECK-NOT: lathe.fused_linear
func.func @keeps_a_bias_beside_none(%x: tensor<?x16xf32>, %q: !w, %k: !w, %qb: tensor<8xf32>) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %a = lathe.linear %x, %q bias %qb : (tensor<?x16xf32>, !w, tensor<8xf32>) -> tensor<?x8xf32>
  %b = lathe.linear %x, %k : (tensor<?x16xf32>, !w) -> tensor<?x8xf32>
  return %a, %b : tensor<?x8xf32>, tensor<?x8xf32>
}

// CHECK-LABEL: func @keeps_a_product_that_needs_the_first
// CHECK-NOT: lathe.fused_linear
func.func @keeps_a_product_that_needs_the_first(%x: tensor<8x16xf32>, %q: tensor<16x16xbf16>) -> tensor<8x8xf32> {
  %a = lathe.linear %x, %q : (tensor<8x16xf32>, tensor<16x16xbf16>) -> tensor<8x16xf32>
  %b = lathe.linear %x, %a : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x8xf32>
  return %b : tensor<8x8xf32>
}

// CHECK-LABEL: func @keeps_a_weight_computed_in_between
// CHECK-NOT: lathe.fused_linear
func.func @keeps_a_weight_computed_in_between(%x: tensor<?x16xf32>, %q: !w) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %a = lathe.linear %x, %q : (tensor<?x16xf32>, !w) -> tensor<?x8xf32>
  %codes = lathe.weight "k" from [#lathe.tensor_ref<"k">] scales [#lathe.tensor_ref<"s">] : !codes
  %k = lathe.dequantize %codes : !codes -> tensor<8x16xf32>
  %b = lathe.linear %x, %k : (tensor<?x16xf32>, tensor<8x16xf32>) -> tensor<?x8xf32>
  return %a, %b : tensor<?x8xf32>, tensor<?x8xf32>
}

// CHECK-LABEL: func @keeps_a_single_product
// CHECK-NOT: lathe.fused_linear
func.func @keeps_a_single_product(%x: tensor<?x16xf32>, %q: !w) -> tensor<?x8xf32> {
  %a = lathe.linear %x, %q : (tensor<?x16xf32>, !w) -> tensor<?x8xf32>
  return %a : tensor<?x8xf32>
}

// CHECK-LABEL: func @keeps_what_is_fused
func.func @keeps_what_is_fused(%x: tensor<?x16xf32>, %q: !w, %k: !w) -> (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) {
  // CHECK-NEXT: lathe.fused_linear %arg0, %arg1, %arg2
  // CHECK-NEXT: lathe.gated_linear
  // CHECK-NEXT: lathe.linear
  %a:2 = lathe.fused_linear %x, %q, %k : (tensor<?x16xf32>, !w, !w) -> (tensor<?x8xf32>, tensor<?x8xf32>)
  %b = lathe.gated_linear %x, %q, %k : (tensor<?x16xf32>, !w, !w) -> tensor<?x8xf32>
  %c = lathe.linear %x, %q : (tensor<?x16xf32>, !w) -> tensor<?x8xf32>
  return %a#0, %a#1, %b, %c : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>
}
