// Code that is damaged, or made to harm.
#include "tests/unit/plugins/damaged_code.h"
#include "tests/unit/plugins/onednn/onednn_plugin.h"

namespace lathe::plugins {
namespace {

using testing::HasSubstr;

constexpr size_t kRows = 2, kColumns = 4;
const char kCompatibility[] = "arch=onednn;version=1;products=f32";

// A product, a norm, attention over a cache.
std::vector<uint8_t> smallCode(runtime::Plugin &plugin, uint64_t &scratch, uint64_t &state) {
  ProgramBuilder builder;
  builder.function("f", kRows);
  const lathe_type *cache_type = builder.kvCache();
  const lathe_value *x = builder.input("x", builder.rows(kColumns));
  const lathe_value *slots =
      builder.input("slots", builder.tensor({LATHE_EXTENT_ROWS}, LATHE_ELEMENT_I32));
  const lathe_value *cache = builder.input("c", cache_type);
  const lathe_value *w =
      builder.weight("w", builder.tensor({16, kColumns}), std::vector<uint8_t>(256));
  const lathe_value *y = builder.op("lathe.linear", {{"x", x}, {"weight", w}}, builder.rows(16));
  const lathe_value *n = builder.weight("g", builder.tensor({16}), std::vector<uint8_t>(64));
  const lathe_value *q = builder.op("lathe.rms_norm", {{"input", y}, {"scale", n}},
                                    builder.rows(16), {{"epsilon", 1e-3}});
  const auto results = builder.op("lathe.attention",
                                  {{"query", q},
                                   {"key", y},
                                   {"value", y},
                                   {"slots", slots},
                                   {"positions", slots},
                                   {"cache", cache}},
                                  {{"result", builder.rows(16)}, {"updated", cache_type}},
                                  {{"num_heads", 0, 4}, {"softmax_scale", 0.5}});
  builder.result("r", results[0]);
  auto compiled = Compiled::make(plugin, builder.program());
  EXPECT_TRUE(compiled.ok()) << compiled.status();
  scratch = compiled->get().entries[0]->scratch_bytes;
  state = compiled->get().state_bytes;
  return compiled->code();
}

class OnednnCode : public OnednnTest {
protected:
  OnednnCode() { code_ = smallCode(*plugin_, scratch_, state_); }

  absl::Status load(const std::vector<uint8_t> &code) {
    return device_->load(code, kCompatibility, offsets_).status();
  }

  // Whatever the code asks for: memory of the sizes that the right code needs, and an end.
  absl::Status loadAndRun(const std::vector<uint8_t> &code) {
    auto executable = device_->load(code, kCompatibility, offsets_);
    if (!executable.ok())
      return executable.status();
    std::vector<runtime::DeviceBuffer> buffers;
    std::vector<lathe_binding> bindings;
    for (size_t size : {size_t{32}, size_t{8}, size_t{128}, scratch_, size_t{320}, state_})
      bindings.push_back(
          buffers.emplace_back(*device_->allocate(size, LATHE_BUFFER_ZEROED)).binding());
    return device_->run(*executable, 0, bindings, kRows, kRows);
  }

  std::shared_ptr<runtime::Device> device_ = *plugin_->openDevice(0);
  std::vector<uint64_t> offsets_ = {0, 256};
  std::vector<uint8_t> code_;
  uint64_t scratch_ = 0, state_ = 0;
};

TEST_F(OnednnCode, isReadAsItIs) {
  EXPECT_TRUE(loadAndRun(code_).ok()) << loadAndRun(code_);
  mendChecksum(code_);
  EXPECT_TRUE(load(code_).ok()) << "the test knows the checksum";
}

TEST_F(OnednnCode, isRefusedWhereverItIsCutOff) {
  expectRefusedWhereverCutOff(code_, [&](const CodeBytes &code) { return load(code); });
}

TEST_F(OnednnCode, isRefusedWithAnyBitFlipped) {
  expectRefusedWithAnyBitFlipped(code_, [&](const CodeBytes &code) { return load(code); });
}

TEST_F(OnednnCode, doesNotHarmWithABitFlippedAndTheChecksumMended) {
  useWithBitsFlipped(code_, [&](const CodeBytes &code) { return loadAndRun(code); });
}

TEST_F(OnednnCode, doesNotHarmWithAWordReplaced) {
  const uint64_t words[] = {
      0, 1, 2, 3, 4, 5, 16, 1 << 20, 1 << 21, 128, 1ull << 62, ~uint64_t{0}, ~uint64_t{3}};
  useWithWordsReplaced(code_, words, [&](const CodeBytes &code) { return loadAndRun(code); });
}

TEST_F(OnednnCode, isRefusedWithAnotherCompatibility) {
  const auto status = device_->load(code_, "arch=onednn;version=2", offsets_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("needs arch=onednn;version=2"));
}

TEST_F(OnednnCode, isRefusedWithAnotherNumberOfWeights) {
  offsets_ = {0};
  EXPECT_THAT(load(code_).message(), HasSubstr("another number of weights"));
}

TEST_F(OnednnCode, doesNotReachBeyondItsWeights) {
  for (uint64_t offset : {uint64_t{128}, uint64_t{1}, uint64_t{1} << 63, ~uint64_t{63}}) {
    offsets_ = {offset, 256};
    EXPECT_EQ(loadAndRun(code_).code(), absl::StatusCode::kInvalidArgument);
  }
}

} // namespace
} // namespace lathe::plugins
