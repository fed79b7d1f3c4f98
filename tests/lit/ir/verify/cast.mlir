// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @cast_c1(%x: tensor<?x64xf32>) {
  // expected-error @+1 {{they should have one shape}}
  %0 = lathe.cast %x : tensor<?x64xf32> -> tensor<?x65xbf16>
  return
}
