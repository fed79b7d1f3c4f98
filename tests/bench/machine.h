// What the machine gives at most: the two sides of a roofline.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "runtime/cpu/thread_pool.h"

namespace lathe::bench {

struct Machine {
  std::string name;          // "Intel(R) Xeon(R) Processor, 2 threads"
  double read_bandwidth = 0; // bytes a second
  double avx2_flops = 0;     // f32, out of registers, FLOPs a second; 0 where the CPU has it not
  double avx512_flops = 0;
  double tile_flops = 0;                       // bf16 with f32 sums, out of tiles
  double avx2_integers = 0, vnni_integers = 0; // products and sums of 8 bits

  // Measures all of it with the threads of `pool`. Some seconds.
  static absl::StatusOr<Machine> measure(runtime::ThreadPool &pool);

  // Of a feature level: "x86-64-v3".
  double vectorFlops(const std::string &level) const {
    return level == "x86-64-v3" ? avx2_flops : avx512_flops;
  }
  double integerFlops(const std::string &level) const {
    return level == "x86-64-v3" || level == "x86-64-v4" ? avx2_integers : vnni_integers;
  }
  double tileFlops(const std::string &level) const { return level == "x86-amx" ? tile_flops : 0; }
};

} // namespace lathe::bench
