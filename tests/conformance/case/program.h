// A case as IR, with everything that it reads: weights as a checkpoint would hold them, and the
// inputs of each step.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include "backends/reference/weights.h"
#include "tests/conformance/case/case.h"
#include "tests/conformance/case/fill.h"
#include "tests/conformance/case/measure.h"
#include "tests/conformance/case/tensor.h"

namespace lathe::conformance {

// Where rows of numbers that a case begins with come from. Code of the host's CPU is entered as a
// model's step is, with tokens and no rows: there they are looked up in a table first.
enum class RowsFrom { arguments, table };

// An argument of the functions that is no cache.
struct Input {
  std::string name;
  std::function<reference::Value(size_t step)> value;
};

// A result of the functions that is no cache.
struct Result {
  int64_t columns = 1;
  int64_t constant_rows = 0; // 0: as many as the step has, times the factor
  int64_t row_factor = 1;
  bool is_output_rows = false;
  bool is_indices = false;
  Measure measure;

  int64_t rowsIn(const Step &step) const {
    return constant_rows ? constant_rows
                         : row_factor * (is_output_rows ? step.output_rows : step.rows);
  }
};

class Program {
public:
  // INTERNAL: the case makes IR that does not verify. `place` is unique among the programs that are
  // compiled together; names of weights begin with it.
  static absl::StatusOr<std::unique_ptr<Program>> make(mlir::MLIRContext &context, const Case &spec,
                                                       RowsFrom rows_from, uint64_t seed,
                                                       const std::string &place);

  const Case &spec() const { return spec_; }
  mlir::ModuleOp module() const { return *module_; }
  // @decode or @prefill.
  mlir::func::FuncOp functionOf(const Step &step) const;
  static const char *functionName(const Step &step) {
    return step.rows == 1 ? "decode" : "prefill";
  }

  const std::vector<Input> &inputs() const { return inputs_; }
  const std::vector<Result> &results() const { return results_; }
  // The bytes of a tensor; NOT_FOUND where no weight names it.
  absl::StatusOr<absl::Span<const uint8_t>> bytes(llvm::StringRef tensor) const;
  const std::map<std::string, Tensor> &tensors() const { return tensors_; }
  // Whether the functions return their results side by side, as one.
  bool joinsResults() const { return rows_from_ == RowsFrom::table; }
  std::vector<reference::Tensor> split(const reference::Tensor &joined) const;
  // Empty, or why no program of the host's CPU can be entered with this case's inputs.
  const std::string &unfitForTable() const { return unfit_; }

private:
  friend class Body;
  Program(const Case &spec, RowsFrom rows_from, uint64_t seed, std::string place)
      : spec_(spec), rows_from_(rows_from), seed_(seed), place_(std::move(place)) {}
  absl::Status build(mlir::MLIRContext &context);
  reference::Noise noise(const std::string &name, size_t step = 0) const;
  // Slots and positions of the rows of a step: in turn.
  std::vector<int32_t> slots(size_t step) const;
  std::vector<int32_t> positions(size_t step) const;
  int64_t rowsBefore(size_t step) const;

  const Case &spec_;
  RowsFrom rows_from_;
  uint64_t seed_;
  std::string place_;
  mlir::OwningOpRef<mlir::ModuleOp> module_;
  std::vector<Input> inputs_;
  std::vector<Result> results_;
  std::map<std::string, Tensor> tensors_;
  std::string unfit_;
};

// Weights of a program, for the interpreter.
class ProgramWeights : public reference::StoredWeights {
public:
  explicit ProgramWeights(const Program &program) : program_(program) {}

protected:
  mlir::FailureOr<reference::StoredTensor> find(ir::WeightOp op,
                                                ir::TensorRefAttr reference) override;

private:
  const Program &program_;
};

} // namespace lathe::conformance
