// What an artifact says of a model on several devices.
#pragma once

#include "artifact/manifest.h"
#include "artifact/writer.h"
#include "backends/x86/level.h"
#include "backends/x86/placed.h"
#include "backends/x86/weight_plan.h"
#include "tools/compiler/placement.h"

namespace lathe::compiler {

// "x86-amx+npu:ascend-910b": code and weights of `level` at home, a part for each target, and steps
// that go from one to the other.
artifact::Target makePlacedTarget(const x86::Level &level,
                                  const std::vector<x86::PlacedStep> &steps,
                                  const Placement &placement, const x86::WeightPlan &weights,
                                  uint32_t vocab_size);

// code.TARGET and weights.TARGET of each. CANCELLED when `options.cancelled` turns true.
absl::Status addPlacedSections(artifact::ArtifactWriter &writer, const Placement &placement,
                               const CompileOptions &options);

} // namespace lathe::compiler
