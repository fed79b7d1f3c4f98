// What is known of a checkpoint before it is compiled: what was recognised, what was assumed, what
// is left aside.
#pragma once

#include "absl/status/statusor.h"
#include <nlohmann/json.hpp>

#include "frontend/checkpoint.h"

namespace lathe::models {

// Imports the checkpoint without reading weights (but scales), so a report means that it can be
// compiled; errors are those of importCheckpoint. Keys: model, family, architecture, model_type,
// parameters, vocab_size, hidden_size, num_layers, max_context, state_bytes_per_token (caches of
// f32), rope, head, scales (where they are not 1), layers (runs of equal ones: layers "0-3",
// attention, feed_forward), weights (by format), assumed, left_aside.
absl::StatusOr<nlohmann::ordered_json> fidelityReport(const frontend::Checkpoint &checkpoint);

} // namespace lathe::models
