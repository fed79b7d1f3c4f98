// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @tile_scale_c1(%a: tensor<4x8xf32>) {
  // expected-error @+1 {{has a factor or a summand that is not finite}}
  %0 = tile.scale %a by 1.0 plus 0x7F800000 : tensor<4x8xf32>
  return
}
