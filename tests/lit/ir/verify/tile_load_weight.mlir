// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func private @tile_load_weight_c1(%x: tensor<?x96xf32>, %w: tensor<96x96xbf16>) -> tensor<4x64xf32> attributes {tile.size = array<i64: 4, 64>} {
  // expected-error @+1 {{has a tile that is a 'tensor<64x96xf32>'; it should be a 'tensor<64x96xbf16>'}}
  %r = tile.load_weight %w : tensor<96x96xbf16> -> tensor<64x96xf32>
  %t = tile.load %x : tensor<?x96xf32> -> tensor<4x64xf32>
  return %t : tensor<4x64xf32>
}
