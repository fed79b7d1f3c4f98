// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @tile_add_c1(%a: tensor<4x8xf32>, %b: tensor<4x2xf32>) {
  // expected-error @+1 {{rhs is [4, 2]; each extent should be 1 or as of [4, 8]}}
  %0 = tile.add %a, %b : tensor<4x8xf32>, tensor<4x2xf32>
  return
}
