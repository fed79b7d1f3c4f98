// What must hold of any time: nothing above peak, nothing twice on a pipe, more is not slower.
#include "programs/cases.h"
#include "programs/gemm.h"
#include "programs/streams.h"
#include "rig.h"

#include <nlohmann/json.hpp>

namespace npu {
namespace {

using testing::HasSubstr;

Report timed(const Device &device, const Kernel &kernel, unsigned blocks, bool trace = false) {
  auto machine = std::move(*Machine::create(device));
  std::vector<uint64_t> args;
  for (const Arg &arg : kernel.args)
    args.push_back(*machine->memory().reserve(arg.bytes));
  Result<Report> report = machine->launch(
      kernel, args, 0, {.blocks = blocks, .mode = Mode::TimingOnly, .trace = trace});
  EXPECT_TRUE(report.ok()) << (report.ok() ? "" : report.message());
  return report.ok() ? *report : Report();
}

GemmPlan plan() { return {.m = 1024, .n = 1024, .k = 1024}; }

void same(Device &) {} // a change that is none

double gemmCycles(const std::function<void(Device &)> &change, const GemmPlan &with = plan(),
                  unsigned blocks = 24) {
  Device device = *builtinDevice("ascend-910b");
  change(device);
  return timed(device, *gemm(device, with), blocks).coreMicroseconds();
}

TEST(Time, isMonotone) {
  double base = gemmCycles(same);
  EXPECT_LT(gemmCycles([](Device &d) { d.clockMhz *= 1.2; }), base);
  EXPECT_LE(gemmCycles([](Device &d) { d.paths[0].bytesPerCycle *= 2; }), base);
  EXPECT_GE(gemmCycles([](Device &d) { d.global.read /= 4, d.global.readWrite /= 4; }), base);
  EXPECT_GE(gemmCycles([](Device &d) { d.global.l2Read /= 4; }), base);
  EXPECT_GE(gemmCycles(same, plan(), 12), base);
  GemmPlan single = plan();
  single.slotsL1 = single.slotsL0 = 1;
  EXPECT_GE(gemmCycles(same, single), base);
  GemmPlan unit = plan();
  unit.unitFlag = true;
  EXPECT_LE(gemmCycles(same, unit), base);
}

TEST(Time, isNeverAbovePeak) {
  Device device = *builtinDevice("ascend-910b");
  Report report = timed(device, *gemm(device, plan()), 24);
  EXPECT_EQ(report.cubeOperations, 2.0 * 1024 * 1024 * 1024);
  EXPECT_LT(report.cubeOperations, report.peakOperationsPerCycle * report.cycles);
  Report copy =
      timed(device, *copyKernel(device, {.rows = 2048, .cols = 2048, .tileCols = 1024}), 24);
  EXPECT_EQ(copy.memoryBytes, 2048.0 * 2048 * 2);
  EXPECT_LT(copy.memoryBytes, device.global.read * copy.cycles);
}

double copyCycles(const std::function<void(Device &)> &change, const CopyPlan &plan) {
  Device device = *builtinDevice("ascend-910b");
  change(device);
  return timed(device, *copyKernel(device, plan), 1).cycles;
}

// Rows of 128 bytes take their own time even where the L2 has them, 2048-byte rows what their bytes
// take.
TEST(Time, ofRowsThatBecomeFractalsIsAtLeastTheirOwn) {
  auto without = [](Device &d) { d.paths[0].rowCycles = 0; };
  CopyPlan narrow{.rows = 256, .cols = 1024, .tileRows = 64, .tileCols = 64, .toL1 = true};
  CopyPlan twice = narrow;
  twice.repeats = 2;
  double rows = 256 * 1024 / 64,
         least = 0.999 * rows * builtinDevice("ascend-910b")->paths[0].rowCycles;
  EXPECT_GE(copyCycles(same, twice) - copyCycles(same, narrow), least);
  EXPECT_LT(copyCycles(without, twice) - copyCycles(without, narrow), least);
  CopyPlan wide{.rows = 256, .cols = 1024, .tileRows = 64, .tileCols = 1024, .toL1 = true};
  EXPECT_EQ(copyCycles(same, wide), copyCycles(without, wide));
}

// What the L2 has comes at the path's rate.
TEST(Time, ofWhatTheL2LacksIsThatOfItsOwnRate) {
  auto without = [](Device &d) { d.paths[1].missedBytesPerCycle = 0; };
  CopyPlan once{.rows = 128, .cols = 1024, .tileRows = 32, .tileCols = 1024}, twice = once;
  twice.repeats = 2;
  double limited = copyCycles(same, once), free = copyCycles(without, once);
  double bytesOfCore = 128 * 1024 * 2 / 2; // two vector cores
  double least = bytesOfCore / builtinDevice("ascend-910b")->paths[1].missedBytesPerCycle;
  EXPECT_GE(limited, least);
  EXPECT_LT(free, least);
  EXPECT_NEAR(copyCycles(same, twice) - limited, copyCycles(without, twice) - free, 1);
}

// A row of 128 bytes past the L2 takes missedRowCycles each time; one that the L2 keeps, once.
TEST(Time, ofRowsThatTheL2LacksIsAtLeastTheirOwn) {
  CopyPlan past{.rows = 128, .cols = 512, .tileRows = 64, .tileCols = 64, .nocache = true};
  CopyPlan twice = past, kept = past, keptTwice = past;
  twice.repeats = keptTwice.repeats = 2;
  kept.nocache = keptTwice.nocache = false;
  double rowsOfCore = 8 * 64,
         least = rowsOfCore * builtinDevice("ascend-910b")->paths[1].missedRowCycles;
  EXPECT_GE(copyCycles(same, past), least);
  EXPECT_GE(copyCycles(same, twice) - copyCycles(same, past), least);
  EXPECT_LT(copyCycles(same, keptTwice) - copyCycles(same, kept), least / 2);
}

// Past the L2, a row of 128 bytes fetches 128 bytes; into it comes the line.
TEST(Time, ofMemoryCountsWhatIsFetched) {
  Device device = *builtinDevice("ascend-910b");
  CopyPlan plan{.rows = 128, .cols = 512, .tileRows = 64, .tileCols = 64, .nocache = true};
  double whole = 128 * 512 * 2;
  EXPECT_EQ(timed(device, *copyKernel(device, plan), 1).memoryBytes, whole);
  plan.repeats = 2;
  EXPECT_EQ(timed(device, *copyKernel(device, plan), 1).memoryBytes, 2 * whole);
  plan.nocache = false;
  EXPECT_EQ(timed(device, *copyKernel(device, plan), 1).memoryBytes, whole);
}

// Cores that read one place at once share its rate; each another place, they do not.
TEST(Time, ofAPlaceIsSharedByItsReaders) {
  auto cycles = [](CopyPlan::Order order, double sharedLines) {
    Device device = *builtinDevice("ascend-910b");
    device.global.sharedLines = sharedLines;
    CopyPlan plan{.rows = 3072, .cols = 512, .tileRows = 128, .tileCols = 256, .nocache = true};
    plan.order = order;
    return timed(device, *copyKernel(device, plan), 24).cycles;
  };
  using Order = CopyPlan::Order;
  EXPECT_GT(cycles(Order::Same, 0.25), 2 * cycles(Order::Same, 0));
  EXPECT_EQ(cycles(Order::Staggered, 0.25), cycles(Order::Staggered, 0));
}

TEST(Time, isTheSameEachTime) {
  Device device = *builtinDevice("ascend-910b");
  Report a = timed(device, *gemm(device, plan()), 24), b = timed(device, *gemm(device, plan()), 24);
  EXPECT_EQ(a.cycles, b.cycles);
}

TEST(Time, withDataAndWithoutAreTheSame) {
  Rig rig("ascend-910b");
  GemmPlan small{.m = 128, .n = 256, .k = 256};
  Kernel kernel = *gemm(rig.machine->device(), small);
  std::vector<uint64_t> args{rig.put(std::vector<uint16_t>(128 * 256)),
                             rig.put(std::vector<uint16_t>(256 * 256)), rig.empty(128 * 256 * 2)};
  ASSERT_EQ(rig.run(kernel, args, {.mode = Mode::Timed}), "");
  double cycles = rig.report.cycles;
  ASSERT_EQ(rig.run(kernel, args, {.mode = Mode::TimingOnly}), "");
  EXPECT_EQ(rig.report.cycles, cycles);
}

TEST(Time, ofAVectorInstructionHasItsHeadEachTime) {
  Rig rig("ascend-910b");
  std::string one = ".kernel k\n.aiv\nvdup.f32 ub:0, 1f, 64\nend\n";
  std::string two = ".kernel k\n.aiv\nvdup.f32 ub:0, 1f, 64\nvdup.f32 ub:256, 1f, 64\nend\n";
  auto busy = [&](const std::string &program) {
    EXPECT_EQ(rig.runText(program, {}, {.mode = Mode::Timed}), "");
    return rig.report.cores[1].pipes[static_cast<unsigned>(Pipe::V)].busy;
  };
  EXPECT_EQ(busy(one), 25);
  EXPECT_EQ(busy(two), 50);
}

TEST(Time, halvingBeatsReductions) {
  Device device = *builtinDevice("ascend-910b");
  EXPECT_LT(timed(device, *sumKernel(device, 1, 30000, true), 1).pipeMicroseconds(Pipe::V),
            timed(device, *sumKernel(device, 1, 30000, false), 1).pipeMicroseconds(Pipe::V));
}

TEST(Trace, opensAndHasNoOverlapWithinAPipe) {
  Device device = *builtinDevice("ascend-910b");
  Kernel kernel = *gemm(device, {.m = 256, .n = 512, .k = 512});
  Report report = timed(device, kernel, 4, true);
  std::map<std::pair<unsigned, Pipe>, double> last;
  for (const Span &span : report.spans) {
    double &end = last[{span.core, span.pipe}];
    ASSERT_GE(span.begin, end);
    ASSERT_GE(span.end, span.begin);
    end = span.end;
  }
  nlohmann::json trace = nlohmann::json::parse(chromeTrace(report, kernel));
  unsigned spans = 0;
  for (const auto &event : trace["traceEvents"])
    spans += event["ph"] == "X";
  EXPECT_EQ(spans, report.spans.size());
  EXPECT_GT(spans, 100u);
  EXPECT_THAT(columnsText(report), HasSubstr("fixpipe_us"));
  EXPECT_THAT(rooflineText(report), HasSubstr("bound by"));
}

class Published : public testing::TestWithParam<const Case *> {};

void expectOrder(const std::vector<Comparison> &steps) {
  for (size_t i = 1; i < steps.size(); ++i)
    EXPECT_LT(steps[i].model, steps[i - 1].model) << steps[i].name;
}

// Names end in the case, so that `npu-validate CASE` is the command that shows a failing one.
TEST_P(Published, timesAreMet) {
  auto result = GetParam()->run();
  ASSERT_TRUE(result.ok()) << result.message();
  for (const Comparison &c : *result)
    EXPECT_TRUE(c.holds()) << c.name << ": model " << c.model << ", published " << c.published
                           << ", " << 100 * c.error() << " % off, " << 100 * c.tolerance
                           << " % allowed";
  if (GetParam()->isLadder)
    expectOrder(*result);
}

std::vector<const Case *> quickCases() {
  std::vector<const Case *> cases;
  for (const Case &one : validationCases())
    if (one.quick)
      cases.push_back(&one);
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Timings, Published, testing::ValuesIn(quickCases()),
                         [](const auto &info) { return info.param->name; });

} // namespace
} // namespace npu
