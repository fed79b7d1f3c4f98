def PlaceOps : Pass<"lathe-place-ops", "::mlir::ModuleOp"> {
  let summary = "Choose for each op the target that runs it";
  let description = [{
    Backends have written on each op what each target offers (`partition/offers.h`): seconds, or why it does
    not take the op. All ops begin on the home target. Then, target by target, those ops go over that make the
    steps of an expected conversation fastest, transfers counted: the cheapest cut of a graph whose nodes
    are ops and whose edges are values. What runs elsewhere gets `lathe.place`.

    `rules` overrides: `expert_ffn=x86,layers.0/*=npu:x,*=npu:ascend-910b`, the first that matches an op
    holds. A pattern with `*` is compared with the op's name, and with its place in the model before it. A fused
    op answers to the names of its parts, too. An op whose target refuses it stays at home.
    Ops of one cache go together, in all steps. To a target that takes single ops (`"each_op"` in
    `lathe.transfers`) all rows of each op go and come back. Left alone: weights, and modules without offers.
  }];
  let options = [Option<"rules", "rules", "std::string", "\"\"", "PATTERN=TARGET, comma separated">];
  let statistics = [Statistic<"numPlaced", "num-placed", "ops that left home">];
}

def OrderParts : Pass<"lathe-order-parts", "::mlir::func::FuncOp"> {
  let summary = "Bring the ops of one target together";
  let description = [{
    Ops of one target that can follow each other become one part: the function is put into an order in which
    targets change as seldom as a greedy walk finds, and each op away from home gets `lathe.part`, the
    number of its part, rising. Results that leave no part need no memory at home: their `result_bytes` is 0.
    On a target that takes single ops each op is a part.
    Left alone: functions all of whose ops are at home, and the order within a part.
  }];
  let statistics = [Statistic<"numParts", "num-parts", "parts away from home">];
}
