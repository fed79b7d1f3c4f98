// How latent attention in one launch runs on a device: time, roofline, and which pipe is busiest.
#include "kernels/latent_decode.h"
#include "sim/machine.h"

#include <cstdio>
#include <cstdlib>

using namespace npu;
using namespace npu::kernels;

namespace {

struct Setting {
  uint64_t heads, context, tokens;
};

int show(const Device &device, const Setting &at) {
  LatentDecodePlan plan{.heads = at.heads,
                        .c = 512,
                        .r = 64,
                        .max_context = at.context,
                        .slots = at.tokens,
                        .scale = 0.1f,
                        .tokens = at.tokens};
  auto tiles = latent_tiles(device, plan);
  if (!tiles)
    return std::printf("%s has no such kernel\n", device.name.c_str()), 1;
  plan.splits = latent_splits(device, plan, *tiles);
  Result<Kernel> kernel = latent_decode(device, plan, device.groups);
  if (!kernel.ok())
    return std::printf("%s\n", kernel.message().c_str()), 1;
  auto machine = std::move(*Machine::create(device));
  auto put = [&](const std::vector<int32_t> &values) {
    uint64_t address = *machine->memory().allocate(values.size() * 4);
    (void)machine->write(address, std::as_bytes(std::span(values)));
    return address;
  };
  std::vector<int32_t> slots(at.tokens), positions(at.tokens, int32_t(at.context - 1));
  for (size_t i = 0; i < slots.size(); ++i)
    slots[i] = int32_t(i);
  auto bytes = [&](uint64_t count) { return *machine->memory().allocate(count); };
  uint64_t q = bytes(at.tokens * at.heads * 576 * 2),
           out = bytes(plan.splits * at.tokens * at.heads * 512 * 4);
  uint64_t stats = bytes(plan.splits * at.tokens * at.heads * 8);
  uint64_t cache = bytes(at.tokens * latent_slot_bytes(plan, *tiles));
  uint64_t work = bytes(device.groups * tiles->work_bytes);
  std::vector<uint64_t> args{q, cache, out, work, put(slots), put(positions), at.tokens};
  if (plan.splits > 1)
    args.push_back(stats);
  Result<Report> report = machine->launch(
      *kernel, args, 0, {.blocks = device.groups, .mode = Mode::Timed, .checks = false});
  if (!report.ok())
    return std::printf("%s\n", report.message().c_str()), 1;
  std::printf("%llu heads, %llu tokens of %llu keys\n%s%s\n", (unsigned long long)at.heads,
              (unsigned long long)at.tokens, (unsigned long long)at.context,
              columnsText(*report).c_str(), rooflineText(*report).c_str());
  return 0;
}

} // namespace

int main(int count, char **words) {
  Result<Device> device = builtinDevice(count > 1 ? words[1] : "ascend-910b");
  if (!device.ok())
    return std::printf("%s\n", device.message().c_str()), 1;
  for (uint64_t tokens : {uint64_t{device->groups}, uint64_t{1}})
    for (uint64_t heads : {16, 128})
      for (uint64_t context : {1024, 4096, 32768})
        if (int failed = show(*device, {heads, context, tokens}))
          return failed;
  return 0;
}
