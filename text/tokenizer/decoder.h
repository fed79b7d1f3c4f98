// The decoder of a tokenizer.json: the tokens of some ids to text.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "text/tokenizer/json_fields.h"

namespace lathe::text {

// A list of steps, each of them one of: ByteLevel, ByteFallback, Fuse, Metaspace, Replace, Strip,
// BPEDecoder; Sequence is flattened. Thread-safe.
class Decoder {
public:
  Decoder() = default; // puts a space between tokens
  // Refuses other types by name.
  static absl::StatusOr<Decoder> read(const JsonField &field);

  // The tokens' text, valid UTF-8. Fails when a regex gives up or a Replace grows without bound.
  absl::StatusOr<std::string> apply(std::vector<std::string> tokens) const;

  using Step = std::function<absl::Status(std::vector<std::string> &)>;

private:
  bool given_ = false;
  std::vector<Step> steps_;
};

} // namespace lathe::text
