// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @moe_dispatch_c1(%x: tensor<2x64xf32>, %i: tensor<3x3xi32>) {
  // expected-error @+1 {{have 2 and 3 rows}}
  %0:3 = lathe.moe_dispatch %x, %i : (tensor<2x64xf32>, tensor<3x3xi32>) -> (tensor<?x64xf32>, tensor<?xi32>, tensor<9xi32>)
  return
}

// -----

func.func @moe_dispatch_c2(%x: tensor<2x64xf32>, %i: tensor<2x3xi32>) {
  // expected-error @+1 {{a result has 5 rows; it should have 6}}
  %0:3 = lathe.moe_dispatch %x, %i : (tensor<2x64xf32>, tensor<2x3xi32>) -> (tensor<5x64xf32>, tensor<?xi32>, tensor<9xi32>)
  return
}

// -----

func.func @moe_dispatch_c2_columns(%x: tensor<?x64xf32>, %i: tensor<?x3xi32>) {
  // expected-error @+1 {{rows has 63 columns; it should have 64}}
  %0:3 = lathe.moe_dispatch %x, %i : (tensor<?x64xf32>, tensor<?x3xi32>) -> (tensor<?x63xf32>, tensor<?xi32>, tensor<9xi32>)
  return
}

// -----

func.func @moe_dispatch_c3(%x: tensor<?x64xf32>, %i: tensor<?x3xi32>) {
  // expected-error @+1 {{offsets has ? entries; it should have num_experts + 1}}
  %0:3 = lathe.moe_dispatch %x, %i : (tensor<?x64xf32>, tensor<?x3xi32>) -> (tensor<?x64xf32>, tensor<?xi32>, tensor<?xi32>)
  return
}
