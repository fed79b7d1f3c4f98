// How latent attention in one launch runs on a device: time, roofline, and which pipe is busiest.
#include "kernels/latent_decode.h"
#include "sim/machine.h"

#include <cstdio>
#include <cstdlib>

using namespace npu;
using namespace npu::kernels;

namespace {

struct Setting {
  uint64_t heads, context, conversations, tokens_each;
};

int show(const Device &device, const Setting &at) {
  const uint64_t tokens = at.conversations * at.tokens_each;
  LatentDecodePlan plan{.heads = at.heads,
                        .c = 512,
                        .r = 64,
                        .max_context = at.context,
                        .slots = at.conversations,
                        .scale = 0.1f,
                        .tokens = tokens};
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
  std::vector<int32_t> slots, positions; // each conversation's last tokens
  for (uint64_t i = 0; i < tokens; ++i) {
    slots.push_back(int32_t(i / at.tokens_each));
    positions.push_back(int32_t(at.context - at.tokens_each + i % at.tokens_each));
  }
  auto bytes = [&](uint64_t count) { return *machine->memory().allocate(count); };
  uint64_t q = bytes(tokens * at.heads * 576 * 2),
           out = bytes(plan.splits * tokens * at.heads * 512 * 4);
  uint64_t stats = bytes(plan.splits * tokens * at.heads * 8);
  uint64_t cache = bytes(at.conversations * latent_slot_bytes(plan, *tiles));
  uint64_t work = bytes(device.groups * tiles->work_bytes);
  std::vector<uint64_t> args{q, cache, out, work, put(slots), put(positions), tokens};
  if (plan.splits > 1)
    args.push_back(stats);
  Result<Report> report = machine->launch(
      *kernel, args, 0, {.blocks = device.groups, .mode = Mode::Timed, .checks = false});
  if (!report.ok())
    return std::printf("%s\n", report.message().c_str()), 1;
  std::printf("%llu heads, %llu conversations of %llu keys, tokens of each: %llu\n%s%s\n",
              (unsigned long long)at.heads, (unsigned long long)at.conversations,
              (unsigned long long)at.context, (unsigned long long)at.tokens_each,
              columnsText(*report).c_str(), rooflineText(*report).c_str());
  return 0;
}

} // namespace

int main(int count, char **words) {
  Result<Device> device = builtinDevice(count > 1 ? words[1] : "ascend-910b");
  if (!device.ok())
    return std::printf("%s\n", device.message().c_str()), 1;
  struct {
    uint64_t heads, conversations, tokens_each;
  } settings[] = {{16, device->groups, 1},
                  {128, device->groups, 1},
                  {128, device->groups, 2},
                  {16, 1, 1},
                  {128, 1, 1}};
  for (const auto &[heads, conversations, tokens_each] : settings)
    for (uint64_t context : {1024, 4096, 32768})
      if (int failed = show(*device, {heads, context, conversations, tokens_each}))
        return failed;
  return 0;
}
