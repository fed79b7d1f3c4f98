// Code that is damaged, or made to harm.
#include "tests/unit/plugins/damaged_code.h"
#include "tests/unit/plugins/null/null_plugin.h"

namespace lathe::plugins {
namespace {

using testing::HasSubstr;

constexpr size_t kRows = 2, kColumns = 4;

std::vector<uint8_t> smallCode(runtime::Plugin &plugin) {
  ProgramBuilder builder;
  builder.function("f", kRows);
  const lathe_value *x = builder.input("x", builder.rows(kColumns));
  const lathe_value *w =
      builder.weight("w", builder.tensor({kColumns, kColumns}), std::vector<uint8_t>(64));
  const lathe_value *y =
      builder.op("lathe.linear", {{"x", x}, {"weight", w}}, builder.rows(kColumns));
  const lathe_value *s = builder.op("lathe.add", {{"lhs", y}, {"rhs", x}}, builder.rows(kColumns));
  const lathe_value *n = builder.input("g", builder.tensor({kColumns}));
  builder.result("r", builder.op("lathe.rms_norm", {{"input", s}, {"scale", n}},
                                 builder.rows(kColumns), {{"epsilon", 1e-3}}));
  return Compiled::make(plugin, builder.program())->code();
}

class NullCode : public testing::Test {
protected:
  NullCode() { code_ = smallCode(*plugin_); }

  absl::Status load(const std::vector<uint8_t> &code) {
    return device_->load(code, "arch=null;version=2", offsets_).status();
  }

  // Whatever the code asks for: memory of the sizes that the right code needs, and an end.
  absl::Status loadAndRun(const std::vector<uint8_t> &code) {
    auto executable = device_->load(code, "arch=null;version=2", offsets_);
    if (!executable.ok())
      return executable.status();
    std::vector<runtime::DeviceBuffer> buffers;
    std::vector<lathe_binding> bindings;
    for (size_t size : {32, 16, 32, 192, 64, 0})
      bindings.push_back(
          buffers.emplace_back(*device_->allocate(size, LATHE_BUFFER_ZEROED)).binding());
    return device_->run(*executable, 0, bindings, kRows, kRows);
  }

  std::shared_ptr<runtime::Plugin> plugin_ = nullPlugin();
  std::shared_ptr<runtime::Device> device_ = *plugin_->openDevice(0);
  std::vector<uint64_t> offsets_ = {0};
  std::vector<uint8_t> code_;
};

TEST_F(NullCode, isReadAsItIs) { EXPECT_TRUE(loadAndRun(code_).ok()) << loadAndRun(code_); }

TEST_F(NullCode, isRefusedWhereverItIsCutOff) {
  expectRefusedWhereverCutOff(
      code_, [&](const CodeBytes &code) { return load(code); }, mendNothing);
}

TEST_F(NullCode, doesNotHarmWithABitFlipped) {
  useWithBitsFlipped(
      code_, [&](const CodeBytes &code) { return loadAndRun(code); }, mendNothing);
}

TEST_F(NullCode, doesNotHarmWithAWordReplaced) {
  const uint64_t words[] = {0, 1, 2, 3, 4, 1 << 20, uint64_t{1} << 62, ~uint64_t{0}, ~uint64_t{3}};
  useWithWordsReplaced(
      code_, words, [&](const CodeBytes &code) { return loadAndRun(code); }, mendNothing);
}

TEST_F(NullCode, isRefusedWithAnotherCompatibility) {
  auto status = device_->load(code_, "arch=null;version=1", offsets_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(),
              HasSubstr("needs arch=null;version=1, this is arch=null;version=2"));
}

TEST_F(NullCode, isRefusedWithAnotherNumberOfWeights) {
  offsets_ = {0, 64};
  EXPECT_THAT(load(code_).message(), HasSubstr("another number of weights"));
}

TEST_F(NullCode, doesNotReachBeyondItsWeights) {
  for (uint64_t offset : {uint64_t{4}, uint64_t{1}, uint64_t{1} << 63, ~uint64_t{63}}) {
    offsets_ = {offset};
    EXPECT_EQ(loadAndRun(code_).code(), absl::StatusCode::kInvalidArgument);
  }
}

} // namespace
} // namespace lathe::plugins
