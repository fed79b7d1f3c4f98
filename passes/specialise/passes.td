def SpecialiseSteps : Pass<"lathe-specialise-steps", "::mlir::ModuleOp"> {
  let summary = "Make @decode, @few and @prefill out of @step";
  let description = [{
    Every decision from here on depends on how many rows a step has. `@decode` has one, a constant in its
    types; `@prefill` keeps `?` and has at most `lathe.max_rows`, a number on the function, for which
    memory is planned. `output_rows` stays open in both. The chunk is the smallest of those whose cost for a
    prompt of usual length is within 2 % of the best that leaves the arena small beside the weights
    (`cost/prefill.h`, at the rates of `lathe.costs`); all costs are recorded. Where latent attention would be
    materialised in `@prefill`, there is `@few`, too, a copy for at most as many rows as the absorbed form clearly
    gains for (`few_rows.h`): the end of a prompt and the next message of a conversation, behind a long context.
    ```mlir
    func.func @step(%tokens: tensor<?xi32>, ...)    // becomes
    func.func @decode(%tokens: tensor<1xi32>, ...) attributes {lathe.max_rows = 1 : i64}
    func.func @few(%tokens: tensor<?xi32>, ...) attributes {lathe.max_rows = 32 : i64}
    func.func @prefill(%tokens: tensor<?xi32>, ...) attributes {lathe.max_rows = 256 : i64}
    ```
    Left alone: every function that is not `@step`. Fails on a `@step` that does not take (tokens, slots,
    positions, output_rows, caches), and where `@decode`, `@few` or `@prefill` exist already.
  }];
  let options = [Option<"prefillChunk", "prefill-chunk", "int64_t", "0",
                        "rows that one prefill step takes at most; 0: chosen; never above max_context">,
                 Option<"fewRows", "few-rows", "int64_t", "0",
                        "rows that a step of few takes at most; 0: chosen; 1: there is no such step">,
                 Option<"activations", "activations", "std::string", "\"f32\"",
                        "form that the rows of products will have, for the costs: f32, bf16 or w8a8">];
  let statistics = [Statistic<"numSpecialised", "num-specialised", "steps that became several">];
}
