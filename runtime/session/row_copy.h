// Rows of bytes from one device to another, past the host.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "artifact/manifest.h"
#include "runtime/device/device.h"

namespace lathe::runtime {

// A copy of a step program with its buffers found. Borrows them.
struct RowCopy {
  DeviceBuffer *from = nullptr, *to = nullptr;
  uint64_t from_offset = 0, to_offset = 0; // bytes, of the first row
  artifact::Copy shape;                    // strides, bytes of a row, how many rows

  // In a step of so many rows and output rows. Allocates nothing.
  absl::Status run(int64_t rows, int64_t output_rows) const;
};

} // namespace lathe::runtime
