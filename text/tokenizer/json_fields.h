// Reading the small parts of a tokenizer.json: typed fields whose errors name file, path and type.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include <nlohmann/json.hpp>

namespace lathe::text {

using Json = nlohmann::ordered_json;

// One value of a JSON document and the way to it. Borrows the value, which must outlive it.
// An error reads `tokenizer.json: added_tokens[3].id: is a string; should be an integer ...`.
class JsonField {
public:
  JsonField(const Json &value, std::string source, std::string path = "")
      : value_(&value), source_(std::move(source)), path_(std::move(path)) {}

  const Json &value() const { return *value_; }

  // True when the key is there and not null. False on what is not an object.
  bool has(absl::string_view key) const;
  absl::StatusOr<JsonField> member(absl::string_view key) const;
  absl::StatusOr<std::vector<JsonField>> list(absl::string_view key) const;
  absl::StatusOr<std::vector<JsonField>> elements() const;

  absl::StatusOr<std::string> string(absl::string_view key) const;
  // A text of exactly one character.
  absl::StatusOr<std::string> character(absl::string_view key) const;
  absl::StatusOr<bool> boolean(absl::string_view key) const;
  absl::StatusOr<bool> boolean(absl::string_view key, bool when_absent) const;
  absl::StatusOr<int64_t> integer(absl::string_view key, int64_t least, int64_t most) const;

  absl::Status wrong(absl::string_view what) const;

private:
  const Json *value_;
  std::string source_, path_;
};

} // namespace lathe::text
