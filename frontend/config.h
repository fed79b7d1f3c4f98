// config.json, read so that no key which changes results is ignored: every key that is read is
// remembered, and finish() refuses what is left over.
//
// A reader is a cheap handle (copies share what was read). Not thread-safe. Errors are
// INVALID_ARGUMENT, and say file, key, what stands there, and what should:
//   config.json: key 'num_hidden_layers' is "abc"; it should be an integer from 1 to 10000
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include <nlohmann/json.hpp>

namespace lathe::frontend {

class ConfigReader {
public:
  using Json = nlohmann::ordered_json;

  // `source` is the name used in errors, usually the path.
  static absl::StatusOr<ConfigReader> parse(absl::string_view text, absl::string_view source);

  // Required keys: absent, null, of another type or out of range is an error. 7.0 is no integer;
  // 7 is a number. Ranges are inclusive. Numbers are finite always.
  absl::StatusOr<int64_t> integer(absl::string_view key, int64_t min, int64_t max) const;
  absl::StatusOr<double> number(absl::string_view key, double min, double max) const;
  absl::StatusOr<double> positiveNumber(absl::string_view key) const; // > 0, at most 1e30
  absl::StatusOr<bool> boolean(absl::string_view key) const;
  absl::StatusOr<std::string> string(absl::string_view key) const;

  // With a default: for an absent key. null counts as absent.
  absl::StatusOr<int64_t> integerOr(absl::string_view key, int64_t otherwise, int64_t min,
                                    int64_t max) const;
  absl::StatusOr<double> numberOr(absl::string_view key, double otherwise, double min,
                                  double max) const;
  absl::StatusOr<bool> booleanOr(absl::string_view key, bool otherwise) const;
  absl::StatusOr<std::string> stringOr(absl::string_view key, absl::string_view otherwise) const;

  // nullopt: absent or null.
  absl::StatusOr<std::optional<int64_t>> nullableInteger(absl::string_view key, int64_t min,
                                                         int64_t max) const;
  absl::StatusOr<std::optional<double>> nullableNumber(absl::string_view key, double min,
                                                       double max) const;
  absl::StatusOr<std::optional<bool>> nullableBoolean(absl::string_view key) const;
  absl::StatusOr<std::optional<std::string>> nullableString(absl::string_view key) const;

  // Lists; absent and null give an empty one. At most 1,000,000 elements.
  absl::StatusOr<std::vector<int64_t>> integers(absl::string_view key, int64_t min,
                                                int64_t max) const;
  absl::StatusOr<std::vector<double>> numbers(absl::string_view key, double min, double max) const;
  absl::StatusOr<std::vector<std::string>> strings(absl::string_view key) const;

  // A nested object, in which reads are remembered too; nullopt: absent or null.
  absl::StatusOr<std::optional<ConfigReader>> object(absl::string_view key) const;

  bool has(absl::string_view key) const; // present and not null; does not count as read
  std::vector<std::string> keys() const; // in the file's order; does not count as read

  // Marks a key as understood without reading it: its value cannot change results here.
  void accept(absl::string_view key) const;

  // An error about a key of this object, in this reader's words: "SOURCE: key 'KEY' MESSAGE".
  absl::Status keyError(absl::string_view key, absl::string_view message) const;

  // INVALID_ARGUMENT naming every key, here and in the nested objects that were opened, that was
  // neither read nor accepted nor (at the top) is harmless by config_keys.h.
  absl::Status finish() const;

  const Json &json() const; // of this object
  const std::string &source() const;

private:
  struct Node;
  explicit ConfigReader(std::shared_ptr<Node> node) : node_(std::move(node)) {}
  const Json *value(absl::string_view key) const; // nullptr: absent or null; remembers the read
  absl::Status wrong(absl::string_view key, absl::string_view expected) const;

  std::shared_ptr<Node> node_;
};

// `architectures[0]`, or UNIMPLEMENTED/INVALID_ARGUMENT if there is none.
absl::StatusOr<std::string> readArchitecture(const ConfigReader &config);

} // namespace lathe::frontend
