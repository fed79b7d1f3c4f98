// The whole step of a decoder.
#pragma once

#include "absl/status/status.h"

#include "models/decoder.h"
#include "models/step.h"

namespace lathe::models {

// Fills the step and ends it.
absl::Status buildDecoder(Step &step, const Decoder &decoder);

} // namespace lathe::models
