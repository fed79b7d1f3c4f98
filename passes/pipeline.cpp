#include "passes/pipeline.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

#include "passes/passes.h"

namespace lathe::passes {

#define GEN_PASS_REGISTRATION
#include "passes/passes.h.inc"

namespace {

using mlir::OpPassManager;
using mlir::func::FuncOp;

// First of all, because every later pass compares values by identity: two references to one weight,
// or one sum spelt twice, must be one value by then.
void addCanonical(OpPassManager &passes, const Options &) {
  passes.addNestedPass<FuncOp>(createCanonicalForm());
}

// After equal weights are one, so that a table knows that it is the head, too. Before all others:
// costs depend on the bytes of weights, and fusing on their types.
void addQuantize(OpPassManager &passes, const Options &options) {
  passes.addNestedPass<FuncOp>(createQuantizeWeights({.weights = options.weights}));
}

// Before everything that decides, because every decision depends on the number of rows. A form that
// is forced is that of many rows and of few, and needs no step between.
void addSpecialise(OpPassManager &passes, const Options &options) {
  passes.addPass(createSpecialiseSteps({.prefillChunk = options.prefill_chunk,
                                        .fewRows = options.mla_form.empty() ? 0 : 1,
                                        .activations = options.activations}));
}

// The form first, then what follows from it. Before the fusions, so that the products which the
// absorbed form takes out of attention are there when products are looked at.
void addAttention(OpPassManager &passes, const Options &options) {
  passes.addNestedPass<FuncOp>(createChooseMlaForm({.form = options.mla_form}));
  passes.addNestedPass<FuncOp>(createFoldKvB());
}

// From the largest pattern to the smallest, since each takes products that the next would also
// take: a router away from fuse-linear, gate and up away from it, then what is left. In f32 still:
// once rows are cast or quantised, the products of one input no longer name the same value.
void addFuse(OpPassManager &passes, const Options &) {
  passes.addNestedPass<FuncOp>(createFuseExperts());
  passes.addNestedPass<FuncOp>(createFuseGatedLinear());
  passes.addNestedPass<FuncOp>(createFuseLinear());
}

// What the targets cannot do goes first: a weight that becomes floats wants no quantised rows. Then
// the form of the rows, for the fused ops as a whole, so that an input is converted once.
void addLegalise(OpPassManager &passes, const Options &options) {
  passes.addNestedPass<FuncOp>(
      createLegaliseFp8({.targetsFp8 = options.native_fp8 ? "native" : "none"}));
  passes.addNestedPass<FuncOp>(createLegaliseActivations({.activations = options.activations}));
}

// Where ops are says in which order they can run.
void addPartition(OpPassManager &passes, const Options &options) {
  passes.addPass(createPlaceOps({.rules = options.place}));
  passes.addNestedPass<FuncOp>(createOrderParts());
}

// State and buffers do not depend on each other. The check is a pass of the compiler and not of its
// tests: it costs milliseconds, and a wrong plan is the one mistake that no verifier of ops can
// see.
void addPlan(OpPassManager &passes, const Options &) {
  passes.addPass(createPlanState());
  passes.addNestedPass<FuncOp>(createPlanBuffers());
  passes.addPass(createVerifyPlan());
}

struct Stage {
  llvm::StringLiteral name;
  void (*add)(OpPassManager &, const Options &);
};

constexpr Stage kOptimise[] = {
    {"canonical", addCanonical}, {"quantize", addQuantize}, {"specialise", addSpecialise},
    {"attention", addAttention}, {"fuse", addFuse},         {"legalise", addLegalise}};
constexpr Stage kPartition[] = {{"partition", addPartition}};
constexpr Stage kPlan[] = {{"plan", addPlan}};

void addStages(OpPassManager &passes, llvm::ArrayRef<Stage> stages, const Options &options) {
  for (const Stage &stage : stages)
    stage.add(passes, options);
}

// A pass manager for each stage, so that the hook sees the module in between.
mlir::LogicalResult run(mlir::ModuleOp module, llvm::ArrayRef<Stage> stages, const Options &options,
                        const StageHook &after) {
  for (const Stage &stage : stages) {
    mlir::PassManager passes(module->getName());
    stage.add(passes, options);
    if (mlir::failed(passes.run(module)))
      return mlir::failure();
    if (after)
      after(stage.name, module);
  }
  return mlir::success();
}

// The flags of --lathe-optimise.
struct Flags : mlir::PassPipelineOptions<Flags> {
  Option<std::string> activations{*this, "activations", llvm::cl::desc("f32, bf16 or w8a8"),
                                  llvm::cl::init("f32")};
  Option<std::string> weights{*this, "weights",
                              llvm::cl::desc("bf16, fp8, q8_0 or q4_0; empty: as they are")};
  Option<std::string> mla_form{*this, "mla-form",
                               llvm::cl::desc("materialised or absorbed; empty: chosen")};
  Option<int64_t> prefill_chunk{*this, "prefill-chunk",
                                llvm::cl::desc("rows of a prefill step; 0: chosen"),
                                llvm::cl::init(0)};
  Option<bool> native_fp8{*this, "native-fp8",
                          llvm::cl::desc("the targets have kernels for weights of codes"),
                          llvm::cl::init(true)};
};

void addOptimise(OpPassManager &passes, const Flags &flags) {
  addStages(
      passes, kOptimise,
      {flags.activations, flags.weights, flags.mla_form, flags.prefill_chunk, flags.native_fp8});
}

} // namespace

mlir::LogicalResult optimise(mlir::ModuleOp module, const Options &options,
                             const StageHook &after) {
  return run(module, kOptimise, options, after);
}

mlir::LogicalResult partition(mlir::ModuleOp module, const std::string &rules,
                              const StageHook &after) {
  Options options;
  options.place = rules;
  return run(module, kPartition, options, after);
}

mlir::LogicalResult plan(mlir::ModuleOp module, const StageHook &after) {
  return run(module, kPlan, {}, after);
}

mlir::LogicalResult tiles(mlir::ModuleOp parts, int64_t rows, int64_t columns, bool fused) {
  mlir::PassManager passes(parts.getContext());
  LowerToTilesOptions sizes;
  sizes.rows = rows;
  sizes.columns = columns;
  passes.addPass(createLowerToTiles(sizes));
  if (fused)
    passes.addPass(createFuseTiles());
  return passes.run(parts);
}

void registerPasses() {
  registerLathePasses();
  mlir::PassPipelineRegistration<Flags>("lathe-optimise", "portable IR to everything but the plan",
                                        addOptimise);
  mlir::PassPipelineRegistration<>(
      "lathe-partition", "choose targets for ops and bring ops of one target together",
      [](OpPassManager &passes) { addStages(passes, kPartition, {}); });
  mlir::PassPipelineRegistration<>("lathe-plan", "place caches and buffers, and check the plan",
                                   [](OpPassManager &passes) { addStages(passes, kPlan, {}); });
}

} // namespace lathe::passes
