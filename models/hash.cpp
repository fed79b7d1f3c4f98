#include "models/hash.h"

#include "llvm/ADT/MapVector.h"

#include "base/status.h"
#include "ir/lathe/dialect.h"

namespace lathe::models {

namespace {

using References = llvm::MapVector<ir::TensorRefAttr, ir::TensorRefAttr>; // without and with hash

void collect(mlir::ArrayAttr references, References &all) {
  for (auto reference : references.getAsRange<ir::TensorRefAttr>())
    all.insert({reference, {}});
}

mlir::ArrayAttr replaced(mlir::ArrayAttr references, const References &all) {
  llvm::SmallVector<mlir::Attribute> hashed;
  for (auto reference : references.getAsRange<ir::TensorRefAttr>())
    hashed.push_back(all.lookup(reference));
  return mlir::ArrayAttr::get(references.getContext(), hashed);
}

// In the order of the files, so that a disk is read from front to back.
std::vector<const frontend::Tensor *> tensorsOf(const References &all,
                                                const frontend::Checkpoint &checkpoint) {
  std::vector<const frontend::Tensor *> tensors;
  for (const auto &[reference, unused] : all)
    tensors.push_back(checkpoint.find(reference.getName().str()));
  std::sort(tensors.begin(), tensors.end(), [](const auto *a, const auto *b) {
    return std::tie(a->file, a->offset) < std::tie(b->file, b->offset);
  });
  return tensors;
}

absl::Status hashAll(References &all, const frontend::Checkpoint &checkpoint,
                     mlir::MLIRContext *context, const Progress &progress) {
  const std::vector<const frontend::Tensor *> tensors = tensorsOf(all, checkpoint);
  uint64_t done = 0, total = 0;
  for (const frontend::Tensor *tensor : tensors)
    total += tensor->bytes.size();
  for (const frontend::Tensor *tensor : tensors) {
    if (progress && !progress(done, total))
      return absl::CancelledError(absl::StrCat(checkpoint.folder(), ": import was cancelled"));
    const std::string hash = frontend::hexText(checkpoint.contentHash(*tensor));
    all[ir::TensorRefAttr::get(context, tensor->name, "")] =
        ir::TensorRefAttr::get(context, tensor->name, hash);
    done += tensor->bytes.size();
  }
  if (progress)
    progress(done, total);
  return absl::OkStatus();
}

} // namespace

absl::Status hashWeights(mlir::ModuleOp module, const frontend::Checkpoint &checkpoint,
                         const Progress &progress) {
  References all;
  module.walk([&](ir::WeightOp op) {
    collect(op.getSources(), all);
    if (op.getScales())
      collect(*op.getScales(), all);
  });
  LATHE_RETURN_IF_ERROR(hashAll(all, checkpoint, module.getContext(), progress));
  module.walk([&](ir::WeightOp op) {
    op.setSourcesAttr(replaced(op.getSources(), all));
    if (op.getScales())
      op.setScalesAttr(replaced(*op.getScales(), all));
  });
  return absl::OkStatus();
}

} // namespace lathe::models
