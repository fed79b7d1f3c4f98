// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @rms_norm_c1(%x: tensor<?x64xf32>, %g: tensor<24xf32>) {
  // expected-error @+1 {{input has 64 columns; it should have a multiple of the 24 elements}}
  %0 = lathe.rms_norm %x, %g epsilon = 1.0 : tensor<?x64xf32>, tensor<24xf32>
  return
}

// -----

func.func @rms_norm_c2(%x: tensor<?x64xf32>, %g: tensor<64xf32>) {
  // expected-error @+1 {{epsilon is 0}}
  %0 = lathe.rms_norm %x, %g epsilon = 0.0 : tensor<?x64xf32>, tensor<64xf32>
  return
}
