// Which files of a checkpoint folder hold weights: one model.safetensors, or the shards that
// model.safetensors.index.json names.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace lathe::frontend {

struct WeightIndex {
  // Plain names of files in the folder, sorted, each once.
  std::vector<std::string> files;
  // (tensor, position in `files`), sorted by tensor. Empty when there is no index.
  std::vector<std::pair<std::string, uint32_t>> tensors;
  // What named the files, for errors: the path of the index or of model.safetensors.
  std::string source;
  bool sharded = false;
};

// Reads the text of an index. Refuses names that leave the folder, double tensors, other shapes.
absl::StatusOr<WeightIndex> parseWeightIndex(absl::string_view text, absl::string_view source);

// Finds the weights of a folder. An index wins over a model.safetensors beside it only if
// model.safetensors is one of its shards or is absent; both at once is an error, since they may
// differ.
absl::StatusOr<WeightIndex> findWeights(const std::string &folder);

} // namespace lathe::frontend
