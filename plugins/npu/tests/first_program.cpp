// The thinnest path: copy in, add, copy out.
#include "rig.h"

namespace npu {
namespace {

using testing::HasSubstr;

constexpr std::string_view addProgram = R"(
.kernel add
.arg a buffer read 1024
.arg b buffer read 1024
.arg c buffer write 1024
.buffer x aiv ub 0 1024
.buffer y aiv ub 1024 1024
.aiv
  s.id r9, sub
  b.if ne, r9, 0, done
  s.ld.arg r0, 0
  s.ld.arg r1, 1
  s.ld.arg r2, 2
  ld.ub ub:0, gm:r0, 1024
  ld.ub ub:1024, gm:r1, 1024
  set_flag MTE2, V, 0
  wait_flag MTE2, V, 0
  vadd.f32 ub:2048, ub:0, ub:1024, 256
  set_flag V, MTE3, 0
  wait_flag V, MTE3, 0
  st.gm.f32 gm:r2, ub:2048, 1024
done:
  end
)";

std::string without(std::string_view line) {
  std::string text(addProgram);
  size_t at = text.find(line);
  EXPECT_NE(at, text.npos);
  return text.erase(at, line.size());
}

class FirstProgram : public testing::TestWithParam<Mode> {
protected:
  FirstProgram() {
    for (int i = 0; i < 256; ++i)
      x.push_back(float(i)), y.push_back(0.5f * float(i));
    a = rig.put(x), b = rig.put(y), c = rig.empty(1024);
    options.mode = GetParam();
  }
  Rig rig;
  std::vector<float> x, y;
  uint64_t a, b, c;
  LaunchOptions options;
};

TEST_P(FirstProgram, adds) {
  ASSERT_EQ(rig.runText(addProgram, {a, b, c}, options), "");
  std::vector<float> z = rig.get<float>(c, 256);
  for (int i = 0; i < 256; ++i)
    ASSERT_EQ(z[i], x[i] + y[i]);
}

TEST_P(FirstProgram, missingFlagIsAHazardWithPipeInstructionAndAddress) {
  std::string text = without("  set_flag MTE2, V, 0\n  wait_flag MTE2, V, 0\n");
  std::string error = rig.runText(text, {a, b, c}, options);
  EXPECT_THAT(error, HasSubstr("block 0 aiv0"));
  if (options.mode == Mode::Functional) {
    EXPECT_THAT(error, HasSubstr("V #7 (vadd.f32 ub:0x800, ub:0, ub:0x400, 256): RAW hazard: ub "
                                 "0x0..0x400 (x) is used by MTE2 #5"));
    EXPECT_THAT(error, HasSubstr("put a flag MTE2->V between them"));
  }
}

TEST_P(FirstProgram, missingStoreFlagIsAHazard) {
  std::string text = without("  set_flag V, MTE3, 0\n  wait_flag V, MTE3, 0\n");
  EXPECT_NE(rig.runText(text, {a, b, c}, options), "");
}

TEST_P(FirstProgram, leftFlagIsRefused) {
  EXPECT_THAT(rig.runText(without("  wait_flag V, MTE3, 0\n"), {a, b, c}, options),
              testing::Not(""));
}

TEST_P(FirstProgram, missingSetIsADeadlockWithWhoWaitsForWhom) {
  std::string error = rig.runText(without("  set_flag MTE2, V, 0\n"), {a, b, c}, options);
  EXPECT_THAT(error, HasSubstr("deadlock"));
  EXPECT_THAT(
      error, HasSubstr("V #7 (wait_flag MTE2, V, 0) waits for MTE2, which has nothing left to do"));
  EXPECT_THAT(error, HasSubstr("waits for V, which waits itself"));
}

INSTANTIATE_TEST_SUITE_P(Modes, FirstProgram, testing::Values(Mode::Functional, Mode::Timed),
                         [](const auto &info) {
                           return info.param == Mode::Timed ? "timed" : "functional";
                         });

} // namespace
} // namespace npu
