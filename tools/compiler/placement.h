// A model on several devices: which plugin's target runs what, and the code that its compile half
// makes of it.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include "backends/plugin/compile.h"
#include "backends/plugin/constants.h"
#include "backends/plugin/program_view.h"
#include "backends/x86/level.h"
#include "frontend/checkpoint.h"
#include "passes/partition/parts.h"
#include "passes/pipeline.h"
#include "tools/compiler/api.h"

namespace lathe::compiler {

// What one target runs. Not movable: the view looks at the module, the code at the view.
struct OnTarget {
  OnTarget(plugin::Target target, mlir::OwningOpRef<mlir::ModuleOp> module, std::string bytecode,
           x86::TensorLookup lookup);

  plugin::Target target;
  mlir::OwningOpRef<mlir::ModuleOp> module; // a function for each part
  plugin::ConstantReader reader;
  plugin::ProgramView view;
  std::unique_ptr<plugin::Code> code;
};

struct Placement {
  mlir::OwningOpRef<mlir::ModuleOp> module;       // placed, ordered and planned
  std::vector<std::vector<passes::Part>> parts;   // of each step of the module
  std::vector<std::unique_ptr<OnTarget>> targets; // those that run something
};

// The targets of plugins among `names` ("npu:ascend-910b"), in their order, each once.
// INVALID_ARGUMENT names those that the plugins have.
absl::StatusOr<std::vector<plugin::Target>> pluginTargets(const CompileOptions &options);

// Of `optimised`, which stays as it is. Home is x86, at what `level` takes. Where nothing leaves
// home, there are no targets in it. A target that refuses in the end what it took op by op gets
// nothing, and options.note is told, unless the options insist on it.
absl::StatusOr<Placement> place(mlir::ModuleOp optimised, const x86::Level &level,
                                const std::vector<plugin::Target> &targets,
                                const frontend::Checkpoint &checkpoint,
                                const CompileOptions &options, const passes::StageHook &hook);

} // namespace lathe::compiler
