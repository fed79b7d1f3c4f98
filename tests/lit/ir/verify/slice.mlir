// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @slice_c1(%x: tensor<?x40xf32>) {
  // expected-error @+1 {{takes columns 9 to 9 + 32; `input` has columns 0 to 40}}
  %0 = lathe.slice %x offset = 9 : tensor<?x40xf32> -> tensor<?x32xf32>
  return
}

// -----

func.func @slice_c1_negative(%x: tensor<?x40xf32>) {
  // expected-error @+1 {{takes columns -1 to}}
  %0 = lathe.slice %x offset = -1 : tensor<?x40xf32> -> tensor<?x32xf32>
  return
}

// -----

func.func @slice_c2(%x: tensor<2x40xf32>) {
  // expected-error @+1 {{operands and results have 2 and 3 rows}}
  %0 = lathe.slice %x offset = 0 : tensor<2x40xf32> -> tensor<3x32xf32>
  return
}
