// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @rope_c1(%x: tensor<?x64xf32>, %t: tensor<?x8xf32>) {
  // expected-error @+1 {{input has 64 columns; it should have a multiple of head_dim, which is 24}}
  %0 = lathe.rope %x, %t head_dim = 24 offset = 0 layout = half : tensor<?x64xf32>, tensor<?x8xf32>
  return
}

// -----

func.func @rope_c1_positive(%x: tensor<?x64xf32>, %t: tensor<?x8xf32>) {
  // expected-error @+1 {{head_dim, which is 0}}
  %0 = lathe.rope %x, %t head_dim = 0 offset = 0 layout = half : tensor<?x64xf32>, tensor<?x8xf32>
  return
}

// -----

func.func @rope_c2(%x: tensor<?x64xf32>, %t: tensor<?x8xf32>) {
  // expected-error @+1 {{rotates columns 9 to 9 + 8 of a head; it has 16}}
  %0 = lathe.rope %x, %t head_dim = 16 offset = 9 layout = half : tensor<?x64xf32>, tensor<?x8xf32>
  return
}

// -----

func.func @rope_c3(%x: tensor<2x64xf32>, %t: tensor<3x8xf32>) {
  // expected-error @+1 {{have 2 and 3 rows}}
  %0 = lathe.rope %x, %t head_dim = 16 offset = 0 layout = half : tensor<2x64xf32>, tensor<3x8xf32>
  return
}

// -----

func.func @rope_c4(%x: tensor<?x64xf32>, %t: tensor<?x7xf32>) {
  // expected-error @+1 {{table has 7 columns; it should have an even number}}
  %0 = lathe.rope %x, %t head_dim = 16 offset = 0 layout = half : tensor<?x64xf32>, tensor<?x7xf32>
  return
}
