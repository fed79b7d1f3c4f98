// Whether a manifest makes sense, field by field. What passes can be used without further checks.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "artifact/manifest.h"

namespace lathe::artifact {

// `sections_end` is the first byte behind the sections (the manifest's own offset).
// Checked: names (unique, bounded, printable), sections (aligned, in the file, apart from each
// other), counts, token ids, sampling defaults, state entries, and for each target its sections,
// weights, buffers, calls and waits. The error names the field and has both numbers.
absl::Status validateManifest(const Manifest &manifest, uint64_t sections_end);

} // namespace lathe::artifact
