#include "programs/cases.h"
#include "programs/gemm.h"
#include "programs/layers.h"
#include "programs/streams.h"
#include "programs/time_of.h"

namespace npu {
namespace {

Result<Report> gemmTime(std::string_view device, const GemmPlan &plan, unsigned blocks = 0) {
  return timeOf(device, [&](const Device &d) { return gemm(d, plan); }, {.blocks = blocks});
}

Comparisons v1() {
  NPU_ASSIGN_OR_RETURN(Report r, gemmTime("ascend-910b", {.m = 8192, .n = 8192, .k = 8192}));
  return std::vector<Comparison>{
      {"V1 aicore", r.coreMicroseconds(), 3636.85, 0.05},
      {"V1 mac", r.pipeMicroseconds(Pipe::M), 3082.16, 0.05},
      {"V1 mte1", r.pipeMicroseconds(Pipe::MTE1), 2553, 0.05},
      {"V1 mte2", r.pipeMicroseconds(Pipe::MTE2), 3487, 0.05},
      {"V1 fixpipe", r.pipeMicroseconds(Pipe::FIX), 161, 0.05},
  };
}

Comparisons v3() {
  NPU_ASSIGN_OR_RETURN(
      Report r,
      gemmTime("ascend-950", {.m = 8192, .n = 8192, .k = 8192, .tileM = 256, .groupRows = 4}));
  return std::vector<Comparison>{
      {"V3 mac", r.pipeMicroseconds(Pipe::M), 2564.8, 0.02},
      {"V3 mte2", r.pipeMicroseconds(Pipe::MTE2), 1874, 0},
      {"V3 task", r.taskMicroseconds(), 2572, 0},
  };
}

Comparisons v4() {
  GemmPlan plan{
      .m = 8192, .n = 8192, .k = 8192, .type = DType::E2m1, .tileM = 256, .tileK = 256, .stepK = 2};
  plan.blockScales = true;
  NPU_ASSIGN_OR_RETURN(Report r, gemmTime("ascend-950", plan));
  return std::vector<Comparison>{{"V4 mac", r.pipeMicroseconds(Pipe::M), 640.2, 0.02}};
}

GemmPlan int8Plan() {
  GemmPlan plan{.m = 8192, .n = 8192, .k = 1024, .type = DType::I8, .out = DType::F16};
  plan.tileK = 128;
  plan.unitFlag = true;
  return plan;
}

Comparisons v11() {
  NPU_ASSIGN_OR_RETURN(Report r, gemmTime("ascend-910b", int8Plan()));
  return std::vector<Comparison>{
      {"V11 mac", r.pipeMicroseconds(Pipe::M), 193.6, 0.02},
      {"V11 task, without the vector stage", r.taskMicroseconds(), 299.3, 0}};
}

Comparisons v12() {
  std::vector<Comparison> result;
  for (auto [n, published] :
       {std::pair{1536u, 38.8}, {3072u, 206.7}, {6144u, 1506.0}, {7680u, 3168.0}}) {
    NPU_ASSIGN_OR_RETURN(Report r, gemmTime("ascend-910b", {.m = n, .n = n, .k = n}));
    result.push_back({text("V12 ", n, "^3 task"), r.taskMicroseconds(), published, 0.08});
  }
  return result;
}

// Ticks of the 50 MHz system counter between the marks around the reduction, the first of which
// does not wait for the copy: so it is in the published program.
Result<double> sumTicks(unsigned rows, unsigned cols, bool halving) {
  NPU_ASSIGN_OR_RETURN(Report r,
                       timeOf("ascend-910b",
                              [&](const Device &d) { return sumKernel(d, rows, cols, halving); },
                              {.blocks = 1}));
  double begin = 0, end = 0;
  for (const Mark &mark : r.marks)
    (mark.id ? end : begin) = mark.time;
  return (end - begin) / r.clockMhz * 50;
}

Comparisons v14() {
  NPU_ASSIGN_OR_RETURN(double halving, sumTicks(1, 30000, true));
  NPU_ASSIGN_OR_RETURN(double repeats, sumTicks(1, 30000, false));
  return std::vector<Comparison>{{"V14 halving, 50 MHz ticks", halving, 172, 0},
                                 {"V14 repeats, 50 MHz ticks", repeats, 242, 0},
                                 {"V14 difference, 50 MHz ticks", repeats - halving, 70, 0}};
}

Comparisons v5() {
  std::vector<Comparison> result;
  GemmPlan plan{.m = 4096, .n = 5120, .k = 4096};
  plan.unitFlag = true;
  NPU_ASSIGN_OR_RETURN(Report r, gemmTime("ascend-910b", plan, 20));
  result.push_back({"V5 best, 20 blocks, unit flag", r.taskMicroseconds(), 591, 0.15});
  plan.unitFlag = false;
  NPU_ASSIGN_OR_RETURN(Report without, gemmTime("ascend-910b", plan, 20));
  result.push_back({"V5 best, 20 blocks, no unit flag", without.taskMicroseconds(), 591, 0});
  return result;
}

Comparisons copies(bool toL1,
                   std::initializer_list<std::tuple<const char *, CopyPlan, double>> cases) {
  std::vector<Comparison> result;
  for (auto [name, plan, published] : cases) {
    plan.toL1 = toL1;
    plan.rows = plan.rows ? plan.rows : 12288, plan.cols = plan.cols ? plan.cols : 12288;
    NPU_ASSIGN_OR_RETURN(
        Report r, timeOf("ascend-910b", [&](const Device &d) { return copyKernel(d, plan); }));
    result.push_back({name, r.taskMicroseconds(), published, 0.15});
  }
  return result;
}

Comparisons v7() {
  return copies(
      false,
      {{"V7 128-byte tiles", {.tileRows = 1, .tileCols = 64}, 548},
       {"V7 64 x 64", {.tileRows = 64, .tileCols = 64}, 220.8},
       {"V7 64 x 1024", {.tileRows = 64, .tileCols = 1024}, 202.7},
       {"V7 64 x 1024, off its lines", {.tileRows = 64, .tileCols = 1024, .offset = 32}, 259}});
}

Comparisons v8() {
  return copies(
      true,
      {{"V8 64 x 64", {.tileRows = 64, .tileCols = 64}, 283.5},
       {"V8 64 x 256", {.tileRows = 64, .tileCols = 256}, 214.5},
       {"V8 64 x 256, off its lines", {.tileRows = 64, .tileCols = 256, .offset = 32}, 422.5}});
}

Comparisons v6() {
  std::vector<Comparison> result;
  for (auto [apart, published] : {std::pair{false, 12.85}, {true, 6.95}}) {
    NPU_ASSIGN_OR_RETURN(Report r, timeOf("ascend-910b", [&, apart = apart](const Device &d) {
                           return addKernel(d, DType::F16, 8192 * 8192, 8192, apart);
                         }));
    result.push_back({apart ? "V6 vec, operands apart" : "V6 vec, operands in one group",
                      r.pipeMicroseconds(Pipe::V), published, 0});
    if (apart)
      result.push_back({"V6 task", r.taskMicroseconds(), 184.5, 0.15});
  }
  return result;
}

// From one core with small tiles and nothing overlapped to all cores with large tiles. Which step
// is which is our reading, so the numbers are reported only. One core alone scales: a part is run.
Comparisons v2() {
  std::vector<Comparison> result;
  auto add = [&](const char *name, GemmPlan plan, unsigned blocks, double parts,
                 double published) -> Status {
    plan.m = static_cast<uint64_t>(8192 / parts), plan.n = plan.k = 8192;
    NPU_ASSIGN_OR_RETURN(Report r, gemmTime("ascend-910b", plan, blocks));
    result.push_back({name, r.coreMicroseconds() * parts, published, 0});
    return {};
  };
  GemmPlan plan{.tileM = 64, .tileN = 64, .tileK = 64, .stepK = 1, .slotsL1 = 1, .slotsL0 = 1};
  NPU_RETURN_IF_ERROR(add("V2 64^3, one core", plan, 1, 128, 759364));
  plan.tileM = 128, plan.tileN = 256;
  NPU_RETURN_IF_ERROR(add("V2 large tiles, one core", plan, 1, 64, 249467));
  NPU_RETURN_IF_ERROR(add("V2 large tiles, 24 cores", plan, 24, 1, 12541));
  plan.slotsL1 = plan.slotsL0 = 2;
  NPU_RETURN_IF_ERROR(add("V2 two slots", plan, 24, 1, 5040));
  plan.stepK = 4;
  NPU_RETURN_IF_ERROR(add("V2 wide L1 chunks", plan, 24, 1, 4157));
  plan.unitFlag = true;
  NPU_RETURN_IF_ERROR(add("V2 unit flag", plan, 24, 1, 4012));
  return result;
}

// Read four times over: all of it each time, or a quarter that stays in L2.
Comparisons v9() {
  CopyPlan plan{.rows = 12288, .cols = 12288, .tileRows = 64, .tileCols = 1024, .repeats = 4};
  auto run = [&]() {
    return timeOf("ascend-910b", [&](const Device &d) { return copyKernel(d, plan); });
  };
  NPU_ASSIGN_OR_RETURN(Report whole, run());
  plan.rows /= 4;
  NPU_ASSIGN_OR_RETURN(Report quarter, run());
  return std::vector<Comparison>{{"V9 nothing found in L2", whole.taskMicroseconds(), 816, 0.15},
                                 {"V9 three of four found in L2",
                                  4 * quarter.coreMicroseconds() + quarter.launchMicroseconds,
                                  354.6, 0.15}};
}

} // namespace

const std::vector<Case> &validationCases() {
  static const std::vector<Case> cases = {
      {"V1", "ascend-910b, f16 8192^3, tiles of 128 x 256 x 64", 1, true, v1},
      {"V3", "ascend-950, f16 8192^3, tiles of 256 x 256 x 64", 1, true, v3},
      {"V4", "ascend-950, MXFP4 8192^3, tiles of 256 x 256 x 256", 1, true, v4},
      {"V11", "ascend-910b, int8 8192 x 8192 x 1024, tiles of 128 x 256 x 128", 1, true, v11},
      {"V12", "ascend-910b, f16 n^3, tiles of 128 x 256 x 64", 1, true, v12},
      {"V14", "ascend-910b, sum of 30,000 f32 in one row", 1, true, v14},
      {"V2", "ascend-910b, f16 8192^3, how tiling helps", 2, false, v2},
      {"V5", "ascend-910b, f16 4096 x 5120 x 4096", 2, true, v5},
      {"V6", "ascend-910b, f16 8192^2 sum of two matrices, tiles of 8192", 2, true, v6},
      {"V7", "ascend-910b, f16 12288^2 to UB", 2, true, v7},
      {"V9", "ascend-910b, f16 12288^2 to UB four times (shape and path assumed)", 2, true, v9},
      {"V8", "ascend-910b, f16 12288^2 to L1, to fractals", 2, true, v8},
      {"V13", "ascend-910b, attention of one head of 128, all rows see all keys", 3, false,
       flashAttention},
      {"V17",
       "ascend-910c, latent attention, 128 heads, 2 tokens of 48 conversations (48, length "
       "assumed)",
       3, false, latentAttention},
      {"V19", "ascend-910b, linear products of Qwen3-14B, 16 rows", 3, false, decodeProducts},
  };
  return cases;
}

} // namespace npu
