#include "tests/conformance/case/program.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "mlir/IR/Verifier.h"

#include "tests/conformance/case/body.h"
#include "tools/compiler/diagnostics.h"

namespace lathe::conformance {

using mlir::func::FuncOp;

absl::StatusOr<std::unique_ptr<Program>> Program::make(mlir::MLIRContext &context, const Case &spec,
                                                       RowsFrom rows_from, uint64_t seed,
                                                       const std::string &place) {
  std::unique_ptr<Program> program(new Program(spec, rows_from, seed, place));
  absl::Status built = program->build(context);
  if (!built.ok())
    return built;
  return program;
}

absl::Status Program::build(mlir::MLIRContext &context) {
  module_ = mlir::ModuleOp::create(mlir::UnknownLoc::get(&context));
  for (const Step &step : spec_.steps)
    if (!functionOf(step)) {
      Body body(*this, step);
      spec_.build(body);
      body.finish();
    }
  compiler::CollectedDiagnostics diagnostics(context);
  return mlir::succeeded(mlir::verify(*module_)) ? absl::OkStatus()
                                                 : diagnostics.status("the recipe's IR is wrong");
}

FuncOp Program::functionOf(const Step &step) const {
  return mlir::ModuleOp(*module_).lookupSymbol<FuncOp>(functionName(step));
}

absl::StatusOr<absl::Span<const uint8_t>> Program::bytes(llvm::StringRef tensor) const {
  auto found = tensors_.find(tensor.str());
  if (found == tensors_.end())
    return absl::NotFoundError(absl::StrCat("the case has no tensor ", tensor.str()));
  const llvm::ArrayRef<uint8_t> bytes = found->second.bytes();
  return absl::MakeConstSpan(bytes.data(), bytes.size());
}

std::vector<reference::Tensor> Program::split(const reference::Tensor &joined) const {
  std::vector<reference::Tensor> parts;
  int64_t offset = 0;
  for (const Result &result : results_) {
    reference::Tensor part({joined.rows(), result.columns});
    for (int64_t i = 0; i < joined.rows(); ++i)
      std::copy_n(joined.row(i) + offset, result.columns, part.row(i));
    offset += result.columns;
    parts.push_back(std::move(part));
  }
  return parts;
}

reference::Noise Program::noise(const std::string &name, size_t step) const {
  return reference::Noise(seed_, absl::StrCat(spec_.name, "|", name, "|", step));
}

std::vector<int32_t> Program::slots(size_t step) const {
  std::vector<int32_t> slots(spec_.steps[step].rows);
  for (size_t t = 0; t < slots.size(); ++t)
    slots[t] = static_cast<int32_t>(t % spec_.slots);
  return slots;
}

std::vector<int32_t> Program::positions(size_t step) const {
  std::vector<int32_t> next(spec_.slots), positions;
  for (size_t s = 0; s <= step; ++s) {
    positions.clear();
    for (int32_t slot : slots(s))
      positions.push_back(next[slot]++);
  }
  return positions;
}

int64_t Program::rowsBefore(size_t step) const {
  int64_t rows = 0;
  for (size_t s = 0; s < step; ++s)
    rows += spec_.steps[s].rows;
  return rows;
}

mlir::FailureOr<reference::StoredTensor> ProgramWeights::find(ir::WeightOp op,
                                                              ir::TensorRefAttr reference) {
  auto found = program_.tensors().find(reference.getName().str());
  if (found == program_.tensors().end())
    return op.emitOpError("the case has no tensor ") << reference.getName();
  const Tensor &tensor = found->second;
  return reference::StoredTensor{tensor.element(), llvm::SmallVector<int64_t>(tensor.shape()),
                                 tensor.bytes()};
}

} // namespace lathe::conformance
