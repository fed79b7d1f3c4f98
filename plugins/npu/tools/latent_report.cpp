// How latent attention in one launch runs on a device: time, roofline, and which pipe is busiest.
#include "programs/layers.h"

#include <cstdio>

using namespace npu;
using namespace npu::kernels;

namespace {

struct Setting {
  uint64_t heads, conversations, tokens_each;
};

int show(const Device &device, const Setting &at, uint64_t context) {
  LatentDecodePlan plan{.heads = at.heads,
                        .c = 512,
                        .r = 64,
                        .max_context = context,
                        .slots = at.conversations,
                        .scale = 0.1f,
                        .tokens = at.conversations * at.tokens_each};
  if (auto tiles = latent_tiles(device, plan))
    plan.splits = latent_splits(device, plan, *tiles);
  Result<Report> report = latentTime(device.name, plan);
  if (!report.ok())
    return std::printf("%s\n", report.message().c_str()), 1;
  std::printf("%llu heads, %llu conversations of %llu keys, tokens of each: %llu\n%s%s\n",
              (unsigned long long)at.heads, (unsigned long long)at.conversations,
              (unsigned long long)context, (unsigned long long)at.tokens_each,
              columnsText(*report).c_str(), rooflineText(*report).c_str());
  return 0;
}

} // namespace

int main(int count, char **words) {
  Result<Device> device = builtinDevice(count > 1 ? words[1] : "ascend-910b");
  if (!device.ok())
    return std::printf("%s\n", device.message().c_str()), 1;
  const Setting settings[] = {{16, device->groups, 1},
                              {128, device->groups, 1},
                              {128, device->groups, 2},
                              {16, 1, 1},
                              {128, 1, 1}};
  for (const Setting &at : settings)
    for (uint64_t context : {1024, 4096, 32768})
      if (int failed = show(*device, at, context))
        return failed;
  return 0;
}
