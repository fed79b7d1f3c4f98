// The manifest's two forms: the plain data of manifest.h and the FlatBuffers bytes of manifest.fbs.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "artifact/manifest.h"

namespace lathe::artifact {

std::string serializeManifest(const Manifest &manifest);

// `bytes` may be anything; they must be 8-byte aligned. What comes back has the right shape but is
// not yet checked for sense: see validate.h. Memory used is bounded by a small multiple of the
// bytes' number, however their offsets are bent. `source` is the name used in errors.
absl::StatusOr<Manifest> parseManifest(absl::Span<const uint8_t> bytes, absl::string_view source);

} // namespace lathe::artifact
