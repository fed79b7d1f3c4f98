// RUN: lathe-opt %s --verify-diagnostics --split-input-file

// What makes a function a kernel.

// expected-error @+1 {{tile.size should be [rows, columns], at least 1 x 1}}
func.func private @has_a_size(%x: tensor<?x8xf32>) -> tensor<0x8xf32> attributes {tile.size = array<i64: 0, 8>} {
  %s = tile.load %x : tensor<?x8xf32> -> tensor<0x8xf32>
  return %s : tensor<0x8xf32>
}

// -----

// expected-error @+1 {{is a kernel that should return one tile of 4 x 8}}
func.func private @returns_a_tile_of_its_size(%x: tensor<?x8xf32>) -> tensor<4x9xf32> attributes {tile.size = array<i64: 4, 8>} {
  %s = tile.load %x strip : tensor<?x8xf32> -> tensor<4x9xf32>
  return %s : tensor<4x9xf32>
}

// -----

func.func private @takes_tiles_in_its_ops(%x: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {tile.size = array<i64: 4, 8>} {
  // expected-error @+1 {{takes an argument of the kernel; it should take a tile}}
  %s = tile.silu %x : tensor<4x8xf32>
  return %s : tensor<4x8xf32>
}

// -----

func.func private @takes_arguments_in_its_loads(%x: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {tile.size = array<i64: 4, 8>} {
  %s = tile.load %x : tensor<4x8xf32> -> tensor<4x8xf32>
  // expected-error @+1 {{takes a tile; it should take an argument of the kernel}}
  %t = tile.load %s : tensor<4x8xf32> -> tensor<4x8xf32>
  return %t : tensor<4x8xf32>
}

// -----

func.func private @has_ops_on_tiles_only(%x: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {tile.size = array<i64: 4, 8>} {
  %s = tile.load %x : tensor<4x8xf32> -> tensor<4x8xf32>
  // expected-error @+1 {{stands in a kernel, which has ops on tiles only}}
  %t = lathe.scale %s by 2.0 : tensor<4x8xf32>
  return %t : tensor<4x8xf32>
}

// -----

func.func @loads_in_kernels_only(%x: tensor<?x8xf32>) {
  // expected-error @+1 {{stands in no kernel, a function with tile.size = [rows, columns]}}
  %s = tile.load %x : tensor<?x8xf32> -> tensor<4x8xf32>
  return
}

// -----

// expected-error @+1 {{has "tile.sise", which has no meaning here}}
func.func @knows_one_attribute() attributes {tile.sise = 1} {
  return
}
