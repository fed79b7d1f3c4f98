// A CPU buffer: anonymous pages of its own, or memory that someone else keeps.
#pragma once

#include <cstdint>

#include "absl/status/status.h"

namespace lathe::runtime {

// Own pages come from the kernel one by one when they are first written (MAP_NORESERVE), so that
// the state of a huge context costs what is used of it. They are page-aligned and read as zero at
// first. Memory nodes take turns (nodes.h).
class CpuMemory {
public:
  CpuMemory() = default;
  CpuMemory(const CpuMemory &) = delete;
  CpuMemory &operator=(const CpuMemory &) = delete;
  ~CpuMemory();

  // `dense`: all of it will be used, so huge pages are asked for.
  absl::Status allocate(uint64_t size, bool dense);
  void borrow(const void *memory, uint64_t size);
  // Gives own pages back, so that they read as zero. Borrowed memory cannot be cleared.
  absl::Status clear();

  void *data() const { return data_; }
  uint64_t size() const { return size_; }
  bool owned() const { return owned_; }

private:
  void *data_ = nullptr;
  uint64_t size_ = 0;
  bool owned_ = false;
};

} // namespace lathe::runtime
