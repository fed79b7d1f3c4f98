def CanonicalForm : Pass<"lathe-canonical-form", "::mlir::func::FuncOp"> {
  let summary = "Bring equal things into one form";
  let description = [{
    Importers may name one tensor twice (tied embeddings) and stack constants; later passes compare
    values by identity. Makes equal references of a function one value, multiplies constants of
    consecutive `scale` ops, and does what MLIR knows of pure ops: folding, common subexpressions, dead
    code.
    ```mlir
    %a = lathe.weight "embed" from [#lathe.tensor_ref<"e">] : tensor<8x4xf32>
    %b = lathe.weight "head" from [#lathe.tensor_ref<"e">] : tensor<8x4xf32>  // uses of %b become %a
    ```
    Left alone: references to other rows, with other scales or of another type; a `scale` whose input
    has a second user (nothing would be saved); factors whose product is not finite or rounds to zero.
  }];
  let statistics = [Statistic<"numMerged", "num-merged", "weights that another reference stands for">,
                    Statistic<"numScalesFolded", "num-scales-folded", "scales multiplied into the next">];
}
