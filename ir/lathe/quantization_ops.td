// Between floats and codes with block scales. A quantised type says its layout.

def Lathe_QuantizeOp : Lathe_Op<"quantize", [Pure]> {
  let summary = "Dynamic quantisation of activations";
  let description = [{
    For each row and block of C columns, to codes of e4m3: `s = max(max|x|, 1e-4) / 448`; with scales of
    type f8E8M0FNU `s` is rounded up to a power of two; `code = e4m3(x / s)`, to nearest even, saturating.
    (DeepSeek-V3, act_quant.)
    To codes of i8: `s = max(max|x|, 1e-30) / 127`, `code = x / s` to the nearest integer, halves to even.
    (llama.cpp rounds the rows of a Q8_0 product so, but for its scales, which are f16.)
    - (C1) `result` has the shape of `input`, codes of e4m3 or i8, one row a block, scales of f32 or, for e4m3, of
      f8E8M0FNU.
    ```mlir
    %q = lathe.quantize %x : tensor<?x384xf32> -> !lathe.quantized<?x384xf8E4M3FN, block<1x128xf32>>
    ```
  }];
  let arguments = (ins Lathe_Rows:$input);
  let results = (outs Lathe_QuantizedType:$result /*C1*/);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
}

def Lathe_DequantizeOp : Lathe_Op<"dequantize", [Pure]> {
  let summary = "Codes times scales";
  let description = [{
    `result[.., i, j] = f32(code[.., i, j]) * f32(scale[.., i / R, j / C])`, rounded to the result's type.
    What a target without FP8 kernels gets.
    - (C1) `result` has the shape of `input`.
    ```mlir
    %w = lathe.dequantize %q : !lathe.quantized<160x384xf8E4M3FN, block<128x128xf32>> -> tensor<160x384xf32>
    ```
  }];
  let arguments = (ins Lathe_QuantizedType:$input);
  let results = (outs RankedTensorOf<[F32, BF16, F16]>:$result /*C1*/);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
}
