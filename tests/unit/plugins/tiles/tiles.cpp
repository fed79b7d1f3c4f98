// A plugin that is handed kernels over tiles: what it takes, what it computes, and what it makes of
// code that is damaged. Whole models are in tests/golden/placed.cpp.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/plugins/compile_half.h"
#include "tests/unit/plugins/numbers.h"
#include "tests/unit/plugins/program_builder.h"

namespace lathe::plugins {
namespace {

using testing::HasSubstr;

constexpr int64_t kRows = 5, kColumns = 11, kTileRows = 2, kTileColumns = 4; // partial at both ends

// x + silu(x * w), w a vector.
struct Gate {
  Gate() {
    const lathe_type *vector = kernel.tensor({kColumns}, LATHE_ELEMENT_BF16);
    const lathe_type *tile = kernel.tensor({kTileRows, kTileColumns});
    kernel.function("gate", 0);
    const lathe_value *x = kernel.input("x", kernel.rows(kColumns));
    const lathe_value *w = kernel.input("w", vector);
    const lathe_value *row =
        kernel.op("tile.load_row", {{"input", w}}, kernel.tensor({1, kTileColumns}));
    const lathe_value *at = kernel.op("tile.load", {{"input", x}}, tile);
    const lathe_value *product = kernel.op("tile.mul", {{"lhs", at}, {"rhs", row}}, tile);
    const lathe_value *silu = kernel.op("tile.silu", {{"input", product}}, tile);
    kernel.result("tile", kernel.op("tile.add", {{"lhs", at}, {"rhs", silu}}, tile));

    program.function("f", kRows);
    const lathe_value *rows = program.input("x", program.rows(kColumns));
    const lathe_value *weight = program.weight("w", vector, storedAs(LATHE_ELEMENT_BF16, factors));
    result = program.launch(kernel, kTileRows, kTileColumns, {{"x", rows}, {"w", weight}},
                            program.rows(kColumns));
    program.result("y", result);
  }

  Floats factors = numbers(kColumns, 1);
  ProgramBuilder kernel, program;
  const lathe_value *result;
};

class TilesPlugin : public testing::Test {
protected:
  absl::StatusOr<runtime::Executable> load(absl::Span<const uint8_t> code) {
    const std::vector<uint64_t> weight_offsets = {0};
    return device_->load(code, "arch=tiles;version=1", weight_offsets);
  }

  void runIfItLoads(absl::Span<const uint8_t> code) {
    auto executable = load(code);
    auto entry = executable.ok() ? executable->entry("f") : executable.status();
    if (!entry.ok())
      return;
    std::vector<runtime::DeviceBuffer> buffers;
    std::vector<lathe_binding> bindings; // x, y, scratch, weights, state
    for (int i = 0; i < 5; ++i)
      bindings.push_back(buffers.emplace_back(*device_->allocate(4096, LATHE_BUFFER_ZEROED)).binding());
    device_->run(*executable, *entry, bindings, kRows, kRows).IgnoreError();
  }

  std::shared_ptr<runtime::Plugin> plugin_ = *runtime::Plugin::load(LATHE_PLUGIN_UNDER_TEST);
  std::shared_ptr<runtime::Device> device_ = *plugin_->openDevice(0);
};

TEST_F(TilesPlugin, runsAKernelAtEachPointOfItsGrid) {
  Gate gate;
  auto compiled = Compiled::make(*plugin_, gate.program.program());
  ASSERT_TRUE(compiled.ok()) << compiled.status();
  auto loaded = Loaded::make(*plugin_, *compiled);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  for (int64_t rows = 1; rows <= kRows; ++rows) {
    const Floats x = numbers(rows * kColumns, 2);
    auto y = loaded->run("f", {x}, {x.size()}, rows, rows);
    ASSERT_TRUE(y.ok()) << y.status();
    for (size_t i = 0; i < x.size(); ++i) {
      const float product = x[i] * gate.factors[i % kColumns];
      EXPECT_NEAR(y->at(0)[i], x[i] + product / (1 + std::exp(-product)), 1e-6) << i;
    }
  }
}

TEST_F(TilesPlugin, saysWhatItTakes) {
  Gate gate;
  EXPECT_EQ(supports(*plugin_, gate.kernel.lastOp())->verdict, LATHE_SUPPORT_YES);
  EXPECT_EQ(supports(*plugin_, gate.program.lastOp())->verdict, LATHE_SUPPORT_YES);
  gate.kernel.op("lathe.add", {}, gate.kernel.rows(4));
  EXPECT_EQ(supports(*plugin_, gate.kernel.lastOp())->reason, LATHE_REASON_UNSUPPORTED_OP);
  const lathe_value *codes = gate.kernel.input("w", gate.kernel.quantized({4, 4}));
  gate.kernel.op("tile.load_weight", {{"weight", codes}}, gate.kernel.tensor({4, 4}));
  EXPECT_EQ(supports(*plugin_, gate.kernel.lastOp())->reason, LATHE_REASON_UNSUPPORTED_TYPE);
}

TEST_F(TilesPlugin, refusesAResultThatNoLaunchGives) {
  Gate gate;
  gate.program.result("again", gate.result);
  EXPECT_THAT(Compiled::make(*plugin_, gate.program.program()).status().message(),
              HasSubstr("a result is what a launch gives, and once"));
}

// A damaged byte is refused when the code is loaded, or changes what is computed, and no more.
TEST_F(TilesPlugin, survivesDamagedCode) {
  Gate gate;
  auto compiled = Compiled::make(*plugin_, gate.program.program());
  ASSERT_TRUE(compiled.ok()) << compiled.status();
  const std::vector<uint8_t> code = compiled->code();
  EXPECT_TRUE(load(code).ok());
  for (size_t size = 0; size < code.size(); ++size)
    EXPECT_FALSE(load({code.data(), size}).ok());
  for (size_t at = 0; at < code.size(); ++at)
    for (uint8_t flip : {1, 0x80, 0xff}) {
      std::vector<uint8_t> damaged = code;
      damaged[at] ^= flip;
      runIfItLoads(damaged);
    }
}

} // namespace
} // namespace lathe::plugins
