// Which packed copies of the weights the code needs, where each stands, and how to make it. One
// plan serves all feature levels and all steps: equal content in an equal layout is stored once.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "mlir/IR/Value.h"

#include "backends/x86/weight_sources.h"
#include "ir/lathe/dialect.h"

namespace lathe::x86 {

struct MatrixWeight {
  int64_t operand = 0; // of the first matrix of a stack
  WeightParams params{};
};

struct TableWeight {
  int64_t operand = 0;
  WeightParams params{};
  bool tiled = false; // the head's packed copy serves (tied embeddings)
};

// A matrix for each head: rows [offset, offset + rows) of every `period` rows.
struct HeadView {
  int64_t heads, period, offset, rows;
  bool is_transposed = false;

  HeadView transposed() const { return {heads, period, offset, rows, true}; }
};

// A packed copy in the weights section.
struct PackedCopy {
  std::string name;   // the IR's name of the weight; unique: a further copy has its key behind it
  std::string layout; // "tile16xbf16", "rows_bf16", "vector_f32"
  uint64_t offset = 0, size = 0;
};

class WeightPlan {
public:
  explicit WeightPlan(TensorLookup lookup) : lookup_(std::move(lookup)) {}

  // Each takes a value that a lathe.weight defines and fails with a diagnostic on that op.
  mlir::FailureOr<MatrixWeight> matrix(mlir::Value weight); // rank 2, or a stack of rank 3
  mlir::FailureOr<MatrixWeight> heads(mlir::Value weight, const HeadView &view);
  mlir::FailureOr<TableWeight> table(mlir::Value weight);
  mlir::FailureOr<int64_t> vector(mlir::Value weight); // as f32; the operand

  const std::vector<PackedCopy> &copies() const { return copies_; }
  uint64_t bytes() const { return bytes_; }

  // Writes all copies in order, `bytes()` in all, made by `threads` threads; bytes do not depend on
  // their number. `packed` is told after each copy, with the tensors that it was read from: their
  // pages may be released then. A false answer cancels. Both are called by one thread at a time.
  using Packed = std::function<bool(const PackedCopy &, const std::vector<std::string> &sources)>;
  absl::Status pack(const PackSink &sink, const Packed &packed, size_t threads = 1) const;

private:
  enum class Kind { tiles, rows, vector };
  struct Recipe { // how a copy is made
    Kind kind;
    std::vector<SourceMatrix> sources;
    MatrixView view;
    TileLayout layout;
  };

  mlir::FailureOr<MatrixWeight> tiles(mlir::Value weight, const MatrixView *view);
  static absl::StatusOr<std::vector<PackPart>> partsOf(const Recipe &recipe);
  PackPart paddingBehind(size_t copy) const;
  int64_t addCopy(ir::WeightOp op, const std::string &key, PackedCopy copy, Recipe recipe);

  TensorLookup lookup_;
  std::vector<PackedCopy> copies_;
  std::vector<Recipe> recipes_; // beside copies_
  std::map<std::string, size_t> index_;
  std::set<std::string> names_;
  uint64_t bytes_ = 0;
};

} // namespace lathe::x86
