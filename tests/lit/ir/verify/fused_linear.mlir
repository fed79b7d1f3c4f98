// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @fused_linear_c1(%x: tensor<?x64xf32>, %w0: tensor<96x64xbf16>) {
  // expected-error @+1 {{has 1 weights and 1 results; there should be at least 2}}
  %0 = lathe.fused_linear %x, %w0 : (tensor<?x64xf32>, tensor<96x64xbf16>) -> (tensor<?x96xf32>)
  return
}

// -----

func.func @fused_linear_c1_results(%x: tensor<?x64xf32>, %w0: tensor<96x64xbf16>, %w1: tensor<96x64xbf16>) {
  // expected-error @+1 {{has 2 weights and 1 results}}
  %0 = lathe.fused_linear %x, %w0, %w1 : (tensor<?x64xf32>, tensor<96x64xbf16>, tensor<96x64xbf16>) -> (tensor<?x96xf32>)
  return
}

// -----

func.func @fused_linear_c2(%x: tensor<?x64xf32>, %w0: tensor<96x64xbf16>, %w1: tensor<96x64xbf16>, %b0: tensor<96xf32>) {
  // expected-error @+1 {{has 1 biases; there should be none or 2}}
  %0:2 = lathe.fused_linear %x, %w0, %w1 biases %b0 : (tensor<?x64xf32>, tensor<96x64xbf16>, tensor<96x64xbf16>, tensor<96xf32>) -> (tensor<?x96xf32>, tensor<?x96xf32>)
  return
}

// -----

func.func @fused_linear_c3(%x: tensor<?x64xf32>, %w0: tensor<96x64xbf16>, %w1: tensor<96x65xf32>) {
  // expected-error @+1 {{x has 64 columns; it should have 65}}
  %0:2 = lathe.fused_linear %x, %w0, %w1 : (tensor<?x64xf32>, tensor<96x64xbf16>, tensor<96x65xf32>) -> (tensor<?x96xf32>, tensor<?x96xf32>)
  return
}

// -----

func.func @fused_linear_c4(%x: !lathe.quantized<?x384xf8E4M3FN, block<1x128xf32>>, %w0: !lathe.quantized<160x384xf8E4M3FN, block<128x128xf32>>, %w1: tensor<96x384xf32>) {
  // expected-error @+1 {{x is quantised and the weight is a}}
  %0:2 = lathe.fused_linear %x, %w0, %w1 : (!lathe.quantized<?x384xf8E4M3FN, block<1x128xf32>>, !lathe.quantized<160x384xf8E4M3FN, block<128x128xf32>>, tensor<96x384xf32>) -> (tensor<?x160xf32>, tensor<?x96xf32>)
  return
}
