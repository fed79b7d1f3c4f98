#include "programs/layers.h"

#include "kernels/kernels.h"

namespace npu {
namespace {

using kernels::LatentDecodePlan;

Result<Report> productTime(uint64_t rows, uint64_t n, uint64_t k) {
  kernels::ProductPlan plan{
      .type = DType::Bf16, .m = rows, .n = n, .k = k, .a_ld = k * 2, .c_ld = n * 4};
  TimeOptions options;
  options.inputs = {.numbers = {{"rows", rows}},
                    .tables = {},
                    .bytes = {{"a", rows * k * 2}, {"c", rows * n * 4}}};
  return timeOf(
      "ascend-910b", [&](const Device &d) { return product(d, plan); }, options);
}

} // namespace

Result<Report> latentTime(std::string_view name, const LatentDecodePlan &plan) {
  NPU_ASSIGN_OR_RETURN(Device device, builtinDevice(name));
  if (!latent_tiles(device, plan))
    return error(name, " has no kernel for it");
  std::vector<int32_t> slots, positions;
  const uint64_t each = plan.tokens / plan.slots;
  for (uint64_t i = 0; i < plan.tokens; ++i) {
    slots.push_back(static_cast<int32_t>(i / each));
    positions.push_back(static_cast<int32_t>(plan.max_context - each + i % each));
  }
  uint64_t rows = plan.tokens * plan.heads, sums = rows * plan.splits;
  TimeOptions options;
  options.inputs = {.numbers = {{"rows", plan.tokens}},
                    .tables = {{"slots", slots}, {"positions", positions}},
                    .bytes = {{"q", rows * (plan.c + plan.r) * 2},
                              {"out", sums * plan.c * 4},
                              {"stats", sums * 2 * 4}}};
  return timeOf(
      name, [&](const Device &d) { return latent_decode(d, plan, d.groups); }, options);
}

// Rows of a query are taken for heads and keys for latents, whose columns are the values: the same
// numbers of everything, but values that are found where keys were.
Comparisons flashAttention() {
  std::vector<Comparison> result;
  for (auto [rows, published] : {std::pair{1024u, 20.96},
                                 {2048u, 32.46},
                                 {4096u, 88.9},
                                 {8192u, 292.6},
                                 {16384u, 909.1},
                                 {32768u, 3262.6}}) {
    LatentDecodePlan plan{.heads = rows, .c = 128, .r = 0, .max_context = rows, .tokens = 1};
    NPU_ASSIGN_OR_RETURN(Report r, latentTime("ascend-910b", plan));
    result.push_back({text("V13 ", rows, " rows, task"), r.taskMicroseconds(), published, 0});
  }
  return result;
}

// The published number is a share of the cube's peak, the largest of those measured. The vendor's
// program has tiles of 256 rows: two tokens of a conversation, whose latents the second finds in
// the L2.
Comparisons latentAttention() {
  std::vector<Comparison> result;
  for (uint64_t keys : {4096, 16384}) {
    LatentDecodePlan plan{
        .heads = 128, .c = 512, .r = 64, .max_context = keys, .slots = 48, .tokens = 96};
    NPU_ASSIGN_OR_RETURN(Report r, latentTime("ascend-910c", plan));
    double share = 100 * r.cubeOperations / r.peakOperationsPerCycle / r.cycles;
    result.push_back({text("V17 ", keys, " keys, % of the cube's peak"), share, 86.8, 0});
  }
  return result;
}

Comparisons decodeProducts() {
  std::vector<Comparison> result;
  struct Product {
    const char *name;
    uint64_t n, k;
    double published;
  };
  for (const Product &p : {Product{"q", 5120, 5120, 26.0},
                           {"k", 1024, 5120, 18},
                           {"o", 5120, 5120, 59.5},
                           {"gate", 17408, 5120, 136},
                           {"up", 17408, 5120, 146},
                           {"down", 5120, 17408, 161}}) {
    NPU_ASSIGN_OR_RETURN(Report r, productTime(16, p.n, p.k));
    result.push_back(
        {text("V19 ", std::string_view(p.name)), r.coreMicroseconds(), p.published, 0});
  }
  return result;
}

} // namespace npu
