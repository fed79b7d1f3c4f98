// RUN: lathe-opt %s --lathe-canonical-form | FileCheck %s
// RUN: lathe-opt %s --lathe-canonical-form -o %t && lathe-interpret --compare %s %t

// CHECK-LABEL: func @merges_two_names_of_one_weight
func.func @merges_two_names_of_one_weight(%tokens: tensor<?xi32>) -> tensor<?x8xf32> {
  // CHECK: %[[E:.+]] = lathe.weight "embed"
  // CHECK-NOT: lathe.weight
  %e = lathe.weight "embed" from [#lathe.tensor_ref<"e">] : tensor<8x4xf32>
  %h = lathe.weight "head" from [#lathe.tensor_ref<"e">] : tensor<8x4xf32>
  %x = lathe.embedding %tokens, %e : (tensor<?xi32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  // CHECK: lathe.linear %{{.+}}, %[[E]]
  %y = lathe.linear %x, %h : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// CHECK-LABEL: func @keeps_weights_of_other_rows
func.func @keeps_weights_of_other_rows() -> (tensor<4x4xf32>, tensor<4x4xf32>) {
  // CHECK: return %0, %1
  %a = lathe.weight "w" from [#lathe.tensor_ref<"e">] rows = [0, 4] : tensor<4x4xf32>
  %b = lathe.weight "w" from [#lathe.tensor_ref<"e">] rows = [4, 8] : tensor<4x4xf32>
  return %a, %b : tensor<4x4xf32>, tensor<4x4xf32>
}

!codes = !lathe.quantized<4x4xf8E4M3FN, block<128x128xf32>>
// CHECK-LABEL: func @keeps_weights_with_other_scales
func.func @keeps_weights_with_other_scales() -> (!codes, !codes) {
  // CHECK: return %0, %1
  %a = lathe.weight "w" from [#lathe.tensor_ref<"e">] scales [#lathe.tensor_ref<"s">] : !codes
  %b = lathe.weight "w" from [#lathe.tensor_ref<"e">] scales [#lathe.tensor_ref<"t">] : !codes
  return %a, %b : !codes, !codes
}

// CHECK-LABEL: func @keeps_weights_of_another_type
func.func @keeps_weights_of_another_type() -> (tensor<4x4xf32>, tensor<2x8xf32>) {
  // CHECK: return %0, %1
  %a = lathe.weight "w" from [#lathe.tensor_ref<"e">] : tensor<4x4xf32>
  %b = lathe.weight "w" from [#lathe.tensor_ref<"e">] : tensor<2x8xf32>
  return %a, %b : tensor<4x4xf32>, tensor<2x8xf32>
}

// CHECK-LABEL: func @multiplies_scale_of_scale
func.func @multiplies_scale_of_scale(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK-NEXT: %[[Y:.+]] = lathe.scale %{{.+}} by 6.000000e+00
  // CHECK-NEXT: return %[[Y]]
  %a = lathe.scale %x by 2.0 : tensor<?x4xf32>
  %b = lathe.scale %a by 3.0 : tensor<?x4xf32>
  return %b : tensor<?x4xf32>
}

// CHECK-LABEL: func @keeps_scale_with_second_user
func.func @keeps_scale_with_second_user(%x: tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  // CHECK-NEXT: %[[A:.+]] = lathe.scale %{{.+}} by 2.0
  // CHECK-NEXT: lathe.scale %[[A]] by 3.0
  %a = lathe.scale %x by 2.0 : tensor<?x4xf32>
  %b = lathe.scale %a by 3.0 : tensor<?x4xf32>
  return %a, %b : tensor<?x4xf32>, tensor<?x4xf32>
}

// CHECK-LABEL: func @keeps_scales_whose_product_is_not_finite
func.func @keeps_scales_whose_product_is_not_finite(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK-COUNT-2: lathe.scale
  %a = lathe.scale %x by 1.0e30 : tensor<?x4xf32>
  %b = lathe.scale %a by 1.0e20 : tensor<?x4xf32>
  return %b : tensor<?x4xf32>
}

// CHECK-LABEL: func @keeps_scales_whose_product_rounds_to_zero
func.func @keeps_scales_whose_product_rounds_to_zero(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK-COUNT-2: lathe.scale
  %a = lathe.scale %x by 1.0e-30 : tensor<?x4xf32>
  %b = lathe.scale %a by 1.0e-20 : tensor<?x4xf32>
  return %b : tensor<?x4xf32>
}

// CHECK-LABEL: func @drops_a_scale_by_one
func.func @drops_a_scale_by_one(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK-NEXT: return %arg0
  %a = lathe.scale %x by 1.0 : tensor<?x4xf32>
  return %a : tensor<?x4xf32>
}

// CHECK-LABEL: func @makes_equal_sums_one
func.func @makes_equal_sums_one(%x: tensor<?x4xf32>, %y: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK-NEXT: %[[A:.+]] = lathe.add
  // CHECK-NEXT: lathe.swiglu %[[A]], %[[A]]
  %a = lathe.add %x, %y : tensor<?x4xf32>
  %b = lathe.add %x, %y : tensor<?x4xf32>
  %c = lathe.swiglu %a, %b : tensor<?x4xf32>
  return %c : tensor<?x4xf32>
}

// CHECK-LABEL: func @drops_what_nothing_uses
func.func @drops_what_nothing_uses(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK-NEXT: return %arg0
  %w = lathe.weight "w" from [#lathe.tensor_ref<"e">] : tensor<4x4xf32>
  %y = lathe.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  return %x : tensor<?x4xf32>
}
