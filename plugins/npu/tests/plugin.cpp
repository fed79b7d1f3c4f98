// Both halves through the border, as a host uses them, and what they refuse.
#include "loaded_model.h"
#include "plugin/code.h"

namespace npu::plugin {
namespace {

using testing::HasSubstr;

TEST(Plugin, compilesAndRunsOnEveryDevice) {
  auto list = args<lathe_device_list_args>();
  ASSERT_EQ(message_of(device_api.device_list(&list)), "");
  ASSERT_EQ(list.device_count, builtinDeviceNames().size());
  for (uint32_t index = 0; index < list.device_count; ++index) {
    Loaded loaded(index);
    EXPECT_EQ(loaded.properties.simulated, 1u);
    ASSERT_EQ(loaded.load(loaded.code()), "");
    for (int64_t rows : {1, 3, 20}) {
      std::vector<float> x = wave(rows * cols, 0.21f), out, wanted = loaded.model.wanted(x);
      ASSERT_EQ(loaded.run(x, out, loaded.compiled->entries[0]->scratch_bytes, rows), "");
      for (size_t i = 0; i < x.size(); ++i)
        ASSERT_NEAR(out[i], wanted[i], 5e-3)
            << view(loaded.properties.level) << " row " << i / cols;
    }
  }
}

TEST(Plugin, saysWhatARunLacks) {
  Loaded loaded(0);
  ASSERT_EQ(loaded.load(loaded.code()), "");
  std::vector<float> x = wave(cols, 0.2f), out;
  EXPECT_THAT(loaded.run(x, out, 0, 1), HasSubstr("bytes of scratch"));
  uint64_t scratch = loaded.compiled->entries[0]->scratch_bytes;
  EXPECT_THAT(loaded.run(x, out, scratch, 21), HasSubstr("step takes 1 to 20"));
  // Twenty rows of an input that has one: the simulator knows where its buffer ends.
  EXPECT_THAT(loaded.run(x, out, scratch, 20), HasSubstr("rms_norm 24"));
}

TEST(Plugin, refusesCodeOfAnotherDevice) {
  Loaded first(0), second(1);
  EXPECT_THAT(first.load(second.code()), HasSubstr("made for"));
}

// As if somebody had known how to make the checksum right.
std::string with_checksum(std::string bytes) {
  uint64_t sum = 0xcbf29ce484222325;
  for (size_t i = 16; i < bytes.size(); ++i)
    sum = (sum ^ static_cast<unsigned char>(bytes[i])) * 0x100000001b3;
  std::memcpy(&bytes[8], &sum, 8);
  return bytes;
}

TEST(Plugin, refusesDamagedCode) {
  Loaded loaded(0);
  std::string good(loaded.code());
  Device device = *builtinDevice(view(loaded.properties.level));
  ASSERT_TRUE(read_code(good, device).ok());
  for (size_t length = 0; length < good.size(); length += 1 + length / 8)
    EXPECT_FALSE(read_code(good.substr(0, length), device).ok());
  for (size_t at = 0; at < good.size(); at += 1 + at / 16) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x55);
    EXPECT_FALSE(read_code(bad, device).ok()) << at;
  }
}

// Whatever is in it, reading ends with an answer; what is read has no index out of bounds.
TEST(Plugin, readsHostileCodeWithoutHarm) {
  Loaded loaded(0);
  std::string good(loaded.code());
  Device device = *builtinDevice(view(loaded.properties.level));
  uint64_t state = 1;
  size_t taken = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string bad = good;
    for (int change = 0; change < 1 + i % 3; ++change) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      bad[16 + (state >> 33) % (bad.size() - 16)] = static_cast<char>(state >> 13);
    }
    Result<Code> code = read_code(with_checksum(bad), device);
    if (!code.ok())
      continue;
    ++taken;
    for (const Entry &entry : code->entries)
      for (const Launch &launch : entry.launches)
        ASSERT_LT(launch.kernel, code->module.kernels.size());
  }
  EXPECT_GT(taken, 0u);
}

// ---- Answers

struct Answer {
  uint32_t verdict, reason;
  std::string text, error;
};

Answer ask(const lathe_op *op, std::string_view device) {
  char room[256] = {};
  auto asked = args<lathe_support_args>();
  asked.target = target(device);
  asked.op = op;
  asked.rows = 1;
  asked.text = {room, sizeof room, 0};
  std::string problem = message_of(compile_api.supports(&asked));
  return {asked.verdict, asked.reason, std::string(room, std::min(asked.text.size, sizeof room)),
          problem};
}

TEST(Plugin, namesWhatItConverts) {
  Program program;
  const lathe_value *x = program.input("x", LATHE_ELEMENT_F32, {LATHE_EXTENT_ROWS, 8});
  const lathe_value *w = program.weight("w", {4, 8}, wave(32, 1));
  program.op("lathe.linear", {{"x", x}, {"weight", w}}, {LATHE_EXTENT_ROWS, 4});
  Answer answer = ask(program.last_op(), "ascend-310p");
  EXPECT_EQ(answer.verdict, uint32_t{LATHE_SUPPORT_CONVERTED});
  EXPECT_THAT(answer.text, HasSubstr("f16"));
  // A cube with f32 converts nothing.
  EXPECT_EQ(ask(program.last_op(), "ascend-910b").verdict, uint32_t{LATHE_SUPPORT_YES});
  program.op("lathe.add", {{"lhs", x}, {"rhs", x}}, {LATHE_EXTENT_ROWS, 8});
  EXPECT_EQ(ask(program.last_op(), "ascend-910b").verdict, uint32_t{LATHE_SUPPORT_YES});
}

TEST(Plugin, saysWhyNot) {
  Program program;
  const lathe_value *x = program.input("x", LATHE_ELEMENT_F32, {LATHE_EXTENT_ROWS, 8});
  program.op("lathe.selective_scan", {{"x", x}}, {LATHE_EXTENT_ROWS, 8});
  Answer answer = ask(program.last_op(), "tiny");
  EXPECT_EQ(answer.reason, uint32_t{LATHE_REASON_UNSUPPORTED_OP});
  EXPECT_EQ(answer.text, "this plugin has no lathe.selective_scan");
  const lathe_value *codes = program.input("codes", LATHE_ELEMENT_E4M3, {LATHE_EXTENT_ROWS, 8});
  program.op("lathe.add", {{"lhs", codes}, {"rhs", codes}}, {LATHE_EXTENT_ROWS, 8});
  answer = ask(program.last_op(), "tiny");
  EXPECT_EQ(answer.reason, uint32_t{LATHE_REASON_UNSUPPORTED_TYPE});
  EXPECT_THAT(answer.text, HasSubstr("lhs is e4m3"));
}

TEST(Plugin, callsNonsenseAnError) {
  Program program;
  const lathe_value *x = program.input("x", LATHE_ELEMENT_F32, {LATHE_EXTENT_ROWS, 8});
  const lathe_value *w = program.weight("w", {4, 9}, wave(36, 1));
  program.op("lathe.linear", {{"x", x}, {"weight", w}}, {LATHE_EXTENT_ROWS, 4});
  EXPECT_THAT(ask(program.last_op(), "tiny").error, HasSubstr("x has 8 columns, its weight 9"));
}

} // namespace
} // namespace npu::plugin
