// A look at ELF bytes before the dynamic loader gets them.
#pragma once

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace lathe::runtime {

// That these are a whole 64-bit x86 shared object: the loader maps segments without asking whether
// the file holds them, and the first touch of a missing page would be a SIGBUS. It is no proof
// against malice: code is trusted as soon as it runs.
absl::Status checkElf(absl::Span<const uint8_t> bytes);

} // namespace lathe::runtime
