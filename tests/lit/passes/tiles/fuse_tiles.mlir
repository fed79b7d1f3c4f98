// RUN: lathe-opt %s --split-input-file --lathe-lower-to-tiles --lathe-fuse-tiles | FileCheck %s
// RUN: lathe-opt %s --lathe-lower-to-tiles --lathe-fuse-tiles -o %t && lathe-interpret --compare %s %t
// RUN: lathe-opt %s --lathe-lower-to-tiles="rows=3 columns=16" --lathe-fuse-tiles -o %t.odd && lathe-interpret --compare %s %t.odd --rows 7

// -----

// A chain ends up in its last kernel, which takes what all of them take.
// CHECK-LABEL: func @goes_on_with_the_tile_of_a_product
// CHECK: %[[Y:.+]] = tile.launch @add(%arg2, %arg0, %arg1) :
// CHECK-NOT: tile.launch
// CHECK: return %[[Y]]
// CHECK: func private @add
// CHECK: tile.matmul
// CHECK: tile.scale
// CHECK: tile.load
// CHECK: tile.add
// CHECK-NOT: func private
func.func @goes_on_with_the_tile_of_a_product(%x: tensor<?x24xf32>, %w: tensor<96x24xf32>, %h: tensor<?x96xf32>) -> tensor<?x96xf32> {
  %y = lathe.linear %x, %w : (tensor<?x24xf32>, tensor<96x24xf32>) -> tensor<?x96xf32>
  %s = lathe.scale %y by 0.5 : tensor<?x96xf32>
  %z = lathe.add %h, %s : tensor<?x96xf32>
  return %z : tensor<?x96xf32>
}

// -----

// CHECK-LABEL: func @goes_on_with_the_tile_of_a_norm
// CHECK: tile.launch
// CHECK-NOT: tile.launch
// CHECK: func private @scale
// CHECK: tile.rsqrt
// CHECK: tile.scale
func.func @goes_on_with_the_tile_of_a_norm(%x: tensor<?x64xf32>, %s: tensor<64xf32>) -> tensor<?x64xf32> {
  %y = lathe.rms_norm %x, %s epsilon = 1.000000e-03 : tensor<?x64xf32>, tensor<64xf32>
  %z = lathe.scale %y by 2.0 : tensor<?x64xf32>
  return %z : tensor<?x64xf32>
}

// -----

// CHECK-LABEL: func @keeps_a_tensor_with_a_second_user
// CHECK-COUNT-2: tile.launch
func.func @keeps_a_tensor_with_a_second_user(%x: tensor<?x8xf32>) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %y = lathe.scale %x by 0.5 : tensor<?x8xf32>
  %z = lathe.add %x, %y : tensor<?x8xf32>
  return %y, %z : tensor<?x8xf32>, tensor<?x8xf32>
}

// -----

// CHECK-LABEL: func @keeps_a_tensor_that_is_loaded_as_a_strip
// CHECK-COUNT-2: tile.launch
func.func @keeps_a_tensor_that_is_loaded_as_a_strip(%x: tensor<?x8xf32>, %w: tensor<8x8xf32>) -> tensor<?x8xf32> {
  %y = lathe.scale %x by 0.5 : tensor<?x8xf32>
  %z = lathe.linear %y, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  return %z : tensor<?x8xf32>
}

// -----

// CHECK-LABEL: func @keeps_a_tensor_that_is_loaded_from_an_offset
// CHECK-COUNT-2: tile.launch
func.func @keeps_a_tensor_that_is_loaded_from_an_offset(%x: tensor<?x8xf32>) -> tensor<?x4xf32> {
  %y = lathe.scale %x by 0.5 : tensor<?x8xf32>
  %s = lathe.slice %y offset = 4 : tensor<?x8xf32> -> tensor<?x4xf32>
  %z = lathe.scale %s by 2.0 : tensor<?x4xf32>
  return %z : tensor<?x4xf32>
}

// -----

// CHECK-LABEL: func @keeps_kernels_of_other_tiles
// CHECK-COUNT-2: tile.launch
func.func @keeps_kernels_of_other_tiles(%x: tensor<?x96xf32>, %s: tensor<32xf32>) -> tensor<?x96xf32> {
  %y = lathe.scale %x by 0.5 : tensor<?x96xf32>
  %z = lathe.rms_norm %y, %s epsilon = 1.000000e-03 : tensor<?x96xf32>, tensor<32xf32>
  return %z : tensor<?x96xf32>
}

// -----

// CHECK-LABEL: func @keeps_a_tensor_whose_results_are_narrower
// CHECK-COUNT-2: tile.launch
func.func @keeps_a_tensor_whose_results_are_narrower(%x: tensor<?x128xf32>) -> tensor<?x64xf32> {
  %y = lathe.scale %x by 0.5 : tensor<?x128xf32>
  %s = lathe.slice %y offset = 0 : tensor<?x128xf32> -> tensor<?x64xf32>
  %z = lathe.scale %s by 2.0 : tensor<?x64xf32>
  return %z : tensor<?x64xf32>
}

// -----

// CHECK-LABEL: func @keeps_a_sum_beyond_the_end
// CHECK-COUNT-2: tile.launch
func.func @keeps_a_sum_beyond_the_end(%x: tensor<?x6xf32>) -> tensor<?x6xf32> {
  %y = tile.launch @shift(%x) : (tensor<?x6xf32>) -> tensor<?x6xf32>
  %z = tile.launch @sum(%y) : (tensor<?x6xf32>) -> tensor<?x6xf32>
  return %z : tensor<?x6xf32>
}
func.func private @shift(%a: tensor<?x6xf32>) -> tensor<2x4xf32> attributes {tile.size = array<i64: 2, 4>} {
  %0 = tile.load %a : tensor<?x6xf32> -> tensor<2x4xf32>
  %1 = tile.scale %0 by 1.0 plus 1.0 : tensor<2x4xf32>
  return %1 : tensor<2x4xf32>
}
func.func private @sum(%a: tensor<?x6xf32>) -> tensor<2x4xf32> attributes {tile.size = array<i64: 2, 4>} {
  %0 = tile.load %a : tensor<?x6xf32> -> tensor<2x4xf32>
  %1 = tile.sum %0 : tensor<2x4xf32> -> tensor<2x1xf32>
  %2 = tile.add %0, %1 : tensor<2x4xf32>, tensor<2x1xf32>
  return %2 : tensor<2x4xf32>
}

// -----

// CHECK-LABEL: func @keeps_a_kernel_with_a_second_launch
// CHECK-COUNT-2: tile.launch
func.func @keeps_a_kernel_with_a_second_launch(%x: tensor<?x6xf32>) -> tensor<?x6xf32> {
  %y = tile.launch @twice(%x) : (tensor<?x6xf32>) -> tensor<?x6xf32>
  %z = tile.launch @twice(%y) : (tensor<?x6xf32>) -> tensor<?x6xf32>
  return %z : tensor<?x6xf32>
}
func.func private @twice(%a: tensor<?x6xf32>) -> tensor<2x4xf32> attributes {tile.size = array<i64: 2, 4>} {
  %0 = tile.load %a : tensor<?x6xf32> -> tensor<2x4xf32>
  %1 = tile.scale %0 by 2.0 plus 0.0 : tensor<2x4xf32>
  return %1 : tensor<2x4xf32>
}
