// What `lathe inspect` asks of the compiler.
#include "absl/strings/str_cat.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

#include "backends/x86/costs.h"
#include "base/status.h"
#include "ir/lathe/dialect.h"
#include "models/import.h"
#include "models/report.h"
#include "passes/pipeline.h"
#include "tools/compiler/compile.h"
#include "tools/compiler/diagnostics.h"
#include "tools/compiler/targets.h"

namespace lathe::compiler {
namespace {

// Values wear the names of their places in the model, "%layers.3.self_attn".
std::string printed(mlir::ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream, mlir::OpPrintingFlags().printNameLocAsPrefix());
  return text;
}

// {"family": "llama", "layers": {"count": 4}} as lines of "family: llama", indented.
void appendLines(const nlohmann::ordered_json &value, int depth, std::string &text) {
  std::string indent(2 * depth, ' ');
  for (const auto &[key, child] : value.items()) {
    std::string label = value.is_array() ? "- " : absl::StrCat(key, ": ");
    if (child.is_structured() && !child.empty()) {
      absl::StrAppend(&text, indent, value.is_array() ? "-" : absl::StrCat(key, ":"), "\n");
      appendLines(child, depth + 1, text);
    } else {
      std::string shown = child.is_string()       ? child.get<std::string>()
                          : child.is_structured() ? "none"
                                                  : child.dump();
      absl::StrAppend(&text, indent, label, shown, "\n");
    }
  }
}

} // namespace

absl::StatusOr<std::string> describeCheckpoint(const std::string &folder, bool json) {
  LATHE_ASSIGN_OR_RETURN(frontend::Checkpoint checkpoint, frontend::Checkpoint::open(folder));
  LATHE_ASSIGN_OR_RETURN(nlohmann::ordered_json report, models::fidelityReport(checkpoint));
  if (json)
    return report.dump(2) + "\n";
  std::string text;
  appendLines(report, 0, text);
  return text;
}

absl::StatusOr<std::string> checkpointIr(const std::string &folder, bool optimised) {
  LATHE_ASSIGN_OR_RETURN(frontend::Checkpoint checkpoint, frontend::Checkpoint::open(folder));
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  models::ImportOptions options;
  options.hash = false;
  LATHE_ASSIGN_OR_RETURN(auto module, models::importCheckpoint(context, checkpoint, options));
  CollectedDiagnostics diagnostics(context);
  if (optimised) {
    LATHE_ASSIGN_OR_RETURN(auto levels, chooseTargets({}, /*integer_rows=*/false));
    x86::setCosts(*module, levels);
    if (failed(passes::optimise(*module, {})))
      return diagnostics.status(folder);
  }
  return printed(*module);
}

absl::StatusOr<std::string> printBytecode(absl::string_view bytecode) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  context.loadDialect<mlir::func::FuncDialect, ir::LatheDialect>();
  CollectedDiagnostics diagnostics(context);
  auto buffer = llvm::MemoryBuffer::getMemBufferCopy({bytecode.data(), bytecode.size()}, "ir");
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(buffer), llvm::SMLoc());
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(sources, &context);
  return module ? absl::StatusOr<std::string>(printed(*module))
                : diagnostics.status("reading the IR");
}

} // namespace lathe::compiler
