def QuantizeWeights : Pass<"lathe-quantize-weights", "::mlir::func::FuncOp"> {
  let summary = "Give the weights of products another form than the checkpoint's";
  let description = [{
    Decoding is as fast as weights are small. `weights` names the form of the matrices of `linear`,
    `scaled_matmul`, `expert_ffn` and latent attention's `kv_b`: `bf16`; `fp8`, e4m3 with an f32 scale for
    128x128; `q8_0` and `q4_0`, i8 and i4 with an f16 scale for 32 of a row. The IR says the new type and
    what is stored; whoever reads the weight converts it. Empty: nothing changes.
    ```mlir
    %w = lathe.weight "w" from [#lathe.tensor_ref<"w">] : tensor<96x64xbf16>
    %y = lathe.linear %x, %w
    // becomes, with q8_0,
    %w = lathe.weight "w" from [#lathe.tensor_ref<"w">] stored as tensor<96x64xbf16> : !lathe.quantized<96x64xi8, block<1x32xf16>>
    %y = lathe.scaled_matmul %x, %w
    ```
    A table that is the head's weight, too, is read as codes by both. Left alone: norms, biases, routers
    (rounding would choose other experts); tables of embeddings, of which a token reads a row; weights that have
    the form already, for fp8 whatever their scales; weights that something else reads, too, which is
    what every op is that later stages make; the gate of experts without its up; weights of products
    whose rows are codes, for bf16.
  }];
  let options = [Option<"weights", "weights", "std::string", "\"\"",
                        "bf16, fp8, q8_0 or q4_0; empty: as in the checkpoint">];
  let statistics = [Statistic<"numConverted", "num-converted", "weights that got another form">];
}
