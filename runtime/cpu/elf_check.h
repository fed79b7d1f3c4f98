// A look at ELF bytes before the dynamic loader gets them.
#pragma once

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace lathe::runtime {

// That these are a whole 64-bit x86 shared object of at most 1 GiB, in the file and in memory. The
// loader maps segments and follows the dynamic table without asking whether either is there:
// without this, damaged code would be a SIGBUS or an assertion of the loader's. It is no proof
// against malice: code is trusted as soon as it runs.
absl::Status checkElf(absl::Span<const uint8_t> bytes);

} // namespace lathe::runtime
