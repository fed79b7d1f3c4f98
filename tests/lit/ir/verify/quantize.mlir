// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @quantize_c1(%x: tensor<?x384xf32>) {
  // expected-error @+1 {{it should have the shape of `input`}}
  %0 = lathe.quantize %x : tensor<?x384xf32> -> !lathe.quantized<?x383xf8E4M3FN, block<1x128xf32>>
  return
}

// -----

func.func @quantize_c1_type(%x: tensor<?x384xf32>) {
  // expected-error @+1 {{it should have f8E4M3FN codes with scales of f32 or f8E8M0FNU, or i8 codes with scales of f32}}
  %0 = lathe.quantize %x : tensor<?x384xf32> -> !lathe.quantized<?x384xf8E5M2, block<1x128xf32>>
  return
}

// -----

func.func @quantize_c1_integers(%x: tensor<?x384xf32>) {
  // expected-error @+1 {{it should have f8E4M3FN codes with scales of f32 or f8E8M0FNU, or i8 codes with scales of f32}}
  %0 = lathe.quantize %x : tensor<?x384xf32> -> !lathe.quantized<?x384xi8, block<1x32xf8E8M0FNU>>
  return
}

// -----

func.func @quantize_c1_rows(%x: tensor<?x384xf32>) {
  // expected-error @+1 {{and blocks of 1 row}}
  %0 = lathe.quantize %x : tensor<?x384xf32> -> !lathe.quantized<?x384xi8, block<2x32xf32>>
  return
}
