// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @tile_convert_c1(%a: tensor<4x8xf32>) {
  // expected-error @+1 {{has a tile that is a 'tensor<4x9xbf16>'; it should be a 'tensor<4x8xbf16>'}}
  %0 = tile.convert %a : tensor<4x8xf32> -> tensor<4x9xbf16>
  return
}
