def FuseExperts : Pass<"lathe-fuse-experts", "::mlir::func::FuncOp"> {
  let summary = "Fold a routed expert layer into fused_experts";
  let description = [{
    Portable IR spells a routed layer as router, `moe_route`, `moe_dispatch`, `expert_ffn`, `moe_combine`,
    with sorted copies of the rows in between. A backend does better without them: it walks lists of tokens.
    ```mlir
    %logits = lathe.linear %x, %router
    %i, %w = lathe.moe_route %logits, %bias
    %rows, %order, %offsets = lathe.moe_dispatch %x, %i
    %e = lathe.expert_ffn %rows, %offsets, %gate, %up, %down
    %y = lathe.moe_combine %e, %order, %w
    // becomes
    %y = lathe.fused_experts %x, %router, %gate, %up, %down bias %bias
    ```
    Left alone: a chain with a value that something else uses (counts of tokens read from `offsets`); a
    router with a bias of its own, with an input that is not what the experts get, or that is no `linear`;
    rows that something changes between the experts and the sum.
  }];
  let statistics = [Statistic<"numFused", "num-fused", "expert layers folded">];
}

def FuseGatedLinear : Pass<"lathe-fuse-gated-linear", "::mlir::func::FuncOp"> {
  let summary = "Fold swiglu of two products into gated_linear";
  let description = [{
    Gate and up projection read the same rows; in one pass over them their results never reach memory.
    ```mlir
    %g = lathe.linear %x, %gate
    %u = lathe.linear %x, %up
    %a = lathe.swiglu %g, %u
    // becomes
    %a = lathe.gated_linear %x, %gate, %up
    ```
    Runs before `fuse-linear`, which would take the products away. Left alone: a product with a second user;
    products of different inputs; weights of different types; a bias on one side only; a side that is no
    product (a part of one, say).
  }];
  let statistics = [Statistic<"numFused", "num-fused", "gated pairs folded">];
}

def FuseLinear : Pass<"lathe-fuse-linear", "::mlir::func::FuncOp"> {
  let summary = "Make products of one input one fused_linear";
  let description = [{
    Products of the same rows (query, key and value; query and latent) become one op at the place of the
    first, in their order: one reading of the rows, one barrier. The weights stay apart, each with its layout.
    ```mlir
    %q = lathe.linear %x, %wq
    %k = lathe.linear %x, %wk
    // becomes
    %q, %k = lathe.fused_linear %x, %wq, %wk
    ```
    Left alone: products of different inputs; a product with a bias beside one without; a product whose
    weight or bias is computed after the first one; `fused_linear` and `gated_linear` as they are.
  }];
  let statistics = [Statistic<"numFused", "num-fused", "products that became part of a fused_linear">];
}
