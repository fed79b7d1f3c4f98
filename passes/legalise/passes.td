def LegaliseFp8 : Pass<"lathe-legalise-fp8", "::mlir::func::FuncOp"> {
  let summary = "Give targets without FP8 kernels floats";
  let description = [{
    With `targets-fp8=none`, weights of codes go through `dequantize`, once a weight, and `scaled_matmul`
    becomes `linear`; stacks of experts and the `kv_b` of latent attention likewise. With `native` nothing
    changes.
    ```mlir
    %y = lathe.scaled_matmul %x, %w
    // becomes
    %f = lathe.dequantize %w
    %y = lathe.linear %x, %f
    ```
    Runs before `legalise-activations`, which then finds no codes to give codes to. Left alone: products
    that take their rows as codes, and experts whose activations are w8a8: for them floats would change the
    meaning.
  }];
  let options = [Option<"targetsFp8", "targets-fp8", "std::string", "\"native\"",
                        "native: the targets have kernels for codes; none: they have not">];
  let statistics = [Statistic<"numDequantized", "num-dequantized", "weights that became floats">];
}

def LegaliseActivations : Pass<"lathe-legalise-activations", "::mlir::func::FuncOp"> {
  let summary = "Say in which form products take their rows";
  let description = [{
    `activations=f32` changes nothing. With `bf16` the rows of products go through `cast`, with `w8a8` those
    of products whose weight has codes through `quantize`, once for each input: for codes of e4m3 to e4m3 in blocks of
    1x128, for i8 and i4 to i8 in blocks of 1x32. The scales are f32, or for e4m3 f8E8M0FNU where `lathe.model` says
    activation_scales = "ue8m0". Expert ops get their `activations`. A `fused_linear` whose weights want different
    rows is split.
    ```mlir
    %y = lathe.scaled_matmul %x, %w
    // becomes, with w8a8,
    %c = lathe.quantize %x
    %y = lathe.scaled_matmul %c, %w
    ```
    With either, attention of more than one row, materialised where it is latent, gets its query in bf16, which
    allows its other factors to be rounded, too.
    Left alone: the router and the head, where small errors turn into other experts and other tokens; with
    w8a8, weights of floats, codes of e5m2, blocks that do not fit those of the rows by rule (C4) of
    `scaled_matmul`, and experts whose two halves want different rows; rows that are not f32 any more; absorbed
    attention and its folds.
  }];
  let options = [Option<"activations", "activations", "std::string", "\"f32\"", "f32, bf16 or w8a8">];
  let statistics = [Statistic<"numConverted", "num-converted", "inputs that got a cast or quantize">,
                    Statistic<"numSplit", "num-split", "fused_linear ops that were split">];
}
