// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @scaled_matmul_c1(%x: tensor<?x383xf32>, %w: !lathe.quantized<160x384xf8E4M3FN, block<128x128xf32>>) {
  // expected-error @+1 {{x has 383 columns; it should have 384}}
  %0 = lathe.scaled_matmul %x, %w : (tensor<?x383xf32>, !lathe.quantized<160x384xf8E4M3FN, block<128x128xf32>>) -> tensor<?x160xf32>
  return
}

// -----

func.func @scaled_matmul_c2(%x: tensor<?x384xf32>, %w: !lathe.quantized<160x384xf8E4M3FN, block<128x128xf32>>) {
  // expected-error @+1 {{result has 161 columns; it should have 160}}
  %0 = lathe.scaled_matmul %x, %w : (tensor<?x384xf32>, !lathe.quantized<160x384xf8E4M3FN, block<128x128xf32>>) -> tensor<?x161xf32>
  return
}

// -----

func.func @scaled_matmul_c3(%x: tensor<?x384xf32>, %w: !lathe.quantized<160x384xf8E4M3FN, block<128x128xf32>>, %b: tensor<161xf32>) {
  // expected-error @+1 {{bias has 161 elements; it should have 160}}
  %0 = lathe.scaled_matmul %x, %w bias %b : (tensor<?x384xf32>, !lathe.quantized<160x384xf8E4M3FN, block<128x128xf32>>, tensor<161xf32>) -> tensor<?x160xf32>
  return
}

// -----

func.func @scaled_matmul_c4(%x: !lathe.quantized<?x384xf8E4M3FN, block<1x128xf32>>, %w: !lathe.quantized<160x384xf8E4M3FN, block<128x96xf32>>) {
  // expected-error @+1 {{blocks of x have 128 columns and those of the weight 96}}
  %0 = lathe.scaled_matmul %x, %w : (!lathe.quantized<?x384xf8E4M3FN, block<1x128xf32>>, !lathe.quantized<160x384xf8E4M3FN, block<128x96xf32>>) -> tensor<?x160xf32>
  return
}

// -----

func.func @scaled_matmul_c4_rows(%x: !lathe.quantized<4x384xf8E4M3FN, block<2x128xf32>>, %w: !lathe.quantized<160x384xf8E4M3FN, block<128x128xf32>>) {
  // expected-error @+1 {{x has blocks of 2 rows; it should have blocks of 1}}
  %0 = lathe.scaled_matmul %x, %w : (!lathe.quantized<4x384xf8E4M3FN, block<2x128xf32>>, !lathe.quantized<160x384xf8E4M3FN, block<128x128xf32>>) -> tensor<4x160xf32>
  return
}
