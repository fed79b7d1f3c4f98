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
  bool takes_tiles = false; // then it is shown kernels over tiles of at most these, and nothing else
  int64_t tile_rows = 16, tile_columns = 64;
};

struct Answer {
  bool takes = false;
  double seconds = 0; // finite, 0 where unknown
  std::string text;   // "shape_limit: head_dim 576 is more than 512"; of a yes: what is converted
};

struct Question {
  const lathe_op *op;
  int64_t rows, keys; // of a step, and that a row sees of a cache
  int64_t points = 0; // of the grid of a launch, for it and for the ops of its kernel
};

// An error of the plugin's.
absl::StatusOr<Answer> ask(const Target &target, const Question &question);

} // namespace lathe::plugin
