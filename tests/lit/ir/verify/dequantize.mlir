// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @dequantize_c1(%x: !lathe.quantized<160x384xf8E4M3FN, block<128x128xf32>>) {
  // expected-error @+1 {{it should have the shape of `input`}}
  %0 = lathe.dequantize %x : !lathe.quantized<160x384xf8E4M3FN, block<128x128xf32>> -> tensor<160x385xf32>
  return
}
