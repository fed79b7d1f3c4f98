// Checks that validate.cpp and validate_target.cpp share. Private to this folder.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "artifact/manifest.h"

namespace lathe::artifact {

inline constexpr uint64_t kMaxBytes = uint64_t{1} << 48; // of any buffer or state
inline constexpr size_t kMaxName = 512;                  // bytes of a name

template <typename... Parts> absl::Status wrong(const Parts &...parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

// Not empty, at most kMaxName bytes of UTF-8, no control characters: a name can be quoted in errors
// and in JSON as it is. `what` is the field, for the error.
absl::Status validateName(absl::string_view what, const std::string &name);

// The same, but it may be empty.
absl::Status validateText(absl::string_view what, const std::string &text);

// At most `limit` of them. Lists of strangers are bounded before one is searched for each element
// of another.
absl::Status validateLength(absl::string_view what, size_t count, size_t limit);

// [offset, offset + size) within [0, limit), without overflow.
absl::Status validateRange(absl::string_view what, uint64_t offset, uint64_t size, uint64_t limit);

// Targets with their weights, buffers and calls. The manifest's sections are valid already.
absl::Status validateTargets(const Manifest &manifest);

} // namespace lathe::artifact
