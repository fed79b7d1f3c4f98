// A recipe knows one family of models: which keys its config.json has, and what decoder they mean.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "models/decoder.h"
#include "models/keys.h"

namespace lathe::models {

struct Recipe {
  absl::string_view family;
  std::vector<absl::string_view> architectures; // as `architectures[0]` says it
  std::vector<absl::string_view> model_types;   // as `model_type` says it
  // Reads every key that changes results; what it leaves is refused by ConfigReader::finish().
  absl::StatusOr<Decoder> (*describe)(Keys &keys);
};

absl::Span<const Recipe> recipes();

// The recipe for a config. `architectures` decides; a `model_type` that belongs to another family
// is an error, and so is a model that nobody knows, which names the nearest known one and all
// others.
absl::StatusOr<const Recipe *> findRecipe(const frontend::ConfigReader &config);

// One in each file of recipes/.
absl::StatusOr<Decoder> describeDeepseekV2(Keys &keys);
absl::StatusOr<Decoder> describeDeepseekV3(Keys &keys);
absl::StatusOr<Decoder> describeInternLm3(Keys &keys);
absl::StatusOr<Decoder> describeLlama(Keys &keys);
absl::StatusOr<Decoder> describeMiniCpm3(Keys &keys);
absl::StatusOr<Decoder> describeQwen2(Keys &keys);
absl::StatusOr<Decoder> describeQwen3(Keys &keys);

} // namespace lathe::models
