// The tensors of a checkpoint as weights of the IR: found, checked against what config.json says,
// and counted, so that at the end every tensor is known to be used or known to be left aside.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "mlir/IR/BuiltinTypes.h"

#include "frontend/checkpoint.h"
#include "frontend/quantization_config.h"
#include "frontend/weight.h"

namespace lathe::models {

// What a lathe.weight needs. Sources and scales are #lathe.tensor_ref without a hash.
struct StoredWeight {
  std::string name;
  mlir::Type type;
  std::vector<mlir::Attribute> sources, scales;
  std::optional<std::pair<int64_t, int64_t>> rows; // cut from the sources
};

// Weights that are stored alike.
struct StoredAmount {
  int64_t tensors = 0;
  uint64_t bytes = 0; // with their scales
};

// Errors name file and tensor, and say what is there and what should be.
class Weights {
public:
  // The checkpoint, the config and the context must outlive the object.
  Weights(mlir::MLIRContext &context, const frontend::Checkpoint &checkpoint,
          const frontend::QuantizationConfig &quantization)
      : context_(context), checkpoint_(checkpoint), quantization_(quantization) {}

  // A tensor of floats of that name and shape: a norm, a bias, a table.
  absl::StatusOr<StoredWeight> floats(absl::string_view name, absl::Span<const int64_t> shape);
  // `MODULE.weight` [out, in], floats or codes with scales.
  absl::StatusOr<StoredWeight> linear(absl::string_view module, int64_t out, int64_t in);
  // One projection ("gate_proj", "up_proj", "down_proj") of `count` experts as a stack [count, out,
  // in]: from `MODULE.E.PROJECTION.weight`, or from the fused `MODULE.gate_up_proj` [count, 2 *
  // out, in], gate first, and `MODULE.down_proj`.
  absl::StatusOr<StoredWeight> experts(absl::string_view module, absl::string_view projection,
                                       int64_t count, int64_t out, int64_t in);

  bool has(absl::string_view name) const { return checkpoint_.find(name) != nullptr; }
  bool isUsed(const frontend::Tensor &tensor) const { return used_.contains(&tensor); }
  const frontend::Checkpoint &checkpoint() const { return checkpoint_; }
  const frontend::QuantizationConfig &quantization() const { return quantization_; }

  // Elements of all weights that were asked for, each tensor once, scales not counted.
  int64_t parameters() const { return parameters_; }
  // By "BF16", "F8_E4M3 with F32 scales for blocks of 128x128", ...
  const std::map<std::string, StoredAmount> &formats() const { return formats_; }

private:
  absl::StatusOr<StoredWeight> fusedExperts(absl::string_view fused, absl::string_view module,
                                            absl::string_view projection, int64_t count,
                                            int64_t out, int64_t in);
  mlir::Attribute reference(const frontend::Tensor &tensor) const;
  mlir::Type quantizedType(const frontend::Weight &weight) const;
  void use(const frontend::Weight &weight);

  mlir::MLIRContext &context_;
  const frontend::Checkpoint &checkpoint_;
  const frontend::QuantizationConfig &quantization_;
  absl::flat_hash_set<const frontend::Tensor *> used_;
  std::map<std::string, StoredAmount> formats_;
  int64_t parameters_ = 0;
};

} // namespace lathe::models
