// The passes in their order: what the compile driver calls.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "mlir/IR/BuiltinOps.h"

namespace lathe::passes {

struct Options {
  std::string activations = "f32"; // "f32", "bf16", "w8a8"
  std::string weights;             // of products: "bf16", "fp8", "q8_0", "q4_0"; empty: as in the
                                   // checkpoint
  std::string mla_form;            // forces "materialised" or "absorbed"; empty: the cost model
                                   // chooses for each step
  int64_t prefill_chunk = 0;       // rows that a prefill step takes at most; 0: chosen by cost;
                                   // never above max_context
  bool native_fp8 = true;          // the targets have kernels for weights of codes
  std::string place;               // PATTERN=TARGET, ...: overrides costs; see --lathe-place-ops
};

// Sees the module after each stage: "canonical", "quantize", "specialise", "attention", "fuse",
// "legalise", "partition", "plan".
using StageHook = std::function<void(llvm::StringRef stage, mlir::ModuleOp module)>;

// Portable IR with @step becomes @decode, @prefill and, where it pays, @few, ready for a backend to say what memory its
// ops need. Fails with a diagnostic; the module is then half way and good for reading only.
mlir::LogicalResult optimise(mlir::ModuleOp module, const Options &options,
                             const StageHook &after = {});

// Which target runs what (see partition/offers.h): after optimise, before plan.
mlir::LogicalResult partition(mlir::ModuleOp module, const std::string &rules,
                              const StageHook &after = {});

// Parts of a target that takes tiles: their ops become kernels, and kernels one where they can. What
// has no form in tiles stays. `fused` false: a kernel for each op, as targets are asked about them.
mlir::LogicalResult tiles(mlir::ModuleOp parts, int64_t rows, int64_t columns, bool fused = true);

// Places caches and buffers. The backend has marked ops with `result_bytes` and `scratch_bytes` and
// caches with `lathe.cache_bytes`; plan/sizes.h says what is taken where it has not.
mlir::LogicalResult plan(mlir::ModuleOp module, const StageHook &after = {});

// For lathe-opt: every pass as --lathe-NAME, and --lathe-optimise,
// --lathe-partition and --lathe-plan.
void registerPasses();

} // namespace lathe::passes
