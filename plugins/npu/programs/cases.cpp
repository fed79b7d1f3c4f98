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

// In microseconds, over the cube cores: published columns are means.
double meanOf(const Report &r, const std::function<double(const CoreTime &)> &cycles) {
  double sum = 0, count = 0;
  for (const CoreTime &core : r.cores)
    if (core.kind == CoreKind::Aic)
      sum += cycles(core), ++count;
  return sum / std::max(count, 1.0) / r.clockMhz;
}

double meanBusy(const Report &r, Pipe pipe) {
  return meanOf(r,
                [=](const CoreTime &core) { return core.pipes[static_cast<unsigned>(pipe)].busy; });
}

// The published program: areas of 1024 x 1536, in two rounds over A. The last column of areas is
// narrower, so the task takes longer than the mean core.
Comparisons v1() {
  GemmPlan plan{.m = 8192, .n = 8192, .k = 8192, .unitFlag = true};
  plan.areaM = 1024, plan.areaN = 1536, plan.parts = 2;
  NPU_ASSIGN_OR_RETURN(Report r, gemmTime("ascend-910b", plan));
  auto busy = [&](Pipe pipe) { return meanBusy(r, pipe); };
  double core = meanOf(r, [](const CoreTime &c) { return c.end - c.begin; });
  return std::vector<Comparison>{
      {"V1 task", r.taskMicroseconds(), 4082, 0.05}, {"V1 aicore", core, 3636.85, 0.05},
      {"V1 mac", busy(Pipe::M), 3082.16, 0.05},      {"V1 mte1", busy(Pipe::MTE1), 2553, 0.05},
      {"V1 mte2", busy(Pipe::MTE2), 3487, 0.05},     {"V1 fixpipe", busy(Pipe::FIX), 161, 0.05},
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
      {"V11 mac", meanBusy(r, Pipe::M), 193.6, 0.02},
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
  // One core alone scales: two of a group run a part each.
  constexpr uint64_t parts = 128;
  NPU_ASSIGN_OR_RETURN(Report one, timeOf("ascend-910b",
                                          [&](const Device &d) {
                                            return addKernel(d, DType::F16, 8192 * 8192 / parts * 2,
                                                             4096, false, 1);
                                          },
                                          {.blocks = 1}));
  result.push_back(
      {"V6 mte2, one core, one slot of 4096", one.pipeMicroseconds(Pipe::MTE2) * parts, 6208.8, 0});
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

// The published steps, each with its program: one core with small tiles and nothing overlapped;
// large tiles; areas of 4096 x 683 for 24 cores, then of 2048 x 1536; two slots of two tiles of k;
// slots that fill L1; A in two parts, so that B stays in the L2; unit flag. One core alone scales:
// a part is run.
Comparisons v2() {
  std::vector<Comparison> result;
  GemmPlan plan{.n = 8192, .k = 8192, .stepK = 1, .slotsL1 = 1, .slotsL0 = 1};
  auto add = [&](const char *name, unsigned blocks, double share, double published) -> Status {
    plan.m = static_cast<uint64_t>(8192 / share);
    NPU_ASSIGN_OR_RETURN(Report r, gemmTime("ascend-910b", plan, blocks));
    result.push_back({name, r.coreMicroseconds() * share, published, 0.25});
    return {};
  };
  plan.tileM = plan.tileN = 64;
  NPU_RETURN_IF_ERROR(add("V2 64^3, one core", 1, 16, 759364));
  plan.tileM = 128, plan.tileN = 256;
  NPU_RETURN_IF_ERROR(add("V2 large tiles, one core", 1, 16, 249467));
  plan.areaM = 4096, plan.areaN = 683;
  NPU_RETURN_IF_ERROR(add("V2 24 cores, 2 x 12", 24, 1, 12541));
  plan.areaM = 2048, plan.areaN = 1536;
  NPU_RETURN_IF_ERROR(add("V2 24 cores, 4 x 6", 24, 1, 12284));
  plan.slotsL1 = plan.slotsL0 = plan.stepK = 2;
  NPU_RETURN_IF_ERROR(add("V2 two slots", 24, 1, 5040));
  plan.stepK = 4;
  NPU_RETURN_IF_ERROR(add("V2 all of L1", 24, 1, 4157));
  plan.parts = 2, plan.areaM = 1024;
  NPU_RETURN_IF_ERROR(add("V2 two parts of A", 24, 1, 4053));
  plan.unitFlag = true;
  NPU_RETURN_IF_ERROR(add("V2 unit flag", 24, 1, 4012));
  return result;
}

// Each core reads all of a small matrix: all of them the same tile at a time, or each another one.
Comparisons v10() {
  using Order = CopyPlan::Order;
  CopyPlan plan{.rows = 6144, .cols = 512, .tileRows = 128, .tileCols = 64};
  std::vector<Comparison> result;
  auto add = [&](const char *name, Order order, double published) -> Status {
    plan.order = order;
    NPU_ASSIGN_OR_RETURN(
        Report r, timeOf("ascend-910b", [&](const Device &d) { return copyKernel(d, plan); }));
    result.push_back({name, r.pipeMicroseconds(Pipe::MTE2), published, 0});
    return {};
  };
  NPU_RETURN_IF_ERROR(add("V10 UB, one order", Order::Same, 474.7));
  NPU_RETURN_IF_ERROR(add("V10 UB, staggered", Order::Staggered, 307.4));
  plan.toL1 = true, plan.tileRows = 256;
  NPU_RETURN_IF_ERROR(add("V10 L1, one order", Order::Same, 240.2));
  NPU_RETURN_IF_ERROR(add("V10 L1, staggered", Order::Staggered, 209.8));
  return result;
}

// Read four times over: all of it each time, or a quarter that stays in L2.
Comparisons v9() {
  CopyPlan plan{.rows = 12288, .cols = 12288, .tileRows = 64, .tileCols = 1024, .repeats = 4};
  std::vector<Comparison> result;
  auto add = [&](const char *name, bool toL1, double parts, double published) -> Status {
    plan.toL1 = toL1, plan.rows = static_cast<uint64_t>(12288 / parts);
    NPU_ASSIGN_OR_RETURN(
        Report r, timeOf("ascend-910b", [&](const Device &d) { return copyKernel(d, plan); }));
    result.push_back({name, parts * r.coreMicroseconds(), published, 0.15});
    return {};
  };
  NPU_RETURN_IF_ERROR(add("V9 UB, nothing found in L2", false, 1, 816));
  NPU_RETURN_IF_ERROR(add("V9 UB, three of four found in L2", false, 4, 354.6));
  NPU_RETURN_IF_ERROR(add("V9 L1, nothing found in L2", true, 1, 872.2));
  NPU_RETURN_IF_ERROR(add("V9 L1, three of four found in L2", true, 4, 397.8));
  return result;
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
      {"V2", "ascend-910b, f16 8192^3, how tiling helps", 2, true, v2},
      {"V5", "ascend-910b, f16 4096 x 5120 x 4096", 2, true, v5},
      {"V6", "ascend-910b, f16 8192^2 sum of two matrices, tiles of 8192", 2, true, v6},
      {"V7", "ascend-910b, f16 12288^2 to UB", 2, true, v7},
      {"V9", "ascend-910b, f16 12288^2 to UB and L1, four times", 2, true, v9},
      {"V10", "ascend-910b, f16 6144 x 512, read by every core", 2, false, v10},
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
