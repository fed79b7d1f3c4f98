// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @embedding_c1(%t: tensor<4xi32>, %w: tensor<9x64xbf16>) {
  // expected-error @+1 {{result has 5 rows; it should have 4}}
  %0 = lathe.embedding %t, %w : (tensor<4xi32>, tensor<9x64xbf16>) -> tensor<5x64xf32>
  return
}

// -----

func.func @embedding_c1_columns(%t: tensor<?xi32>, %w: tensor<9x64xbf16>) {
  // expected-error @+1 {{result has 63 columns; it should have 64}}
  %0 = lathe.embedding %t, %w : (tensor<?xi32>, tensor<9x64xbf16>) -> tensor<?x63xf32>
  return
}
