// The normalizer of a tokenizer.json: text to text, before anything is cut.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "text/tokenizer/json_fields.h"

namespace lathe::text {

// A text and how much of its beginning comes from the first character of what the user wrote:
// Metaspace's prepend scheme "first" asks for that. 0 when that character is not in here.
struct SourcedText {
  std::string text;
  size_t from_first = 0; // bytes
};

// A list of steps, each of them one of: NFC, NFD, NFKC, NFKD, Lowercase, Prepend, Replace, Strip,
// StripAccents, Nmt, Precompiled, ByteLevel; Sequence is flattened. Thread-safe.
class Normalizer {
public:
  Normalizer() = default; // changes nothing
  // Refuses other types by name.
  static absl::StatusOr<Normalizer> read(const JsonField &field);

  // `text` is valid UTF-8 and stays so. Fails when a regex gives up, and when the text grows over
  // 16 MiB and 32 times its length.
  absl::Status apply(SourcedText &text) const;

  bool empty() const { return steps_.empty(); }

  using Step = std::function<absl::Status(SourcedText &)>;

private:
  std::vector<Step> steps_;
};

// The most bytes that a text of `size` bytes may grow to.
size_t growthLimit(size_t size);

} // namespace lathe::text
