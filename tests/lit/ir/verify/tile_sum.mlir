// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @tile_sum_c1(%a: tensor<4x8xf32>) {
  // expected-error @+1 {{has a tile that is a 'tensor<1x8xf32>'; it should be a 'tensor<4x1xf32>'}}
  %0 = tile.sum %a : tensor<4x8xf32> -> tensor<1x8xf32>
  return
}
