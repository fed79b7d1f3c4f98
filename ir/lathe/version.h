// The version of the dialect, as bytecode carries it. README.md says how it grows.
#pragma once

#include <cstdint>

#include "mlir/Bytecode/BytecodeImplementation.h"

namespace lathe::ir {

// A newer minor version adds ops and attributes with defaults; a newer major version changes
// meaning. 1.1: codes of i8 and i4, `stored` of weight, tables of codes. 1.2: queries of attention
// in bf16. 1.3: rows of i8 codes.
struct LatheVersion : mlir::DialectVersion {
  LatheVersion(uint64_t major, uint64_t minor) : major_version(major), minor_version(minor) {}
  uint64_t major_version, minor_version;
};

inline constexpr uint64_t kMajorVersion = 1, kMinorVersion = 3;

} // namespace lathe::ir
