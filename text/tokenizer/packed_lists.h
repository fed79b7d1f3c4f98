// The two long lists of a tokenizer.json, read at memory speed when they are spelt as usual.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "text/tokenizer/document.h"

namespace lathe::text {

// Reads model.vocab and model.merges into `document` and returns the rest of the text, with null in
// their places. nullopt when anything at all is unusual (a wrong type, a rare escape, a key that
// stands twice, a list over its limit): then `document` is as it was, and the general reader says
// what is wrong, or reads it more slowly.
std::optional<std::string> takePackedLists(absl::string_view text, Document &document);

} // namespace lathe::text
