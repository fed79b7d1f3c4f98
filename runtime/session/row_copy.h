// Rows of bytes from one device to another, past the host.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "artifact/manifest.h"
#include "runtime/device/device.h"
#include "runtime/device/queue.h"

namespace lathe::runtime {

// A copy of a step program with its buffers found. Borrows them.
//
// start() then finish(). Where a device copies by itself, rows that it takes stand in `staged`
// until its queue is done, and rows that it gives arrive there: start() asks for them, and
// finish(), once the queue is done, hands them on. All else is done by start(), of which finish()
// does nothing.
class RowCopy {
public:
  struct Side {
    DeviceBuffer *buffer = nullptr;
    DeviceQueue *queue = nullptr;    // of the buffer's device
    uint64_t offset = 0, stride = 0; // bytes, of the first row and from row to row
  };

  // `max_rows`: of a step.
  RowCopy(Side from, Side to, const artifact::Copy &shape, int64_t max_rows);

  // In a step of so many rows and output rows. Allocates nothing.
  absl::Status start(int64_t rows, int64_t output_rows);
  // Whether start() has left something for finish(), which wants the queue of `from` done.
  bool isPending() const { return way_ == Way::to_host; }
  DeviceQueue &source() const { return *from_.queue; }
  absl::Status finish(int64_t rows, int64_t output_rows);

private:
  enum class Way { mapped, to_device, to_host };

  uint64_t count(int64_t rows, int64_t output_rows) const;
  bool isQueued(const Side &side, const Side &other) const;
  absl::Status copyMapped(uint64_t count);

  Side from_, to_;
  artifact::Copy shape_;
  Way way_ = Way::mapped;
  std::vector<char> staged_; // rows side by side
};

} // namespace lathe::runtime
