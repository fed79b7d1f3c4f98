// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @rope_table_c1(%p: tensor<?xi32>) {
  // expected-error @+1 {{result has 3 columns; it should have 4}}
  %0 = lathe.rope_table %p frequencies = [1.0, 0.5] magnitude = 1.0 : tensor<?xi32> -> tensor<?x3xf32>
  return
}

// -----

func.func @rope_table_c1_rows(%p: tensor<2xi32>) {
  // expected-error @+1 {{have 2 and 3 rows}}
  %0 = lathe.rope_table %p frequencies = [1.0, 0.5] magnitude = 1.0 : tensor<2xi32> -> tensor<3x4xf32>
  return
}

// -----

func.func @rope_table_c2(%p: tensor<?xi32>) {
  // expected-error @+1 {{has 0 frequencies; it should have at least 1}}
  %0 = lathe.rope_table %p frequencies = [] magnitude = 1.0 : tensor<?xi32> -> tensor<?x4xf32>
  return
}

// -----

func.func @rope_table_c2_frequency(%p: tensor<?xi32>) {
  // expected-error @+1 {{a frequency is INF}}
  %0 = lathe.rope_table %p frequencies = [1.0e39] magnitude = 1.0 : tensor<?xi32> -> tensor<?x2xf32>
  return
}

// -----

func.func @rope_table_c2_magnitude(%p: tensor<?xi32>) {
  // expected-error @+1 {{magnitude is INF}}
  %0 = lathe.rope_table %p frequencies = [1.0] magnitude = 0x7F800000 : tensor<?xi32> -> tensor<?x2xf32>
  return
}
