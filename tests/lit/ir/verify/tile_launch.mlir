// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @tile_launch_c1(%x: tensor<?x8xf32>) {
  // expected-error @+1 {{names @k, which is no kernel of the module}}
  %0 = tile.launch @k(%x) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func private @k(%x: tensor<?x8xf32>) -> tensor<4x8xf32> attributes {tile.size = array<i64: 4, 8>} {
  %s = tile.load %x : tensor<?x8xf32> -> tensor<4x8xf32>
  return %s : tensor<4x8xf32>
}

func.func @tile_launch_c1_of_types(%x: tensor<?x9xf32>) {
  // expected-error @+1 {{gives the kernel @k what is not of its arguments' types}}
  %0 = tile.launch @k(%x) : (tensor<?x9xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func private @k(%x: tensor<?x8xf32>) -> tensor<4x8xf32> attributes {tile.size = array<i64: 4, 8>} {
  %s = tile.load %x : tensor<?x8xf32> -> tensor<4x8xf32>
  return %s : tensor<4x8xf32>
}

func.func @tile_launch_c2(%x: tensor<?x8xf32>) {
  // expected-error @+1 {{has a result of 'bf16'; its kernel makes tiles of 'f32'}}
  %0 = tile.launch @k(%x) : (tensor<?x8xf32>) -> tensor<?x8xbf16>
  return
}
