// MLIR reports by diagnostics, the driver by statuses: this is the border.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "mlir/IR/Diagnostics.h"

namespace lathe::compiler {

// Collects the errors that a context reports while the object lives; notes and warnings are left
// out.
class CollectedDiagnostics {
public:
  explicit CollectedDiagnostics(mlir::MLIRContext &context);

  // INTERNAL with `what` and the errors collected so far, the first one first.
  absl::Status status(llvm::StringRef what) const;

private:
  std::string errors_;
  mlir::ScopedDiagnosticHandler handler_;
};

} // namespace lathe::compiler
