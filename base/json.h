// JSON as it comes from strangers: bounded in depth, with errors that name the file and the place.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include <nlohmann/json.hpp>

namespace lathe {

// `source` is the name used in errors (a path). Nesting deeper than `max_depth` is refused, and so
// are a key that stands twice in one object, an object of more than kMaxJsonKeys keys, and a text
// that is not UTF-8. Keys keep their order. No error is longer than some 400 bytes beside the
// source.
inline constexpr size_t kMaxJsonKeys = 10'000; // a key is found by walking over those before it

absl::StatusOr<nlohmann::ordered_json> parseJson(absl::string_view text, absl::string_view source,
                                                 int max_depth = 64);

} // namespace lathe
