// What a lathe.weight names in the checkpoint, as matrices to be packed.
#pragma once

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "backends/x86/pack/pack.h"
#include "ir/lathe/dialect.h"

namespace lathe::x86 {

// Gives the bytes of a tensor of the checkpoint by name; they stay valid while what was made of
// them is in use.
using TensorLookup = std::function<absl::StatusOr<absl::Span<const uint8_t>>(llvm::StringRef name)>;

// Matrices [rows of the file, columns], one for each expert of a stack, with the form that they are
// to be packed in. `rows` of the weight are cut where it is converted, not otherwise: a view of
// them can be packed. Fails with a diagnostic on the op.
mlir::FailureOr<std::vector<SourceMatrix>> weightSources(ir::WeightOp op,
                                                         const TensorLookup &lookup);

// The kernels' number of a float type.
Format::Kind formatOf(mlir::Type element);

} // namespace lathe::x86
