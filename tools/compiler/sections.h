// Sections of an artifact that do not depend on a target: the checkpoint's texts, IR, weights.
#pragma once

#include "absl/status/status.h"
#include "mlir/IR/BuiltinOps.h"

#include "artifact/writer.h"
#include "backends/x86/weight_plan.h"
#include "frontend/checkpoint.h"
#include "tools/compiler/api.h"

namespace lathe::compiler {

absl::StatusOr<std::string> bytecodeOf(mlir::ModuleOp module);

// tokenizer.json and its kin, those that the checkpoint has.
absl::Status addTexts(artifact::ArtifactWriter &writer, const frontend::Checkpoint &checkpoint);

// weights.0, streamed. CANCELLED when `options.cancelled` turns true.
absl::Status addWeights(artifact::ArtifactWriter &writer, const x86::WeightPlan &weights,
                        const frontend::Checkpoint &checkpoint, const CompileOptions &options);

// The threads that `options` asks for.
size_t threadsOf(const CompileOptions &options);

} // namespace lathe::compiler
