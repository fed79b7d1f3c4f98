// Weights, rows, norms and elementwise ops.

def Lathe_WeightOp : Lathe_Op<"weight", [Pure]> {
  let summary = "A weight of the checkpoint, by reference";
  let description = [{
    Names one tensor of the checkpoint, or E tensors that are stacked along a new first dimension
    (an expert each). `scales` name the scale tensors of codes, one for each source. `rows = [begin,
    end]` takes these rows (second last dimension) of each source, which is how a fused
    `gate_up_proj` is read; scales are cut at the same rows.

    `stored as` says the type in the checkpoint where the result has another. What is stored, with
    codes times scales in f32, is then converted in f32: to bf16, rounded to nearest even; to codes,
    block by block. Let a be the first of the elements v of a block with the largest magnitude.
    - e4m3: `scale = |a| / 448`, or 1 where that is 0; `code = e4m3(v / scale)`, to nearest even, saturating.
    - i8: `d = |a| / 127`, `code = v * (1 / d)` rounded half away from zero, `scale = f16(d)`.
    - i4: `d = a / -8`, `code = min(floor(v * (1 / d) + 8.5), 15) - 8`, `scale = f16(d)`.

    Where `f16(d)` is 0, so are the codes. (i8 and i4 with blocks of 1x32: Q8_0 and Q4_0 of ggml.)
    - (C1) There is one source, or one for each entry of the first dimension of a rank 3 result.
    - (C2) A type in the checkpoint that is quantised has as many scales as sources; any other has none.
    - (C3) `rows` is two numbers, 0 <= begin < end, and the result has end - begin rows.
    - (C4) `name` is not empty.
    - (C5) The result and `stored` are f32, bf16, f16 or quantised, of rank 1 to 3, and their extents are constants.
    - (C6) `stored` has the shape of the result, of rank 2 or 3, and no codes of i8 or i4. The result is then bf16,
      or has e4m3 codes and f32 scales, or i8 or i4 codes, blocks of one row and f16 scales.
    ```mlir
    %w = lathe.weight "layers.0.q_proj" from [#lathe.tensor_ref<"model.layers.0.self_attn.q_proj.weight">] : tensor<64x64xbf16>
    %q = lathe.weight "layers.0.q_proj" from [#lathe.tensor_ref<"model.layers.0.self_attn.q_proj.weight">] stored as tensor<64x64xbf16> : !lathe.quantized<64x64xi8, block<1x32xf16>>
    ```
  }];
  let arguments = (ins StrAttr:$name /*C4*/,
                       TypedArrayAttrBase<Lathe_TensorRefAttr, "tensor references">:$sources /*C1*/,
                       OptionalAttr<TypedArrayAttrBase<Lathe_TensorRefAttr, "tensor references">>:$scales /*C2*/,
                       OptionalAttr<DenseI64ArrayAttr>:$rows /*C3*/,
                       OptionalAttr<TypeAttr>:$stored /*C6*/);
  let results = (outs AnyType:$result /*C5*/);
  let assemblyFormat = [{
    $name `from` $sources (`scales` $scales^)? (`rows` `=` $rows^)? (`stored` `as` $stored^)? attr-dict `:`
    type($result)
  }];
  let useCustomPropertiesEncoding = 1; // `stored` came with 1.1: see bytecode.cpp
  let ownDeclarations = [{
    // The type in the checkpoint.
    ::mlir::Type getTypeInCheckpoint() { return getStored().value_or(getType()); }
  }];
}

def Lathe_EmbeddingOp : Lathe_Op<"embedding", [Pure]> {
  let summary = "Rows of a table, one for each token";
  let description = [{
    `result[t, j] = f32(table[tokens[t], j])`; of codes, code times scale.
    - (C1) `result` has as many rows as there are `tokens` and as many columns as `table`.
    ```mlir
    %h = lathe.embedding %tokens, %table : (tensor<?xi32>, tensor<288x64xbf16>) -> tensor<?x64xf32>
    ```
  }];
  let arguments = (ins Lathe_Indices:$tokens, Lathe_AnyMatrix:$table);
  let results = (outs Lathe_Rows:$result /*C1*/);
  let assemblyFormat = "$tokens `,` $table attr-dict `:` functional-type(operands, results)";
}

def Lathe_SelectRowsOp : Lathe_Op<"select_rows", [Pure]> {
  let summary = "Some rows, in the order asked for";
  let description = [{
    `result[i, j] = input[rows[i], j]`. The head runs on what this gives: only positions that are
    sampled or dumped.
    - (C1) `result` has as many rows as `rows` has entries and as many columns as `input`.
    ```mlir
    %last = lathe.select_rows %h, %output_rows : (tensor<?x64xf32>, tensor<?xi32>) -> tensor<?x64xf32>
    ```
  }];
  let arguments = (ins Lathe_Rows:$input, Lathe_Indices:$rows);
  let results = (outs Lathe_Rows:$result /*C1*/);
  let assemblyFormat = "$input `,` $rows attr-dict `:` functional-type(operands, results)";
}

def Lathe_SliceOp : Lathe_Op<"slice", [Pure]> {
  let summary = "A run of columns";
  let description = [{
    `result[t, j] = input[t, offset + j]`.
    - (C1) `offset` is not negative and `offset` + the columns of `result` is at most the columns of `input`.
    - (C2) `result` has the rows of `input`.
    ```mlir
    %c = lathe.slice %kv_a offset = 0 : tensor<?x40xf32> -> tensor<?x32xf32>
    ```
  }];
  let arguments = (ins Lathe_Rows:$input, I64Attr:$offset /*C1*/);
  let results = (outs Lathe_Rows:$result /*C2*/);
  let assemblyFormat = "$input `offset` `=` $offset attr-dict `:` type($input) `->` type($result)";
}

def Lathe_ConcatOp : Lathe_Op<"concat", [Pure]> {
  let summary = "Columns side by side";
  let description = [{
    `result = [input_0 | input_1 | ...]` along the columns.
    - (C1) There is at least one input and all have the rows of `result`.
    - (C2) The columns of `result` are the sum of the inputs' columns.
    ```mlir
    %latent = lathe.concat %c, %k_pe : (tensor<?x32xf32>, tensor<?x8xf32>) -> tensor<?x40xf32>
    ```
  }];
  let arguments = (ins Variadic<Lathe_Rows>:$inputs /*C1*/);
  let results = (outs Lathe_Rows:$result /*C2*/);
  let assemblyFormat = "$inputs attr-dict `:` functional-type(operands, results)";
}

def Lathe_AddOp : Lathe_Op<"add", [Pure, Commutative, SameOperandsAndResultType /*C1*/]> {
  let summary = "Elementwise sum";
  let description = [{
    `result[t, j] = lhs[t, j] + rhs[t, j]`.
    - (C1) All three have one type.
    ```mlir
    %h1 = lathe.add %h, %a : tensor<?x64xf32>
    ```
  }];
  let arguments = (ins Lathe_Rows:$lhs, Lathe_Rows:$rhs);
  let results = (outs Lathe_Rows:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($result)";
}

def Lathe_ScaleOp : Lathe_Op<"scale", [Pure, SameOperandsAndResultType]> {
  let summary = "Multiplication by a constant";
  let description = [{
    `result[t, j] = input[t, j] * factor` in f32 (muP multipliers of MiniCPM3).
    - (C1) `factor` is finite.
    ```mlir
    %s = lathe.scale %h by 1.200000e+01 : tensor<?x64xf32>
    ```
  }];
  let arguments = (ins Lathe_Rows:$input, F32Attr:$factor /*C1*/);
  let results = (outs Lathe_Rows:$result);
  let assemblyFormat = "$input `by` $factor attr-dict `:` type($result)";
  let hasFolder = 1;
}

def Lathe_SwigluOp : Lathe_Op<"swiglu", [Pure, SameOperandsAndResultType /*C1*/]> {
  let summary = "silu(gate) * up";
  let description = [{
    `result[t, j] = gate[t, j] * sigmoid(gate[t, j]) * up[t, j]`.
    - (C1) All three have one type.
    ```mlir
    %a = lathe.swiglu %gate, %up : tensor<?x96xf32>
    ```
  }];
  let arguments = (ins Lathe_Rows:$gate, Lathe_Rows:$up);
  let results = (outs Lathe_Rows:$result);
  let assemblyFormat = "$gate `,` $up attr-dict `:` type($result)";
}

def Lathe_RmsNormOp : Lathe_Op<"rms_norm", [Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "Root-mean-square normalization over groups of columns";
  let description = [{
    The columns are cut into groups as long as `scale` (one group for a hidden row, one a head for
    query and key norms): `result[t, g, j] = input[t, g, j] * scale[j] / sqrt(mean_j(input[t, g, j]^2) + epsilon)`.
    The mean is accumulated in f32 or wider.
    - (C1) The columns of `input` are a multiple of the length of `scale`.
    - (C2) `epsilon` is finite and greater than zero.
    ```mlir
    %y = lathe.rms_norm %x, %g epsilon = 1.000000e-03 : tensor<?x64xf32>, tensor<64xbf16>
    ```
  }];
  let arguments = (ins Lathe_Rows:$input, Lathe_FloatVector:$scale /*C1*/, F32Attr:$epsilon /*C2*/);
  let results = (outs Lathe_Rows:$result);
  let assemblyFormat = "$input `,` $scale `epsilon` `=` $epsilon attr-dict `:` type($input) `,` type($scale)";
}

def Lathe_RopeTableOp : Lathe_Op<"rope_table", [Pure]> {
  let summary = "Cosines and sines of the rows' positions";
  let description = [{
    With d/2 inverse frequencies f: `angle = f32(positions[t]) * f[i]` in f32,
    `result[t, i] = cos(angle) * magnitude`, `result[t, d/2 + i] = sin(angle) * magnitude`.
    Every scaling variant (yarn, llama3, longrope, ...) is in the frequencies and the magnitude.
    - (C1) `result` has two columns for each frequency and a row for each position.
    - (C2) All frequencies and `magnitude` are finite; there is at least one frequency.
    ```mlir
    %table = lathe.rope_table %positions frequencies = [1.000000e+00, 1.000000e-01] magnitude = 1.000000e+00 : tensor<?xi32> -> tensor<?x4xf32>
    ```
  }];
  let arguments = (ins Lathe_Indices:$positions, DenseF32ArrayAttr:$frequencies /*C2*/,
                       F32Attr:$magnitude /*C2*/);
  let results = (outs Lathe_Rows:$result /*C1*/);
  let assemblyFormat = "$positions `frequencies` `=` $frequencies `magnitude` `=` $magnitude attr-dict `:` type($positions) `->` type($result)";
}

def Lathe_RopeOp : Lathe_Op<"rope", [Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "Rotates part of each head by the table's angles";
  let description = [{
    The columns are heads of `head_dim`. Of each head the d columns from `offset` are rotated, d being
    the columns of `table`; the others pass. A pair (x, y) becomes (x cos - y sin, x sin + y cos).
    Pair i is (i, i + d/2) with layout `half` and (2i, 2i + 1) with `pairs`; results stay where their
    inputs were.
    - (C1) The columns of `input` are a multiple of `head_dim`.
    - (C2) `offset` is not negative and `offset` + the columns of `table` is at most `head_dim`.
    - (C3) `table` has the rows of `input`.
    - (C4) `table` has an even number of columns.
    ```mlir
    %q1 = lathe.rope %q, %table head_dim = 24 offset = 16 layout = pairs : tensor<?x96xf32>, tensor<?x8xf32>
    ```
  }];
  let arguments = (ins Lathe_Rows:$input, Lathe_Rows:$table /*C3*/, I64Attr:$head_dim /*C1*/,
                       I64Attr:$offset /*C2*/, Lathe_RopeLayoutAttr:$layout);
  let results = (outs Lathe_Rows:$result);
  let assemblyFormat = "$input `,` $table `head_dim` `=` $head_dim `offset` `=` $offset `layout` `=` `` $layout attr-dict `:` type($input) `,` type($table)";
}
