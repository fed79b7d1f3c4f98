// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @tile_matmul_c1(%x: tensor<4x8xf32>, %w: tensor<6x9xf32>) {
  // expected-error @+1 {{x has 8 columns; it should have 9}}
  %0 = tile.matmul %x, %w : (tensor<4x8xf32>, tensor<6x9xf32>) -> tensor<4x6xf32>
  return
}
