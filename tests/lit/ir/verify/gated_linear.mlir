// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @gated_linear_c1(%x: tensor<?x64xf32>, %g: tensor<96x64xbf16>, %u: tensor<96x64xf32>) {
  // expected-error @+1 {{they should have one type}}
  %0 = lathe.gated_linear %x, %g, %u : (tensor<?x64xf32>, tensor<96x64xbf16>, tensor<96x64xf32>) -> tensor<?x96xf32>
  return
}

// -----

func.func @gated_linear_c1_columns(%x: tensor<?x63xf32>, %g: tensor<96x64xbf16>, %u: tensor<96x64xbf16>) {
  // expected-error @+1 {{x has 63 columns; it should have 64}}
  %0 = lathe.gated_linear %x, %g, %u : (tensor<?x63xf32>, tensor<96x64xbf16>, tensor<96x64xbf16>) -> tensor<?x96xf32>
  return
}

// -----

func.func @gated_linear_c2(%x: tensor<?x64xf32>, %g: tensor<96x64xbf16>, %u: tensor<96x64xbf16>, %b: tensor<96xf32>) {
  // expected-error @+1 {{has 1 bias; it should have 2 or none}}
  %0 = "lathe.gated_linear"(%x, %g, %u, %b) <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 0>}> : (tensor<?x64xf32>, tensor<96x64xbf16>, tensor<96x64xbf16>, tensor<96xf32>) -> tensor<?x96xf32>
  return
}

// -----

func.func @gated_linear_c2_length(%x: tensor<?x64xf32>, %g: tensor<96x64xbf16>, %u: tensor<96x64xbf16>, %b: tensor<96xf32>, %c: tensor<95xf32>) {
  // expected-error @+1 {{bias has 95 elements; it should have 96}}
  %0 = lathe.gated_linear %x, %g, %u biases %b, %c : (tensor<?x64xf32>, tensor<96x64xbf16>, tensor<96x64xbf16>, tensor<96xf32>, tensor<95xf32>) -> tensor<?x96xf32>
  return
}
