#include "tools/compiler/diagnostics.h"

#include "absl/strings/str_cat.h"

namespace lathe::compiler {

CollectedDiagnostics::CollectedDiagnostics(mlir::MLIRContext &context)
    : handler_(&context, [this](mlir::Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Error)
          return mlir::success();
        llvm::raw_string_ostream stream(errors_);
        if (!errors_.empty())
          stream << "; ";
        if (auto name = mlir::dyn_cast<mlir::NameLoc>(diagnostic.getLocation()))
          stream << name.getName().getValue() << ": ";
        stream << diagnostic;
        return mlir::success();
      }) {}

absl::Status CollectedDiagnostics::status(llvm::StringRef what) const {
  return absl::InternalError(
      absl::StrCat(what.str(), ": ", errors_.empty() ? "failed without a reason" : errors_));
}

} // namespace lathe::compiler
