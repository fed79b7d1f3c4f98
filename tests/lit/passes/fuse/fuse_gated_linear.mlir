// RUN: lathe-opt %s --lathe-fuse-gated-linear | FileCheck %s
// RUN: lathe-opt %s --lathe-fuse-gated-linear -o %t && lathe-interpret --compare %s %t

!w = tensor<8x16xbf16>
!codes = !lathe.quantized<8x16xf8E4M3FN, block<128x128xf32>>

// CHECK-LABEL: func @folds_gate_and_up
// CHECK-SAME: choice = "fused", layer = 2 : i64, op = "gated_linear", pass = "fuse-gated-linear", why = "two products of one input: mlp.gate_proj.weight, mlp.up_proj.weight"
func.func @folds_gate_and_up(%x: tensor<?x16xf32>) -> tensor<?x8xf32> {
  // CHECK: %[[G:.+]] = lathe.weight "model.layers.2.mlp.gate_proj.weight"
  // CHECK: %[[U:.+]] = lathe.weight "model.layers.2.mlp.up_proj.weight"
  %g = lathe.weight "model.layers.2.mlp.gate_proj.weight" from [#lathe.tensor_ref<"g">] : !w
  %a = lathe.linear %x, %g : (tensor<?x16xf32>, !w) -> tensor<?x8xf32>
  %u = lathe.weight "model.layers.2.mlp.up_proj.weight" from [#lathe.tensor_ref<"u">] : !w
  %b = lathe.linear %x, %u : (tensor<?x16xf32>, !w) -> tensor<?x8xf32>
  // CHECK-NEXT: %[[Y:.+]] = lathe.gated_linear %arg0, %[[G]], %[[U]] : (tensor<?x16xf32>, tensor<8x16xbf16>, tensor<8x16xbf16>) -> tensor<?x8xf32>
  // CHECK-NEXT: return %[[Y]]
  %y = lathe.swiglu %a, %b : tensor<?x8xf32> loc("layers.2.mlp")
  return %y : tensor<?x8xf32>
}

// CHECK-LABEL: func @folds_products_with_biases
func.func @folds_products_with_biases(%x: tensor<?x16xf32>, %g: !w, %u: !w, %gb: tensor<8xf32>, %ub: tensor<8xf16>) -> tensor<?x8xf32> {
  // CHECK-NEXT: lathe.gated_linear %arg0, %arg1, %arg2 biases %arg3, %arg4
  %a = lathe.linear %x, %g bias %gb : (tensor<?x16xf32>, !w, tensor<8xf32>) -> tensor<?x8xf32>
  %b = lathe.linear %x, %u bias %ub : (tensor<?x16xf32>, !w, tensor<8xf16>) -> tensor<?x8xf32>
  %y = lathe.swiglu %a, %b : tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// CHECK-LABEL: func @folds_products_of_codes
func.func @folds_products_of_codes(%x: tensor<?x16xf32>, %g: !codes, %u: !codes) -> tensor<?x8xf32> {
  // CHECK-NEXT: lathe.gated_linear %arg0, %arg1, %arg2
  %a = lathe.scaled_matmul %x, %g : (tensor<?x16xf32>, !codes) -> tensor<?x8xf32>
  %b = lathe.scaled_matmul %x, %u : (tensor<?x16xf32>, !codes) -> tensor<?x8xf32>
  %y = lathe.swiglu %a, %b : tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// CHECK-LABEL: func @keeps_a_gate_with_second_user
// CHECK-NOT: lathe.gated_linear
func.func @keeps_a_gate_with_second_user(%x: tensor<?x16xf32>, %g: !w, %u: !w) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %a = lathe.linear %x, %g : (tensor<?x16xf32>, !w) -> tensor<?x8xf32>
  %b = lathe.linear %x, %u : (tensor<?x16xf32>, !w) -> tensor<?x8xf32>
  %y = lathe.swiglu %a, %b : tensor<?x8xf32>
  return %y, %a : tensor<?x8xf32>, tensor<?x8xf32>
}

// CHECK-LABEL: func @keeps_an_up_with_second_user
// CHECK-NOT: lathe.gated_linear
func.func @keeps_an_up_with_second_user(%x: tensor<?x16xf32>, %g: !w, %u: !w) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %a = lathe.linear %x, %g : (tensor<?x16xf32>, !w) -> tensor<?x8xf32>
  %b = lathe.linear %x, %u : (tensor<?x16xf32>, !w) -> tensor<?x8xf32>
  %y = lathe.swiglu %a, %b : tensor<?x8xf32>
  return %y, %b : tensor<?x8xf32>, tensor<?x8xf32>
}

// CHECK-LABEL: func @keeps_a_product_that_is_both_sides
// CHECK-NOT: lathe.gated_linear
func.func @keeps_a_product_that_is_both_sides(%x: tensor<?x16xf32>, %g: !w) -> tensor<?x8xf32> {
  %a = lathe.linear %x, %g : (tensor<?x16xf32>, !w) -> tensor<?x8xf32>
  %y = lathe.swiglu %a, %a : tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// CHECK-LABEL: func @keeps_products_of_different_inputs
// CHECK-NOT: lathe.gated_linear
func.func @keeps_products_of_different_inputs(%x: tensor<?x16xf32>, %z: tensor<?x16xf32>, %g: !w, %u: !w) -> tensor<?x8xf32> {
  %a = lathe.linear %x, %g : (tensor<?x16xf32>, !w) -> tensor<?x8xf32>
  %b = lathe.linear %z, %u : (tensor<?x16xf32>, !w) -> tensor<?x8xf32>
  %y = lathe.swiglu %a, %b : tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// CHECK-LABEL: func @keeps_weights_of_different_types
// CHECK-NOT: lathe.gated_linear
func.func @keeps_weights_of_different_types(%x: tensor<?x16xf32>, %g: !w, %u: !codes) -> tensor<?x8xf32> {
  %a = lathe.linear %x, %g : (tensor<?x16xf32>, !w) -> tensor<?x8xf32>
  %b = lathe.scaled_matmul %x, %u : (tensor<?x16xf32>, !codes) -> tensor<?x8xf32>
  %y = lathe.swiglu %a, %b : tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// CHECK-LABEL: func @keeps_a_bias_on_one_side
// CHECK-NOT: lathe.gated_linear
func.func @keeps_a_bias_on_one_side(%x: tensor<?x16xf32>, %g: !w, %u: !w, %gb: tensor<8xf32>) -> tensor<?x8xf32> {
  %a = lathe.linear %x, %g bias %gb : (tensor<?x16xf32>, !w, tensor<8xf32>) -> tensor<?x8xf32>
  %b = lathe.linear %x, %u : (tensor<?x16xf32>, !w) -> tensor<?x8xf32>
  %y = lathe.swiglu %a, %b : tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// CHECK-LABEL: func @keeps_halves_of_one_product
// CHECK-NOT: lathe.gated_linear
func.func @keeps_halves_of_one_product(%x: tensor<?x16xf32>, %w: tensor<16x16xbf16>) -> tensor<?x8xf32> {
  %a = lathe.linear %x, %w : (tensor<?x16xf32>, tensor<16x16xbf16>) -> tensor<?x16xf32>
  %g = lathe.slice %a offset = 0 : tensor<?x16xf32> -> tensor<?x8xf32>
  %u = lathe.slice %a offset = 8 : tensor<?x16xf32> -> tensor<?x8xf32>
  %y = lathe.swiglu %g, %u : tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// CHECK-LABEL: func @keeps_a_sum_of_products
// CHECK-NOT: lathe.gated_linear
func.func @keeps_a_sum_of_products(%x: tensor<?x16xf32>, %g: !w, %u: !w) -> tensor<?x8xf32> {
  %a = lathe.linear %x, %g : (tensor<?x16xf32>, !w) -> tensor<?x8xf32>
  %b = lathe.linear %x, %u : (tensor<?x16xf32>, !w) -> tensor<?x8xf32>
  %y = lathe.add %a, %b : tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
