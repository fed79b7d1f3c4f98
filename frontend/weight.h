// A linear module's weight together with the scale that belongs to it, found and checked.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "frontend/checkpoint.h"
#include "frontend/quantization_config.h"

namespace lathe::frontend {

// weight[o, i] = decode(tensor[o, i]) * scale of (o, i); no scale: as stored.
struct Weight {
  const Tensor *tensor = nullptr; // [out, in]
  const Tensor *scale = nullptr;  // nullptr when granularity is none
  ScaleGranularity granularity = ScaleGranularity::none;
  int64_t block_rows = 0, block_columns = 0; // of granularity block
};

// `MODULE.weight` and its scale. The presence of the scale tensor decides whether the weight is
// quantised; that must agree with its dtype and with the config. Errors: NOT_FOUND (no weight);
// INVALID_ARGUMENT (an 8-bit float without scale, a scale without an 8-bit float, a scale of the
// wrong shape or dtype). The values of scales are not read here: see Checkpoint::checkScales.
absl::StatusOr<Weight> findWeight(const Checkpoint &checkpoint, const QuantizationConfig &config,
                                  absl::string_view module);

} // namespace lathe::frontend
