// Products of rows with weights. A weight is [out, in]: y = x W^T + b.

def Lathe_CastOp : Lathe_Op<"cast", [Pure]> {
  let summary = "Rounds rows to another float type";
  let description = [{
    `result[t, j] = input[t, j]` rounded to nearest even in the result's type. Products with bf16
    activations take their rows from this op.
    - (C1) `input` and `result` have one shape.
    ```mlir
    %x16 = lathe.cast %x : tensor<?x64xf32> -> tensor<?x64xbf16>
    ```
  }];
  let arguments = (ins Lathe_FloatMatrix:$input);
  let results = (outs Lathe_FloatMatrix:$result /*C1*/);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
}

def Lathe_LinearOp : Lathe_Op<"linear", [Pure]> {
  let summary = "x W^T + b with a weight of floats";
  let description = [{
    `result[t, n] = sum_k f32(x[t, k]) * f32(weight[n, k]) + bias[n]`, accumulated in f32.
    - (C1) `x` has as many columns as `weight`.
    - (C2) `result` has the rows of `x` and a column for each row of `weight`.
    - (C3) `bias`, where there is one, is as long as `weight` has rows.
    ```mlir
    %y = lathe.linear %x, %w : (tensor<?x64xf32>, tensor<96x64xbf16>) -> tensor<?x96xf32>
    ```
  }];
  let arguments = (ins Lathe_FloatMatrix:$x, Lathe_FloatMatrix:$weight /*C1*/,
                       Optional<Lathe_FloatVector>:$bias /*C3*/);
  let results = (outs Lathe_Rows:$result /*C2*/);
  let assemblyFormat = "$x `,` $weight (`bias` $bias^)? attr-dict `:` functional-type(operands, results)";
}

def Lathe_ScaledMatmulOp : Lathe_Op<"scaled_matmul", [Pure]> {
  let summary = "x W^T + b with a weight of codes and scales";
  let description = [{
    Weight only (w8a16), where `x` is floats: `lathe.linear` with the dequantised weight.
    Dynamic (w8a8), where `x` is codes too: for each block b of columns
    `result[t, n] = sum_b scale_x[t, b] * scale_w[n, b] * sum_(k in b) code_x[t, k] * code_w[n, k] + bias[n]`,
    both sums in f32 (DeepSeek-V3, fp8_gemm).
    - (C1) `x` has as many columns as `weight`.
    - (C2) `result` has the rows of `x` and a column for each row of `weight`.
    - (C3) `bias`, where there is one, is as long as `weight` has rows.
    - (C4) A quantised `x` has one row a block, and the columns of its blocks and of the weight's
      blocks are one a multiple of the other, or one block is as wide as the matrix.
    ```mlir
    %y = lathe.scaled_matmul %x, %w : (tensor<?x384xf32>, !lathe.quantized<160x384xf8E4M3FN, block<128x128xf32>>) -> tensor<?x160xf32>
    ```
  }];
  let arguments = (ins Lathe_AnyRows:$x /*C4*/, Lathe_QuantizedType:$weight /*C1*/,
                       Optional<Lathe_FloatVector>:$bias /*C3*/);
  let results = (outs Lathe_Rows:$result /*C2*/);
  let assemblyFormat = "$x `,` $weight (`bias` $bias^)? attr-dict `:` functional-type(operands, results)";
}

def Lathe_FusedLinearOp : Lathe_Op<"fused_linear", [Pure, AttrSizedOperandSegments]> {
  let summary = "Products of one input with several weights";
  let description = [{
    `results[i] = x weights[i]^T + biases[i]`, each as `linear` or `scaled_matmul` would give it. The
    weights keep their own layouts and are not concatenated, since blocks of scales would be cut.
    - (C1) There are at least two weights and as many results.
    - (C2) There are no biases, or one for each weight.
    - (C3) Each weight, bias and result fits `x` by the rules (C1) to (C3) of `scaled_matmul`.
    - (C4) With a quantised `x` every weight is quantised and fits by its rule (C4).
    ```mlir
    %q, %kv = lathe.fused_linear %x, %wq, %wkv : (tensor<?x64xf32>, tensor<24x64xbf16>, tensor<40x64xbf16>) -> (tensor<?x24xf32>, tensor<?x40xf32>)
    ```
  }];
  let arguments = (ins Lathe_AnyRows:$x, Variadic<Lathe_AnyMatrix>:$weights, Variadic<Lathe_FloatVector>:$biases);
  let results = (outs Variadic<Lathe_Rows>:$results);
  let assemblyFormat = "$x `,` $weights (`biases` $biases^)? attr-dict `:` functional-type(operands, results)";
}

def Lathe_GatedLinearOp : Lathe_Op<"gated_linear", [Pure, AttrSizedOperandSegments]> {
  let summary = "The first half of a gated MLP";
  let description = [{
    `result = swiglu(x gate^T + gate_bias, x up^T + up_bias)`: both products in one pass over `x`.
    - (C1) `gate` and `up` have one type and fit `x` by the rules (C1), (C2), (C4) of `scaled_matmul`.
    - (C2) There are two biases or none, as long as the weights have rows.
    ```mlir
    %a = lathe.gated_linear %x, %gate, %up : (tensor<?x64xf32>, tensor<96x64xbf16>, tensor<96x64xbf16>) -> tensor<?x96xf32>
    ```
  }];
  let arguments = (ins Lathe_AnyRows:$x, Lathe_AnyMatrix:$gate, Lathe_AnyMatrix:$up,
                       Optional<Lathe_FloatVector>:$gate_bias, Optional<Lathe_FloatVector>:$up_bias);
  let results = (outs Lathe_Rows:$result);
  let assemblyFormat = "$x `,` $gate `,` $up (`biases` $gate_bias^ `,` $up_bias)? attr-dict `:` functional-type(operands, results)";
}
