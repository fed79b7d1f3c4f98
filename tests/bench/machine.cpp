#include "tests/bench/machine.h"

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "runtime/bench/limits.h"
#include "runtime/cpu/device.h"
#include "runtime/cpu/features.h"

namespace lathe::bench {
namespace {

using runtime::Arithmetic;
using runtime::measureFlops;

constexpr int kRepetitions = 5;

} // namespace

absl::StatusOr<Machine> Machine::measure(runtime::ThreadPool &pool) {
  LATHE_ASSIGN_OR_RETURN(std::shared_ptr<runtime::Device> device,
                         runtime::createCpuDevice({/*threads=*/1}));
  Machine machine;
  machine.name = absl::StrCat(device->properties().name, ", ", pool.threads(), " threads");
  LATHE_ASSIGN_OR_RETURN(
      machine.read_bandwidth,
      runtime::measureReadBandwidth(pool.threads(),
                                    runtime::bandwidthBytes(device->properties().memory_bytes),
                                    kRepetitions));
  uint32_t levels = runtime::CpuFeatures::ofThisMachine().levelCount();
  if (levels >= 1)
    machine.avx2_flops = measureFlops(Arithmetic::avx2, pool),
    machine.avx2_integers = measureFlops(Arithmetic::words, pool);
  if (levels >= 2)
    machine.avx512_flops = measureFlops(Arithmetic::avx512, pool);
  if (levels >= 3)
    machine.tile_flops = measureFlops(Arithmetic::tiles, pool);
  if (runtime::CpuFeatures::ofThisMachine().has("avx512vnni"))
    machine.vnni_integers = measureFlops(Arithmetic::dots, pool);
  return machine;
}

} // namespace lathe::bench
