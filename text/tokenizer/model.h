// What turns a piece of text into ids. Implemented by Bpe and Unigram.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace lathe::text {

class Model {
public:
  virtual ~Model() = default;
  // Appends the ids of a valid, non-empty piece. Thread-safe.
  virtual absl::Status encode(absl::string_view piece, std::vector<int32_t> &ids) const = 0;
};

} // namespace lathe::text
