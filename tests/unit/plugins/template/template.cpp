// The template of the SDK computes what its op means, and refuses the rest.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/plugins/compile_half.h"
#include "tests/unit/plugins/numbers.h"
#include "tests/unit/plugins/program_builder.h"

namespace lathe::plugins {
namespace {

using testing::HasSubstr;

constexpr int64_t kColumns = 13, kMaxRows = 5;

// x + y, or x + x.
struct Sum {
  explicit Sum(bool of_one) {
    builder.function("f", kMaxRows);
    const lathe_value *x = builder.input("x", builder.rows(kColumns));
    const lathe_value *y = of_one ? x : builder.input("y", builder.rows(kColumns));
    builder.result("sum",
                   builder.op("lathe.add", {{"lhs", x}, {"rhs", y}}, builder.rows(kColumns)));
  }
  ProgramBuilder builder;
};

class Template : public testing::Test {
protected:
  absl::StatusOr<std::vector<Floats>> run(Sum &sum, const std::vector<Floats> &inputs,
                                          int64_t rows) {
    auto compiled = Compiled::make(*plugin_, sum.builder.program());
    if (!compiled.ok())
      return compiled.status();
    auto loaded = Loaded::make(*plugin_, *compiled);
    if (!loaded.ok())
      return loaded.status();
    return loaded->run("f", inputs, {inputs[0].size()}, rows, rows);
  }

  std::shared_ptr<runtime::Plugin> plugin_ = *runtime::Plugin::load(LATHE_TEMPLATE_PLUGIN);
};

TEST_F(Template, addsRows) {
  for (int64_t rows : {int64_t{1}, int64_t{3}, kMaxRows})
    for (bool of_one : {true, false}) {
      Sum sum(of_one);
      std::vector<Floats> inputs = {numbers(rows * kColumns, 1)};
      if (!of_one)
        inputs.push_back(numbers(rows * kColumns, 2));
      auto results = run(sum, inputs, rows);
      ASSERT_TRUE(results.ok()) << results.status();
      for (size_t i = 0; i < inputs[0].size(); ++i)
        EXPECT_EQ(results->at(0)[i], inputs.front()[i] + inputs.back()[i]);
    }
}

TEST_F(Template, hasAnEntryForEachFunction) {
  Sum sum(false);
  sum.builder.function("g", 1);
  const lathe_value *x = sum.builder.input("x", sum.builder.rows(2));
  sum.builder.result("sum",
                     sum.builder.op("lathe.add", {{"lhs", x}, {"rhs", x}}, sum.builder.rows(2)));
  auto compiled = Compiled::make(*plugin_, sum.builder.program());
  ASSERT_TRUE(compiled.ok()) << compiled.status();
  auto loaded = Loaded::make(*plugin_, *compiled);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->run("g", {{1, 2}}, {2}, 1, 1)->at(0), (Floats{2, 4}));
  const Floats ones(kColumns, 1);
  EXPECT_EQ(loaded->run("f", {ones, ones}, {ones.size()}, 1, 1)->at(0), Floats(kColumns, 2));
  EXPECT_TRUE(absl::IsNotFound(loaded->run("h", {}, {}, 1, 1).status()));
}

TEST_F(Template, refusesADeviceThatItHasNotListed) {
  EXPECT_EQ(plugin_->deviceCount(), 1u);
  EXPECT_TRUE(absl::IsNotFound(plugin_->openDevice(1).status()));
}

TEST_F(Template, refusesAnAlignmentThatIsNoPowerOfTwo) {
  auto device = *plugin_->openDevice(0);
  EXPECT_TRUE(absl::IsInvalidArgument(device->allocate(64, 0, 3).status()));
  EXPECT_TRUE(device->allocate(64, 0, 4096).ok());
}

TEST_F(Template, saysWhatItTakes) {
  Sum sum(false);
  EXPECT_EQ(supports(*plugin_, sum.builder.lastOp())->verdict, LATHE_SUPPORT_YES);
  const lathe_value *x = sum.builder.input("x", sum.builder.outputRows(4));
  sum.builder.op("lathe.add", {{"lhs", x}, {"rhs", x}}, sum.builder.outputRows(4));
  EXPECT_EQ(supports(*plugin_, sum.builder.lastOp())->reason, LATHE_REASON_UNSUPPORTED_TYPE);
  sum.builder.op("lathe.swiglu", {{"gate", x}, {"up", x}}, sum.builder.outputRows(4));
  EXPECT_EQ(supports(*plugin_, sum.builder.lastOp())->reason, LATHE_REASON_UNSUPPORTED_OP);
  EXPECT_THAT(Compiled::make(*plugin_, sum.builder.program()).status().message(),
              HasSubstr("takes functions of one op"));
}

TEST_F(Template, refusesSmallBuffersAndDamagedCode) {
  Sum sum(false);
  EXPECT_THAT(run(sum, {Floats(kColumns), Floats(kColumns)}, 2).status().message(),
              HasSubstr("a binding is smaller than its rows"));
  auto code = Compiled::make(*plugin_, sum.builder.program())->code();
  auto device = *plugin_->openDevice(0);
  EXPECT_TRUE(device->load(code, "arch=template;version=1").ok());
  for (size_t size = 0; size < code.size(); ++size)
    EXPECT_FALSE(device->load({code.data(), size}, "arch=template;version=1").ok());
  code[0] ^= 1;
  EXPECT_FALSE(device->load(code, "arch=template;version=1").ok());
}

} // namespace
} // namespace lathe::plugins
