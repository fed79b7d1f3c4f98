// A plugin's target, and what it says of an op.
#pragma once

#include <string>

#include "absl/status/statusor.h"

#include "runtime/abi/plugin.h"

namespace lathe::plugin {

// Borrowed.
struct Target {
  std::string name; // "npu:ascend-910b"
  const lathe_compile_api *api;
  const lathe_target *handle;
  double transfer_bandwidth = 0, transfer_seconds = 0;
  uint32_t takes = LATHE_TAKES_PARTITIONS;   // bits of LATHE_TAKES_*
  int64_t tile_rows = 16, tile_columns = 64; // of kernels, at most

  // It is shown kernels over tiles and nothing else, whatever other bits there are.
  bool takesTiles() const { return (takes & LATHE_TAKES_TILES) != 0; }
  // It is shown ops of the model.
  bool takesOps() const { return (takes & (LATHE_TAKES_OPS | LATHE_TAKES_PARTITIONS)) != 0; }
  // Each function that it is given has a single op beside weights.
  bool takesSingleOps() const {
    return takesOps() && !takesTiles() && !(takes & LATHE_TAKES_PARTITIONS);
  }
};

// As the plugin gave it.
struct Answer {
  uint32_t verdict = LATHE_SUPPORT_NO,
           reason = LATHE_REASON_NONE; // LATHE_SUPPORT_*, LATHE_REASON_*
  double seconds = 0;
  std::string text; // "head_dim 576 is more than 512"; as much of it as a line has room for
  uint32_t converted_to = LATHE_ELEMENT_NONE;

  bool takes() const { return verdict == LATHE_SUPPORT_YES || verdict == LATHE_SUPPORT_CONVERTED; }
  // Finite, 0 where it is not taken or nobody knows.
  double cost() const;
  // Of a refusal "REASON: text", of a yes what is converted, or empty.
  std::string why() const;
};

// Whether a refusal may have it: one of the header's, or of a vendor's own.
bool isReason(uint32_t reason);

// "bf16", "e4m3"; empty of NONE and of what is not known.
std::string elementName(uint32_t element);

struct Question {
  const lathe_op *op;
  int64_t rows, keys; // of a step, and that a row sees of a cache
  int64_t points = 0; // of the grid of a launch, for it and for the ops of its kernel
};

// An error of the plugin's.
absl::StatusOr<Answer> ask(const Target &target, const Question &question);

} // namespace lathe::plugin
