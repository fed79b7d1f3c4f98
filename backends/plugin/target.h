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
};

struct Answer {
  bool takes = false;
  double seconds = 0; // finite, 0 where unknown
  std::string text;   // "shape_limit: head_dim 576 is more than 512"; of a yes: what is converted
};

// For steps of `rows` rows that see `keys` keys. An error of the plugin's.
absl::StatusOr<Answer> ask(const Target &target, const lathe_op &op, int64_t rows, int64_t keys);

} // namespace lathe::plugin
