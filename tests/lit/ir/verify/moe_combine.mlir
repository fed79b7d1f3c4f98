// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @moe_combine_c1(%x: tensor<5x64xf32>, %o: tensor<?xi32>, %w: tensor<2x3xf32>) {
  // expected-error @+1 {{an operand has 5 rows; it should have 6}}
  %0 = lathe.moe_combine %x, %o, %w : (tensor<5x64xf32>, tensor<?xi32>, tensor<2x3xf32>) -> tensor<?x64xf32>
  return
}

// -----

func.func @moe_combine_c2(%x: tensor<?x64xf32>, %o: tensor<?xi32>, %w: tensor<?x3xf32>) {
  // expected-error @+1 {{result has 63 columns; it should have 64}}
  %0 = lathe.moe_combine %x, %o, %w : (tensor<?x64xf32>, tensor<?xi32>, tensor<?x3xf32>) -> tensor<?x63xf32>
  return
}

// -----

func.func @moe_combine_c2_rows(%x: tensor<6x64xf32>, %o: tensor<?xi32>, %w: tensor<2x3xf32>) {
  // expected-error @+1 {{have 2 and 3 rows}}
  %0 = lathe.moe_combine %x, %o, %w : (tensor<6x64xf32>, tensor<?xi32>, tensor<2x3xf32>) -> tensor<3x64xf32>
  return
}
