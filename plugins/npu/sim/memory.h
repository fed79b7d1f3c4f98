// The bytes of a memory, and which of them were ever written.
#pragma once

#include "isa/result.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

namespace npu {

// One bit a byte. Cores may mark neighbouring bytes of global memory at the same time, hence
// atomics.
class InitMap {
public:
  InitMap() = default;
  explicit InitMap(uint64_t bytes);
  void mark(uint64_t begin, uint64_t end);
  void clear(uint64_t end); // forgets [0, end)
  // First byte of [begin, end) that was not written; `end` where all were.
  uint64_t firstMissing(uint64_t begin, uint64_t end) const;

private:
  struct Free {
    void operator()(void *memory) const { std::free(memory); }
  };
  std::unique_ptr<uint64_t[], Free> words; // from calloc: pages cost nothing until they are marked
};

// Global memory: allocations at device addresses that never change meaning, given out upwards, so
// that a run is the same wherever the host keeps the bytes. Between two allocations lies a gap.
class GlobalMemory {
public:
  struct Allocation {
    uint64_t base = 0, bytes = 0;
    std::byte *data = nullptr; // nullptr: it has a size and an address only (for timing)
    bool owned = false;        // made by allocate(), or attached
    bool allWritten = false;   // no record is kept; nothing in it counts as uninitialised
    bool readOnly = false;     // instructions that write into it are refused
    mutable InitMap written;
    uint64_t end() const { return base + bytes; }
  };

  explicit GlobalMemory(uint64_t capacity) : capacity(capacity) {}
  ~GlobalMemory();
  GlobalMemory(const GlobalMemory &) = delete;

  // 512-byte aligned. RESOURCE: the sum of sizes is at most the device's memory.
  Result<uint64_t> allocate(uint64_t bytes);
  // Memory of the host as device memory; borrowed until release(). All of it counts as written.
  Result<uint64_t> attach(std::byte *data, uint64_t bytes);
  Result<uint64_t> attachReadOnly(const std::byte *data, uint64_t bytes);
  // An address without bytes, for runs that compute nothing.
  Result<uint64_t> reserve(uint64_t bytes);
  Status release(uint64_t address);

  // The allocation that holds the address; nullptr where none does.
  const Allocation *find(uint64_t address) const;
  uint64_t bytesUsed() const { return used; }

private:
  Result<uint64_t> place(Allocation allocation);
  uint64_t capacity, used = 0, next = 1 << 20;
  std::vector<Allocation> allocations; // by address
};

} // namespace npu
