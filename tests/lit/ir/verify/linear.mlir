// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @linear_c1(%x: tensor<?x63xf32>, %w: tensor<96x64xbf16>) {
  // expected-error @+1 {{x has 63 columns; it should have 64}}
  %0 = lathe.linear %x, %w : (tensor<?x63xf32>, tensor<96x64xbf16>) -> tensor<?x96xf32>
  return
}

// -----

func.func @linear_c2(%x: tensor<?x64xf32>, %w: tensor<96x64xbf16>) {
  // expected-error @+1 {{result has 95 columns; it should have 96}}
  %0 = lathe.linear %x, %w : (tensor<?x64xf32>, tensor<96x64xbf16>) -> tensor<?x95xf32>
  return
}

// -----

func.func @linear_c2_rows(%x: tensor<2x64xf32>, %w: tensor<96x64xbf16>) {
  // expected-error @+1 {{have 2 and 3 rows}}
  %0 = lathe.linear %x, %w : (tensor<2x64xf32>, tensor<96x64xbf16>) -> tensor<3x96xf32>
  return
}

// -----

func.func @linear_c3(%x: tensor<?x64xf32>, %w: tensor<96x64xbf16>, %b: tensor<95xf32>) {
  // expected-error @+1 {{bias has 95 elements; it should have 96}}
  %0 = lathe.linear %x, %w bias %b : (tensor<?x64xf32>, tensor<96x64xbf16>, tensor<95xf32>) -> tensor<?x96xf32>
  return
}
