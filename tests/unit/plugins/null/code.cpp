// Code that is damaged, or made to harm.
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

// The checksum as the code carries it: FNV-1a of all behind the first two words.
void mend(std::vector<uint8_t> &code) {
  uint64_t sum = 0xcbf29ce484222325;
  for (size_t i = 16; i < code.size(); ++i)
    sum = (sum ^ code[i]) * 0x100000001b3;
  std::memcpy(code.data() + 8, &sum, 8);
}

class NullCode : public testing::Test {
protected:
  NullCode() { code_ = smallCode(*plugin_); }

  absl::Status load(const std::vector<uint8_t> &code) {
    return device_->load(code, "arch=null;version=1", offsets_).status();
  }

  // Whatever the code asks for: memory of the sizes that the right code needs, and an end.
  absl::Status loadAndRun(const std::vector<uint8_t> &code) {
    auto executable = device_->load(code, "arch=null;version=1", offsets_);
    if (!executable.ok())
      return executable.status();
    std::vector<runtime::DeviceBuffer> buffers;
    std::vector<lathe_binding> bindings;
    for (size_t size : {32, 16, 32, 128, 64, 0})
      bindings.push_back(
          buffers.emplace_back(*device_->allocate(size, LATHE_BUFFER_ZEROED)).binding());
    return device_->run(*executable, 0, bindings, kRows, kRows);
  }

  std::shared_ptr<runtime::Plugin> plugin_ = nullPlugin();
  std::shared_ptr<runtime::Device> device_ = *plugin_->openDevice(0);
  std::vector<uint64_t> offsets_ = {0};
  std::vector<uint8_t> code_;
};

TEST_F(NullCode, isReadAsItIs) {
  EXPECT_TRUE(loadAndRun(code_).ok()) << loadAndRun(code_);
  mend(code_);
  EXPECT_TRUE(load(code_).ok()) << "the test knows the checksum";
}

TEST_F(NullCode, isRefusedWhereverItIsCutOff) {
  for (size_t size = 0; size < code_.size(); ++size) {
    std::vector<uint8_t> cut(code_.begin(), code_.begin() + size);
    ASSERT_FALSE(load(cut).ok()) << size;
    if (size >= 16)
      mend(cut);
    ASSERT_FALSE(load(cut).ok()) << size;
  }
  code_.push_back(0);
  EXPECT_THAT(load(code_).message(), HasSubstr("not as long as its header says"));
}

TEST_F(NullCode, isRefusedWithAnyBitFlipped) {
  for (size_t i = 0; i < code_.size() * 8; ++i) {
    std::vector<uint8_t> flipped = code_;
    flipped[i / 8] ^= 1 << i % 8;
    ASSERT_EQ(load(flipped).code(), absl::StatusCode::kInvalidArgument) << i;
  }
}

TEST_F(NullCode, doesNotHarmWithABitFlippedAndTheChecksumMended) {
  for (size_t i = 128; i < code_.size() * 8; ++i) {
    std::vector<uint8_t> flipped = code_;
    flipped[i / 8] ^= 1 << i % 8;
    mend(flipped);
    loadAndRun(flipped).IgnoreError();
  }
}

TEST_F(NullCode, doesNotHarmWithAWordReplaced) {
  const uint64_t words[] = {0, 1, 2, 3, 4, 1 << 20, uint64_t{1} << 62, ~uint64_t{0}, ~uint64_t{3}};
  for (size_t i = 16; i + 8 <= code_.size(); i += 8)
    for (uint64_t word : words) {
      std::vector<uint8_t> changed = code_;
      std::memcpy(changed.data() + i, &word, 8);
      mend(changed);
      loadAndRun(changed).IgnoreError();
    }
}

TEST_F(NullCode, isRefusedWithAnotherCompatibility) {
  auto status = device_->load(code_, "arch=null;version=2", offsets_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(),
              HasSubstr("needs arch=null;version=2, this is arch=null;version=1"));
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
