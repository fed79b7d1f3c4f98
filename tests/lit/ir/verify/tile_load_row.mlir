// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func private @tile_load_row_c1(%x: tensor<?x96xf32>, %b: tensor<96xf32>) -> tensor<4x64xf32> attributes {tile.size = array<i64: 4, 64>} {
  // expected-error @+1 {{has a tile that is a 'tensor<1x64xf32>'; it should be a 'tensor<1x96xf32>'}}
  %r = tile.load_row %b whole : tensor<96xf32> -> tensor<1x64xf32>
  %t = tile.load %x : tensor<?x96xf32> -> tensor<4x64xf32>
  return %t : tensor<4x64xf32>
}
