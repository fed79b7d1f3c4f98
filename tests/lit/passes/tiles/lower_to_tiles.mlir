// RUN: lathe-opt %s --split-input-file --lathe-lower-to-tiles | FileCheck %s
// RUN: lathe-opt %s --lathe-lower-to-tiles -o %t && lathe-interpret --compare %s %t
// RUN: lathe-interpret --compare %s %t --rows 1
// RUN: lathe-interpret --compare %s %t --rows 16
// RUN: lathe-opt %s --lathe-lower-to-tiles="rows=3 columns=5" -o %t.odd && lathe-interpret --compare %s %t.odd --rows 7
// RUN: not lathe-opt %s --lathe-lower-to-tiles=rows=0 2>&1 | FileCheck %s --check-prefix=NONE

// NONE: error: tiles of 0 x 64; they should be at least 1 x 1

// -----

// The strip is loaded once; a bias is added tile by tile.
// CHECK-LABEL: func @makes_a_kernel_of_a_product_with_bias
// CHECK: tile.launch @linear(%arg0, %arg1, %arg2) : (tensor<?x24xf32>, tensor<96x24xbf16>, tensor<96xf32>) -> tensor<?x96xf32>
// CHECK: func private @linear(%{{.+}}) -> tensor<16x64xf32> attributes {tile.size = array<i64: 16, 64>}
// CHECK: %[[X:.+]] = tile.load %{{.+}} strip : tensor<?x24xf32> -> tensor<16x24xf32>
// CHECK: %[[W:.+]] = tile.load_weight %{{.+}} : tensor<96x24xbf16> -> tensor<64x24xbf16>
// CHECK: %[[P:.+]] = tile.matmul %[[X]], %[[W]]
// CHECK: %[[B:.+]] = tile.load_row %{{.+}} : tensor<96xf32> -> tensor<1x64xf32>
// CHECK: %[[Y:.+]] = tile.add %[[P]], %[[B]]
// CHECK: return %[[Y]] : tensor<16x64xf32>
func.func @makes_a_kernel_of_a_product_with_bias(%x: tensor<?x24xf32>, %w: tensor<96x24xbf16>, %b: tensor<96xf32>) -> tensor<?x96xf32> {
  %y = lathe.linear %x, %w bias %b : (tensor<?x24xf32>, tensor<96x24xbf16>, tensor<96xf32>) -> tensor<?x96xf32>
  return %y : tensor<?x96xf32>
}

// -----

// CHECK-LABEL: func @reads_codes_as_f32
// CHECK: tile.load_weight %{{.+}} : !lathe.quantized<{{.+}}> -> tensor<20x24xf32>
func.func @reads_codes_as_f32(%x: tensor<?x24xf32>, %w: !lathe.quantized<20x24xf8E4M3FN, block<8x16xf32>>) -> tensor<?x20xf32> {
  %y = lathe.scaled_matmul %x, %w : (tensor<?x24xf32>, !lathe.quantized<20x24xf8E4M3FN, block<8x16xf32>>) -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}

// -----

// A tile is no larger than the result.
// CHECK-LABEL: func @makes_a_kernel_of_each_fused_product
// CHECK: %[[A:.+]] = tile.launch @[[K:.+]](%arg0, %arg1)
// CHECK: %[[B:.+]] = tile.launch @[[L:.+]](%arg0, %arg2)
// CHECK: return %[[A]], %[[B]]
// CHECK: func private @[[K]]{{.+}}array<i64: 1, 8>
// CHECK: func private @[[L]]{{.+}}array<i64: 1, 12>
func.func @makes_a_kernel_of_each_fused_product(%x: tensor<1x16xf32>, %q: tensor<8x16xf32>, %k: tensor<12x16xf16>) -> (tensor<1x8xf32>, tensor<1x12xf32>) {
  %a:2 = lathe.fused_linear %x, %q, %k : (tensor<1x16xf32>, tensor<8x16xf32>, tensor<12x16xf16>) -> (tensor<1x8xf32>, tensor<1x12xf32>)
  return %a#0, %a#1 : tensor<1x8xf32>, tensor<1x12xf32>
}

// -----

// CHECK-LABEL: func @makes_one_kernel_of_a_gated_product
// CHECK: tile.load %{{.+}} strip
// CHECK-NOT: tile.load %{{.+}} strip
// CHECK: %[[S:.+]] = tile.silu
// CHECK: tile.matmul
// CHECK: tile.mul %[[S]]
func.func @makes_one_kernel_of_a_gated_product(%x: tensor<?x16xbf16>, %g: tensor<9x16xbf16>, %u: tensor<9x16xbf16>, %gb: tensor<9xbf16>, %ub: tensor<9xbf16>) -> tensor<?x9xf32> {
  %a = lathe.gated_linear %x, %g, %u biases %gb, %ub : (tensor<?x16xbf16>, tensor<9x16xbf16>, tensor<9x16xbf16>, tensor<9xbf16>, tensor<9xbf16>) -> tensor<?x9xf32>
  return %a : tensor<?x9xf32>
}

// -----

// A tile is as wide as what is summed, here a head.
// CHECK-LABEL: func @makes_tiles_as_wide_as_the_groups_of_a_norm
// CHECK: array<i64: 16, 32>
// CHECK: tile.sum %{{.+}} : tensor<16x32xf32> -> tensor<16x1xf32>
// CHECK: tile.scale %{{.+}} by 3.125000e-02 plus 2.500000e-01 : tensor<16x1xf32>
// CHECK: tile.load_row %{{.+}} whole : tensor<32xf32> -> tensor<1x32xf32>
func.func @makes_tiles_as_wide_as_the_groups_of_a_norm(%x: tensor<?x96xf32>, %s: tensor<32xf32>) -> tensor<?x96xf32> {
  %y = lathe.rms_norm %x, %s epsilon = 2.500000e-01 : tensor<?x96xf32>, tensor<32xf32>
  return %y : tensor<?x96xf32>
}

// -----

// CHECK-LABEL: func @makes_tiles_wider_than_asked_for_where_a_norm_is
// CHECK: array<i64: 16, 96>
func.func @makes_tiles_wider_than_asked_for_where_a_norm_is(%x: tensor<?x96xf32>, %s: tensor<96xbf16>) -> tensor<?x96xf32> {
  %y = lathe.rms_norm %x, %s epsilon = 1.000000e-03 : tensor<?x96xf32>, tensor<96xbf16>
  return %y : tensor<?x96xf32>
}

// -----

// CHECK-LABEL: func @makes_kernels_of_elementwise_ops
// CHECK: tile.add
// CHECK: tile.scale %{{.+}} by 5.000000e-01 plus 0.000000e+00
// CHECK: tile.mul
func.func @makes_kernels_of_elementwise_ops(%a: tensor<?x80xf32>, %b: tensor<?x80xf32>) -> tensor<?x80xf32> {
  %0 = lathe.add %a, %b : tensor<?x80xf32>
  %1 = lathe.scale %0 by 0.5 : tensor<?x80xf32>
  %2 = lathe.swiglu %1, %b : tensor<?x80xf32>
  return %2 : tensor<?x80xf32>
}

// -----

// CHECK-LABEL: func @makes_a_kernel_of_a_cast
// CHECK: tile.convert %{{.+}} : tensor<16x64xf32> -> tensor<16x64xbf16>
func.func @makes_a_kernel_of_a_cast(%a: tensor<?x80xf32>) -> tensor<?x80xbf16> {
  %0 = lathe.cast %a : tensor<?x80xf32> -> tensor<?x80xbf16>
  return %0 : tensor<?x80xbf16>
}

// -----

// CHECK-LABEL: func @makes_slices_offsets_of_loads
// CHECK-NOT: lathe.slice
// CHECK: tile.load %{{.+}} strip offset = 12 : tensor<?x40xf32> -> tensor<16x8xf32>
// CHECK: tile.load %{{.+}} offset = 10 : tensor<?x40xf32> -> tensor<16x20xf32>
func.func @makes_slices_offsets_of_loads(%x: tensor<?x40xf32>, %w: tensor<20x8xf32>) -> tensor<?x20xf32> {
  %a = lathe.slice %x offset = 10 : tensor<?x40xf32> -> tensor<?x20xf32>
  %b = lathe.slice %a offset = 2 : tensor<?x20xf32> -> tensor<?x8xf32>
  %y = lathe.linear %b, %w : (tensor<?x8xf32>, tensor<20x8xf32>) -> tensor<?x20xf32>
  %z = lathe.add %y, %a : tensor<?x20xf32>
  return %z : tensor<?x20xf32>
}

// -----

// CHECK-LABEL: func @keeps_a_slice_that_something_else_takes
// CHECK: lathe.slice
func.func @keeps_a_slice_that_something_else_takes(%x: tensor<?x40xf32>) -> tensor<?x20xf32> {
  %a = lathe.slice %x offset = 10 : tensor<?x40xf32> -> tensor<?x20xf32>
  return %a : tensor<?x20xf32>
}

// -----

// CHECK-LABEL: func @keeps_products_of_codes
// CHECK: lathe.scaled_matmul
func.func @keeps_products_of_codes(%x: !lathe.quantized<?x16xf8E4M3FN, block<1x16xf32>>, %w: !lathe.quantized<8x16xf8E4M3FN, block<8x16xf32>>) -> tensor<?x8xf32> {
  %y = lathe.scaled_matmul %x, %w : (!lathe.quantized<?x16xf8E4M3FN, block<1x16xf32>>, !lathe.quantized<8x16xf8E4M3FN, block<8x16xf32>>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// CHECK-LABEL: func @keeps_ops_that_have_no_form_in_tiles
// CHECK: lathe.concat
func.func @keeps_ops_that_have_no_form_in_tiles(%a: tensor<?x8xf32>) -> tensor<?x16xf32> {
  %y = lathe.concat %a, %a : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}
