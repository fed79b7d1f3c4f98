// Every tensor of a checkpoint is used, or there is a reason to leave it aside.
#pragma once

#include <vector>

#include "absl/status/statusor.h"

#include "models/import.h"

namespace lathe::models {

// What is left aside, by reason. INVALID_ARGUMENT that names tensors for which there is none: a
// model without them would be another model.
absl::StatusOr<std::vector<LeftAside>> accountForTensors(const Weights &weights,
                                                         const Decoder &decoder);

} // namespace lathe::models
