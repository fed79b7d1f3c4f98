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

// The published program: 4 x 6 areas, results in f32.
Comparisons v12() {
  std::vector<Comparison> result;
  for (auto [n, published] :
       {std::pair{1536u, 38.8}, {3072u, 206.7}, {6144u, 1506.0}, {7680u, 3168.0}}) {
    GemmPlan plan{.m = n, .n = n, .k = n, .out = DType::F32};
    plan.areaM = n / 4, plan.areaN = n / 6, plan.alongRows = true;
    NPU_ASSIGN_OR_RETURN(Report r, gemmTime("ascend-910b", plan));
    result.push_back({text("V12 ", n, "^3 task"), r.taskMicroseconds(), published, 0.08});
  }
  return result;
}

// Ticks of the 50 MHz system counter between the marks of a kernel for one core.
Result<double> ticksOf(const std::function<Result<Kernel>(const Device &)> &make) {
  NPU_ASSIGN_OR_RETURN(Report r, timeOf("ascend-910b", make, {.blocks = 1}));
  double begin = 0, end = 0;
  for (const Mark &mark : r.marks)
    (mark.id ? end : begin) = mark.time;
  return (end - begin) / r.clockMhz * 50;
}

// The marks are around the reduction, and the first does not wait for the copy: so it is in the
// published program.
Result<double> sumTicks(bool halving) {
  return ticksOf([&](const Device &d) { return sumKernel(d, 1, 30000, halving); });
}

Comparisons v14() {
  NPU_ASSIGN_OR_RETURN(double halving, sumTicks(true));
  NPU_ASSIGN_OR_RETURN(double repeats, sumTicks(false));
  return std::vector<Comparison>{{"V14 halving, 50 MHz ticks", halving, 172, 0.15},
                                 {"V14 repeats, 50 MHz ticks", repeats, 242, 0.15},
                                 {"V14 difference, 50 MHz ticks", repeats - halving, 70, 0}};
}

Comparisons banks() {
  std::vector<Comparison> result;
  for (auto [name, plan, published] :
       std::initializer_list<std::tuple<const char *, BankPlan, double>>{
           {"UB, nothing meets", {.b = 0x10100, .c = 0x20000}, 2390},
           {"UB, reads of one bank", {.b = 0x4000, .c = 0x10000}, 4167},
           {"UB, reads of one group", {.b = 0x10000, .c = 0x14100}, 4167},
           {"UB, written where it is read", {.b = 0x10100, .c = 0x4000}, 2389},
           {"UB, a write beside a read", {.b = 0x10100, .c = 0x4020}, 3751},
           {"UB, in place", {.b = 0x10100, .c = 0x10100}, 2390},
           {"UB, a block, 32 bytes a row", {.b = 0x10100, .c = 0x10100, .block = true}, 3584},
           {"UB, a block, 256 bytes a row",
            {.b = 0x10100, .c = 0x10100, .block = true, .step = 256},
            2389}}) {
    NPU_ASSIGN_OR_RETURN(
        double ticks, ticksOf([&, &plan = plan](const Device &d) { return bankKernel(d, plan); }));
    result.push_back({name, ticks, published, 0.15});
  }
  return result;
}

// Areas of 1024 x 1024 are what 40 shares of a tiling by 20 cores with a pair of vector cores each
// come to; B lies as K x N. Small tiles on 4 cores, then on all; large tiles; loads that fill L1.
Comparisons v5() {
  GemmPlan plan{.m = 4096, .n = 5120, .k = 4096, .out = DType::F32};
  plan.kByN = true, plan.stepK = 1;
  plan.tileM = plan.tileN = 64, plan.tileK = 256;
  plan.areaM = 2048, plan.areaN = 2560;
  NPU_ASSIGN_OR_RETURN(Report four, gemmTime("ascend-910b", plan, 4));
  plan.areaM = plan.areaN = 1024;
  NPU_ASSIGN_OR_RETURN(Report all, gemmTime("ascend-910b", plan, 20));
  plan.tileM = 128, plan.tileN = 256, plan.tileK = 64;
  NPU_ASSIGN_OR_RETURN(Report large, gemmTime("ascend-910b", plan, 20));
  plan.stepK = 4;
  NPU_ASSIGN_OR_RETURN(Report filled, gemmTime("ascend-910b", plan, 20));
  return std::vector<Comparison>{
      {"V5 task, four cores", four.taskMicroseconds(), 12045, 0.15},
      {"V5 task, 20 cores", all.taskMicroseconds(), 2532, 0.15},
      {"V5 mte2, 20 cores", meanBusy(all, Pipe::MTE2), 2452, 0.15},
      {"V5 mte2, large tiles", meanBusy(large, Pipe::MTE2), 808, 0.15},
      {"V5 mte2, loads that fill L1", meanBusy(filled, Pipe::MTE2), 591, 0.15}};
}

Comparisons copies(bool toL1,
                   std::initializer_list<std::tuple<const char *, CopyPlan, double>> cases) {
  std::vector<Comparison> result;
  for (auto [name, plan, published] : cases) {
    plan.toL1 = toL1;
    plan.rows = plan.rows ? plan.rows : 12288, plan.cols = plan.cols ? plan.cols : 12288;
    NPU_ASSIGN_OR_RETURN(
        Report r, timeOf("ascend-910b", [&](const Device &d) { return copyKernel(d, plan); }));
    result.push_back({name, r.pipeMicroseconds(Pipe::MTE2), published, 0.15});
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

// The published steps: one core; all with small tiles, then with large ones; two slots; inputs that
// go past the L2; tiles that put the operands of a sum into different bank groups.
Comparisons v6() {
  auto add = [](unsigned tile, unsigned slots, bool nocache = false, unsigned parts = 1) {
    AddPlan plan{.tile = tile, .slots = slots, .nocache = nocache};
    plan.count = uint64_t{8192} * 8192 / parts / tile * tile;
    return timeOf("ascend-910b", [=](const Device &d) { return addKernel(d, plan); },
                  {.blocks = parts == 1 ? 0u : 1u});
  };
  // One core alone scales: two of a group run a part each.
  constexpr unsigned parts = 64;
  NPU_ASSIGN_OR_RETURN(Report one, add(4096, 1, false, parts));
  NPU_ASSIGN_OR_RETURN(Report small, add(4096, 1));
  NPU_ASSIGN_OR_RETURN(Report large, add(16384, 1));
  NPU_ASSIGN_OR_RETURN(Report two, add(16384, 2));
  NPU_ASSIGN_OR_RETURN(Report past, add(16384, 2, true));
  NPU_ASSIGN_OR_RETURN(Report last, add(16256, 2, true));
  auto loads = [](const Report &r) { return r.pipeMicroseconds(Pipe::MTE2); };
  auto sums = [](const Report &r) { return r.pipeMicroseconds(Pipe::V); };
  return std::vector<Comparison>{{"V6 mte2, one core", loads(one) * parts * 2, 6208.8, 0.15},
                                 {"V6 vec, one core", sums(one) * parts * 2, 761.65, 0.15},
                                 {"V6 mte2, tiles of 4096", loads(small), 215.5, 0},
                                 {"V6 vec, tiles of 4096", sums(small), 15.885, 0.15},
                                 {"V6 task, tiles of 4096", small.taskMicroseconds(), 306.6, 0},
                                 {"V6 mte2, tiles of 16384", loads(large), 184.4, 0},
                                 {"V6 vec, tiles of 16384", sums(large), 12.845, 0.15},
                                 {"V6 task, tiles of 16384", large.taskMicroseconds(), 268.5, 0},
                                 {"V6 task, two slots", two.taskMicroseconds(), 264.0, 0},
                                 {"V6 task, past the L2", past.taskMicroseconds(), 187.7, 0.15},
                                 {"V6 vec, operands apart", sums(last), 6.954, 0.15},
                                 {"V6 task, operands apart", last.taskMicroseconds(), 184.5, 0.15}};
}

// The published steps, each with its program: one core with small tiles and nothing overlapped;
// large tiles; areas of 4096 x 683 for 24 cores, then of 2048 x 1536; two slots of two tiles of k;
// slots that fill L1; A in two parts, so that B stays in the L2; unit flag. One core alone scales:
// a part is run.
Comparisons v2() {
  std::vector<Comparison> result;
  GemmPlan plan{.n = 8192, .k = 8192, .stepK = 1, .slotsL1 = 1, .slotsL0 = 1};
  auto timed = [&](uint64_t rows, unsigned blocks) -> Result<double> {
    plan.m = rows;
    NPU_ASSIGN_OR_RETURN(Report r, gemmTime("ascend-910b", plan, blocks));
    return r.coreMicroseconds();
  };
  // One core goes on as it began, once the L2 has B: two parts of 32 are run.
  auto addOne = [&](const char *name, double published) -> Status {
    NPU_ASSIGN_OR_RETURN(double first, timed(256, 1));
    NPU_ASSIGN_OR_RETURN(double both, timed(512, 1));
    result.push_back({name, first + 31 * (both - first), published, 0.25});
    return {};
  };
  auto add = [&](const char *name, double published) -> Status {
    NPU_ASSIGN_OR_RETURN(double time, timed(8192, 24));
    result.push_back({name, time, published, 0.25});
    return {};
  };
  plan.tileM = plan.tileN = 64;
  NPU_RETURN_IF_ERROR(addOne("V2 64^3, one core", 759364));
  plan.tileM = 128, plan.tileN = 256;
  NPU_RETURN_IF_ERROR(addOne("V2 large tiles, one core", 249467));
  plan.areaM = 4096, plan.areaN = 683;
  NPU_RETURN_IF_ERROR(add("V2 24 cores, 2 x 12", 12541));
  plan.areaM = 2048, plan.areaN = 1536;
  NPU_RETURN_IF_ERROR(add("V2 24 cores, 4 x 6", 12284));
  plan.slotsL1 = plan.slotsL0 = plan.stepK = 2;
  NPU_RETURN_IF_ERROR(add("V2 two slots", 5040));
  plan.stepK = 4;
  NPU_RETURN_IF_ERROR(add("V2 all of L1", 4157));
  plan.parts = 2, plan.areaM = 1024;
  NPU_RETURN_IF_ERROR(add("V2 two parts of A", 4053));
  plan.unitFlag = true;
  NPU_RETURN_IF_ERROR(add("V2 unit flag", 4012));
  return result;
}

// Each core reads all of a small matrix past the L2: all of them the same tile at a time, or each
// another one.
Comparisons v10() {
  using Order = CopyPlan::Order;
  CopyPlan plan{.rows = 6144, .cols = 512, .tileRows = 128, .tileCols = 64, .nocache = true};
  std::vector<Comparison> result;
  auto add = [&](const char *name, Order order, double published) -> Status {
    plan.order = order;
    NPU_ASSIGN_OR_RETURN(
        Report r, timeOf("ascend-910b", [&](const Device &d) { return copyKernel(d, plan); }));
    result.push_back({name, r.pipeMicroseconds(Pipe::MTE2), published, 0.15});
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
      {"V2", "ascend-910b, f16 8192^3, how tiling helps", 2, true, v2, true},
      {"V5", "ascend-910b, f16 4096 x 5120 x 4096", 2, true, v5},
      {"UB", "ascend-910b, 1000 sums of 4096 f32 from places in the UB, 50 MHz ticks", 2, true,
       banks},
      {"V6", "ascend-910b, f16 8192^2 sum of two matrices", 2, true, v6},
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
