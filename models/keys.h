// The keys of a config.json as recipes read them: with the ranges that fit every model, and with a
// memory of the defaults that were taken, for the fidelity report. Errors as in frontend/config.h.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "frontend/config.h"

namespace lathe::models {

constexpr int64_t kMaxExtent = int64_t{1} << 20; // of hidden rows, heads, experts
constexpr int64_t kMaxVocabulary = int64_t{1} << 24;
constexpr int64_t kMaxLayers = 10'000;

class Keys {
public:
  explicit Keys(frontend::ConfigReader config) : config_(std::move(config)) {}

  // From 1 to kMaxExtent.
  absl::StatusOr<int64_t> extent(absl::string_view key) const;
  absl::StatusOr<int64_t> extentOr(absl::string_view key, int64_t otherwise);
  absl::StatusOr<int64_t> integerOr(absl::string_view key, int64_t otherwise, int64_t min,
                                    int64_t max);
  // A factor or an epsilon: from 1e-12 to 1e6.
  absl::StatusOr<double> factor(absl::string_view key) const;
  absl::StatusOr<double> factorOr(absl::string_view key, double otherwise);
  absl::StatusOr<bool> flagOr(absl::string_view key, bool otherwise);

  // The key is `wanted`, or absent, which means the same.
  absl::Status mustBe(absl::string_view key, absl::string_view wanted);

  const frontend::ConfigReader &config() const { return config_; }
  // "rms_norm_eps = 1e-06", in the order of reading.
  const std::vector<std::string> &assumed() const { return assumed_; }

private:
  bool isAbsent(absl::string_view key, const std::string &otherwise);

  frontend::ConfigReader config_;
  std::vector<std::string> assumed_;
};

} // namespace lathe::models
