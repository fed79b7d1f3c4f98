def ChooseMlaForm : Pass<"lathe-choose-mla-form", "::mlir::func::FuncOp"> {
  let summary = "Choose materialised or absorbed for each latent attention";
  let description = [{
    Both forms mean the same; which is cheaper depends on the rows of the step and on the keys that a row
    sees. Materialised expands keys and values of every head (dear for one row), absorbed works on latents,
    which are longer than a head (dear for many rows). The costs are those of `cost/mla.h` at the rates that
    the module's `lathe.costs` has for each target; where targets disagree, the form whose worst ratio to a
    target's best is the smaller one. Without `lathe.costs` the form with fewer FLOPs. The choice and what the
    other form would have cost are recorded.
    Left alone: a form that is chosen already; a function that does not say how many rows it has (neither a
    constant in its types nor `lathe.max_rows`).
  }];
  let options = [Option<"form", "form", "std::string", "\"\"",
                        "materialised or absorbed, whatever the costs; empty: the cheaper one">,
                 Option<"expectedContext", "expected-context", "int64_t", "0",
                        "keys that a row is expected to see; 0: of cost/table.h; never above max_context">];
  let statistics = [Statistic<"numMaterialised", "num-materialised", "ops that became materialised">,
                    Statistic<"numAbsorbed", "num-absorbed", "ops that became absorbed">];
}

def FoldKvB : Pass<"lathe-fold-kv-b", "::mlir::func::FuncOp"> {
  let summary = "Take kv_b out of absorbed latent attention";
  let description = [{
    What absorbed attention does with `kv_b` are two products beside the attention. As ops of their own
    they are cut, placed and fused like other products, and the kernel in between sees latents only.
    ```mlir
    %o, %c1 = lathe.mla_attention %q, %latent, %slots, %positions, %c0 kv_b %w ... form = absorbed
    // becomes
    %a = lathe.absorb_query %q, %w ...
    %l, %c1 = lathe.mla_attention %a, %latent, %slots, %positions, %c0 ... form = absorbed
    %o = lathe.expand_value %l, %w ...
    ```
    Left alone: the materialised form, which needs `kv_b` for its keys and values; the unspecified one; an
    op without `kv_b`.
  }];
  let statistics = [Statistic<"numFolded", "num-folded", "ops whose kv_b went outside">];
}
