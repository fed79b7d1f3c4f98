def PlanState : Pass<"lathe-plan-state", "::mlir::ModuleOp"> {
  let summary = "Place the caches in the state";
  let description = [{
    Every cache argument gets `lathe.state_offset`, in the order of the arguments, 64-byte aligned; the
    function gets `lathe.state_bytes`. A cache needs `lathe.cache_bytes`, which a backend sets, or else what
    its type says. All steps run on one state, so `@decode`, `@few` and `@prefill` must come out alike.
    Left alone: arguments that are no caches, and every op: caches are updated where they stand.
  }];
  let statistics = [Statistic<"numPlaced", "num-placed", "caches placed">];
}

def PlanBuffers : Pass<"lathe-plan-buffers", "::mlir::func::FuncOp"> {
  let summary = "Place results and scratch in one arena";
  let description = [{
    Memory of a step is one block, its size known before it runs. A result lives from its op to its last
    use, scratch during its op, and what never lives together may share bytes: the largest buffers are placed
    first, each into the smallest gap that fits. `slice` is a view: it has no memory and keeps its input alive.
    Reads `result_bytes` and `scratch_bytes` (see `plan/sizes.h` where they are absent); sets `arena_offsets`,
    one entry a result and -1 where none, `scratch_offset`, and `lathe.arena_bytes` on the function.
    Left alone: weights, slices, caches and what is returned, which have no memory of the arena; the order
    of the ops.
  }];
  let statistics = [Statistic<"numBuffers", "num-buffers", "buffers placed">];
}

def VerifyPlan : Pass<"lathe-verify-plan", "::mlir::ModuleOp"> {
  let summary = "Check that no buffer is overwritten while it is needed";
  let description = [{
    Plays each function op by op: results and scratch claim their bytes, and operands must still own theirs.
    Knows nothing of lifetimes, so it can catch a planner that has them wrong. Checks alignment and bounds, that
    caches do not overlap, and that `@decode` and `@prefill` have one state. Changes nothing.
  }];
  let statistics = [Statistic<"numChecked", "num-checked", "reads that found their bytes">];
}
