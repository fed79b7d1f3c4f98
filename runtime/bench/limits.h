// What a machine gives at most: bytes out of memory, FLOPs out of registers. A multiplication and
// an addition are two FLOPs.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "runtime/cpu/thread_pool.h"
#include "runtime/export.h"
#include "runtime/module/module.h"

namespace lathe::runtime {

// The best of `repetitions` plain reads of a buffer of `bytes` by `threads` threads, bytes a
// second. The buffer should be much larger than the last-level cache.
LATHE_RUNTIME_API absl::StatusOr<double> measureReadBandwidth(int threads, uint64_t bytes,
                                                              int repetitions);
// Bytes of a buffer for that: four times the largest cache, at least 1 GiB, at most an eighth of
// `memory_bytes`.
LATHE_RUNTIME_API uint64_t bandwidthBytes(uint64_t memory_bytes);

// What a decode of this model can read at most, bytes a second: that of plain reads of its weights
// where they lie, since memory is not the same everywhere (nodes, pages of a virtual machine). A
// buffer stands in for weights that a cache could hold, or that leave the memory no room.
LATHE_RUNTIME_API absl::StatusOr<double> measureReadBandwidth(const Module &module);

// Instructions that multiply and add; floats in the order of the CPU levels that brought them.
enum class Arithmetic {
  none,
  avx2,   // f32, eight at a time
  avx512, // f32, sixteen at a time
  tiles,  // bf16 with sums in f32: AMX
  words,  // 16 bits with sums in 32, sixteen at a time: a product and an addition of AVX2
  dots,   // 8 bits with sums in 32, 64 at a time: AVX-512 VNNI
};

// FLOPs a second that all threads of `pool` reach together out of registers, the best of some runs
// of a millisecond; 0 for none. The CPU has to have the instructions.
LATHE_RUNTIME_API double measureFlops(Arithmetic arithmetic, ThreadPool &pool);

// The fastest that a target's code may use: tiles where its compatibility asks for AMX, else f32
// vectors; none where it asks for neither.
LATHE_RUNTIME_API Arithmetic arithmeticOf(const artifact::Target &target);
LATHE_RUNTIME_API std::string nameOf(Arithmetic arithmetic); // "f32 vectors", "bf16 tiles"

struct Limits {
  double read_bandwidth = 0;                // bytes a second
  double flops = 0;                         // a second; 0 for none
  Arithmetic arithmetic = Arithmetic::none; // that these are of
};

// Of the device of a module, for its weights and the arithmetic of its target. A second or less.
LATHE_RUNTIME_API absl::StatusOr<Limits> measureLimits(const Module &module);

} // namespace lathe::runtime
