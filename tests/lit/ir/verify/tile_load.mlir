// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func private @tile_load_c1(%x: tensor<?x96xf32>) -> tensor<4x64xf32> attributes {tile.size = array<i64: 4, 64>} {
  // expected-error @+1 {{has a tile that is a 'tensor<4x96xf32>'; it should be a 'tensor<4x64xf32>'}}
  %s = tile.load %x : tensor<?x96xf32> -> tensor<4x96xf32>
  %t = tile.load %x : tensor<?x96xf32> -> tensor<4x64xf32>
  return %t : tensor<4x64xf32>
}

// -----

func.func private @tile_load_c2(%x: tensor<?x96xf32>) -> tensor<4x64xf32> attributes {tile.size = array<i64: 4, 64>} {
  // expected-error @+1 {{begins at column 40 and takes 64 of 96 columns}}
  %s = tile.load %x strip offset = 40 : tensor<?x96xf32> -> tensor<4x64xf32>
  %t = tile.load %x : tensor<?x96xf32> -> tensor<4x64xf32>
  return %t : tensor<4x64xf32>
}
