// The bytes of a weight as the program's type of it says, read in pieces out of the checkpoint.
#pragma once

#include <vector>

#include "absl/status/status.h"

#include "backends/x86/weight_sources.h"
#include "ir/lathe/dialect.h"

namespace lathe::plugin {

// Not thread-safe. Memory: the rows that a piece touches, where they are converted.
class ConstantReader {
public:
  explicit ConstantReader(x86::TensorLookup lookup) : lookup_(std::move(lookup)) {}

  // `scales` false: elements or codes (i4: two a byte, the lower half first); true: scales.
  // Row-major; `size` bytes from `offset` on go to `destination`. INVALID_ARGUMENT: beyond the end,
  // scales of what has none, a weight that its tensors do not fit.
  absl::Status read(ir::WeightOp weight, bool scales, uint64_t offset, uint64_t size,
                    void *destination);

private:
  absl::Status choose(ir::WeightOp weight);

  x86::TensorLookup lookup_;
  ir::WeightOp weight_; // whose matrices these are
  std::vector<x86::SourceMatrix> matrices_;
};

} // namespace lathe::plugin
