// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @select_rows_c1(%x: tensor<?x64xf32>, %r: tensor<2xi32>) {
  // expected-error @+1 {{result has 3 rows; it should have 2}}
  %0 = lathe.select_rows %x, %r : (tensor<?x64xf32>, tensor<2xi32>) -> tensor<3x64xf32>
  return
}

// -----

func.func @select_rows_c1_columns(%x: tensor<?x64xf32>, %r: tensor<?xi32>) {
  // expected-error @+1 {{result has 65 columns; it should have 64}}
  %0 = lathe.select_rows %x, %r : (tensor<?x64xf32>, tensor<?xi32>) -> tensor<?x65xf32>
  return
}
