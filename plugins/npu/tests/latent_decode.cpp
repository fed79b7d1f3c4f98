// Latent attention in one launch, against plain loops and, for its speed, against the roofline.
#include "kernels/latent_decode.h"
#include "kernels/kernels.h"
#include "programs/layers.h"
#include "rig.h"
#include "sim/numerics.h"

#include <cmath>

namespace npu::kernels {
namespace {

struct Case {
  std::string device;
  uint64_t heads, c, r, context;
  std::vector<int32_t> slots, positions;
  uint64_t splits = 1;
  float scale = 0.25f;
  bool rises = false; // later keys have larger scores
};

std::vector<float> wave(size_t n, float step) {
  std::vector<float> values(n);
  for (size_t i = 0; i < n; ++i)
    values[i] = f16ToF32(f32ToF16(std::sin(float(i) * step + 0.3f)));
  return values;
}

class LatentDecode : public testing::TestWithParam<Case> {};

TEST_P(LatentDecode, isAttentionOverAppendedLatents) {
  const Case &at = GetParam();
  Rig rig(at.device);
  const Device &device = rig.machine->device();
  // As for a step of many tokens, so that the wide kernel is chosen where there is one.
  LatentDecodePlan plan{at.heads, at.c, at.r, at.context, 2, at.scale, at.splits, 100};
  auto tiles = latent_tiles(device, plan);
  ASSERT_TRUE(tiles);
  uint64_t dim = at.c + at.r, tokens = at.positions.size(), rows = 2 * at.context;
  // Every row of both slots goes through append.
  std::vector<float> latents = wave(rows * dim, 0.37f), q = wave(tokens * at.heads * dim, 0.31f);
  for (uint64_t i = 0; at.rises && i < latents.size(); ++i)
    latents[i] = f16ToF32(f32ToF16(latents[i] * float(i / dim % at.context) / float(at.context)));
  std::vector<int32_t> all_slots(rows), all_positions(rows);
  for (uint64_t i = 0; i < rows; ++i)
    all_slots[i] = int32_t(i / at.context), all_positions[i] = int32_t(i % at.context);
  uint64_t cache_bytes = 2 * latent_slot_bytes(plan, *tiles);
  uint64_t cache = rig.put(std::vector<uint8_t>(cache_bytes));
  Result<Kernel> fill = append(device, {.cols = dim,
                                        .x_ld = dim * 4,
                                        .max_context = at.context,
                                        .slots = 2,
                                        .cache_ld = dim * 2,
                                        .keys = tiles->keys});
  ASSERT_TRUE(fill.ok()) << fill.message();
  ASSERT_EQ(rig.run(*fill,
                    {rig.put(latents), cache, rig.put(all_slots), rig.put(all_positions), rows},
                    {.blocks = device.groups}),
            "");
  std::vector<uint16_t> rounded(q.size());
  for (size_t i = 0; i < q.size(); ++i)
    rounded[i] = f32ToF16(q[i]);
  uint64_t queries = rig.put(rounded), slots = rig.put(at.slots), positions = rig.put(at.positions);
  for (Mode mode : {Mode::Functional, Mode::Timed}) {
    unsigned blocks = device.groups;
    Result<Kernel> kernel = latent_decode(device, plan, blocks);
    ASSERT_TRUE(kernel.ok()) << kernel.message();
    uint64_t floats = tokens * at.heads * at.c;
    uint64_t out = rig.put(std::vector<float>(floats, 77));
    uint64_t sums = rig.empty(floats * at.splits * 4), stats = rig.empty(floats * at.splits * 8);
    std::vector<uint64_t> args{
        queries,   cache, at.splits > 1 ? sums : out, rig.empty(blocks * tiles->work_bytes), slots,
        positions, tokens};
    if (at.splits > 1)
      args.push_back(stats);
    ASSERT_EQ(rig.run(*kernel, args, {.blocks = blocks, .mode = mode}), "");
    if (at.splits > 1) {
      ASSERT_EQ(rig.run(*latent_merge(device, plan), {sums, stats, out, tokens},
                        {.blocks = blocks, .mode = mode}),
                "");
    }
    auto got = rig.get<float>(out, tokens * at.heads * at.c);
    for (uint64_t t = 0; t < tokens; ++t)
      for (uint64_t h = 0; h < at.heads; ++h) {
        const float *keys = &latents[uint64_t(at.slots[t]) * at.context * dim];
        std::vector<double> wanted(at.c);
        double sum = 0, shift = at.rises ? 200 : 0; // no exponent of f64 is too large then
        for (int32_t s = 0; s <= at.positions[t]; ++s) {
          double score = 0;
          for (uint64_t i = 0; i < dim; ++i)
            score += double(q[(t * at.heads + h) * dim + i]) * keys[uint64_t(s) * dim + i];
          double weight = std::exp(at.scale * score - shift);
          sum += weight;
          for (uint64_t j = 0; j < at.c; ++j)
            wanted[j] += weight * keys[uint64_t(s) * dim + j];
        }
        for (uint64_t j = 0; j < at.c; ++j)
          ASSERT_NEAR(got[(t * at.heads + h) * at.c + j], wanted[j] / sum, 2e-3)
              << "token " << t << " head " << h << " column " << j;
      }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Cases, LatentDecode,
    testing::Values(Case{"tiny", 4, 48, 16, 100, {1, 0, 1}, {70, 0, 99}},
                    Case{"tiny", 1, 16, 0, 40, {0}, {33}},
                    Case{"ascend-910b", 4, 48, 16, 600, {0, 1}, {599, 127}},
                    Case{"ascend-910b", 40, 32, 16, 300, {0, 1, 0}, {256, 128, 255}},
                    Case{"ascend-910b", 20, 32, 16, 700, {0, 1}, {600, 3}, 4},
                    Case{"tiny", 3, 48, 16, 100, {1, 0}, {99, 0}, 3},
                    // Of the wide kernel: runs of one block and of several, the last one not full.
                    Case{"tiny", 40, 48, 16, 100, {1, 0, 1}, {70, 0, 99}},
                    Case{"tiny", 33, 48, 16, 200, {0, 1}, {199, 64}, 3},
                    Case{"ascend-910b", 40, 48, 16, 600, {0, 1}, {599, 127}},
                    Case{"ascend-910b", 64, 272, 16, 900, {1, 0}, {899, 255}},
                    Case{"ascend-910b", 130, 144, 16, 700, {0, 1}, {511, 600}, 2},
                    Case{"ascend-950", 128, 512, 64, 700, {1}, {699}},
                    // Runs that are cut at either end, of every number of blocks.
                    Case{"ascend-910b",
                         40,
                         208,
                         16,
                         1200,
                         {0, 1, 0, 1, 0, 1, 0, 1, 0, 1},
                         {0, 128, 383, 500, 639, 767, 800, 1000, 1100, 1199}},
                    // Parts without keys.
                    Case{"ascend-910b", 35, 208, 80, 1200, {0, 1}, {100, 1199}, 3},
                    // Scores leave f16 above those of the first run: exponents are made anew.
                    Case{"ascend-910b", 48, 272, 16, 1200, {1}, {1199}, 1, 4, true},
                    Case{"ascend-950", 16, 64, 32, 300, {1}, {299}}));

// The share of the roofline of a step with a conversation of 4096 keys for each group of cores.
double share_of_roofline(uint64_t heads, uint64_t tokens_each) {
  const uint64_t conversations = builtinDevice("ascend-910b")->groups;
  Result<Report> report = latentTime(
      "ascend-910b", {heads, 512, 64, 4096, conversations, 0.1f, 1, conversations * tokens_each});
  EXPECT_TRUE(report.ok()) << report.message();
  return report.ok() ? report->boundCycles() / report->cycles : 0;
}

// DeepSeek-V2-Lite's heads, and DeepSeek-V3's; the README says what bounds them.
TEST(LatentDecode, reachesItsShareOfTheRoofline) {
  EXPECT_GT(share_of_roofline(16, 1), 0.9);
  EXPECT_GT(share_of_roofline(128, 1), 0.85);
  EXPECT_GT(share_of_roofline(128, 2), 0.85);
}

TEST(LatentDecode, takesTheWideKernelForManyHeadsAndLongParts) {
  Device device = *builtinDevice("ascend-910b");
  auto wide = [&](uint64_t heads, uint64_t context, uint64_t tokens) {
    auto tiles = latent_tiles(device, {heads, 512, 64, context, 1, 1, 1, tokens});
    EXPECT_EQ(tiles->keys, 128);
    return tiles->wide;
  };
  EXPECT_TRUE(wide(128, 4096, 24));
  EXPECT_FALSE(wide(16, 4096, 24));
  EXPECT_FALSE(wide(128, 4096, 1)); // cut into parts of two blocks
  EXPECT_TRUE(wide(128, 32768, 1));
  // A run of so many columns would not fit the queue that its loads wait in.
  EXPECT_FALSE(latent_tiles(device, {64, 768, 64, 4096, 1, 1, 1, 24})->wide);
}

TEST(LatentDecode, needsVectorCoresBesideTheCube) {
  LatentDecodePlan plan{16, 512, 64, 4096, 1, 1};
  EXPECT_FALSE(latent_tiles(*builtinDevice("ascend-310p"), plan));
  EXPECT_FALSE(latent_tiles(*builtinDevice("cambricon-mlu370"), plan));
  EXPECT_TRUE(latent_tiles(*builtinDevice("ascend-910b"), plan));
}

} // namespace
} // namespace npu::kernels
