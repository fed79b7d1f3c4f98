// Missing synchronisation: within a core, between cores, and that what is let through does not
// depend on the mode.
#include "builder/builder.h"
#include "rig.h"

#include <random>

namespace npu {
namespace {

using testing::HasSubstr;

std::string body(std::string_view code) {
  return text(".kernel k\n.arg a buffer readwrite 4096\n.aiv\ns.id r9, sub\nb.if ne, r9, 0, "
              "done\ns.ld.arg r0, 0\n",
              code, "done:\nend\n");
}

class Hazards : public testing::Test {
protected:
  std::string run(std::string_view code, Mode mode = Mode::Functional) {
    return rig.runText(body(code), {buffer}, {.mode = mode});
  }
  Rig rig;
  uint64_t buffer = rig.put(std::vector<float>(1024, 1.0f));
};

TEST_F(Hazards, writeAfterRead) {
  std::string code = "vdup.f32 ub:0, 1f, 64\nset_flag V, MTE3, 0\nwait_flag V, MTE3, 0\nst.gm.f32 "
                     "gm:r0, ub:0, 256\nvdup.f32 ub:0, 2f, 64\n";
  EXPECT_THAT(run(code), HasSubstr("WAR hazard: ub 0x0..0x100 is used by MTE3 #6"));
  code.replace(code.rfind("vdup"), 0, "set_flag MTE3, V, 0\nwait_flag MTE3, V, 0\n");
  EXPECT_EQ(run(code), "");
}

TEST_F(Hazards, writeAfterWrite) {
  EXPECT_THAT(run("ld.ub ub:0, gm:r0, 256\nvdup.f32 ub:0, 2f, 8\n"),
              HasSubstr("WAW hazard: ub 0x0..0x20 is used by MTE2 #3"));
}

TEST_F(Hazards, neighbouringBytesAreNoHazard) {
  EXPECT_EQ(run("ld.ub ub:0, gm:r0, 256\nvdup.f32 ub:256, 2f, 8\n"), "");
  // Interleaved rows: halves of the same range.
  EXPECT_EQ(run("ld.ub ub:0, gm:r0, bursts=4, 32, src_stride=64, dst_stride=64\nvdup.f32 ub:32, "
                "2f, 8, rows=4, ldd=64\n"),
            "");
}

TEST_F(Hazards, orderMayComeThroughAThirdPipe) {
  EXPECT_EQ(run("ld.ub ub:0, gm:r0, 256\nset_flag MTE2, MTE3, 0\nwait_flag MTE2, MTE3, 0\nset_flag "
                "MTE3, V, 0\nwait_flag MTE3, V, 0\nvdup.f32 ub:0, 2f, 8\n"),
            "");
}

TEST_F(Hazards, anEventIsFreeOnlyWhenItsWaitIsKnownToBeOver) {
  std::string twice =
      "set_flag MTE2, V, 0\nwait_flag MTE2, V, 0\nBACKset_flag MTE2, V, 0\nwait_flag MTE2, V, 0\n";
  auto with = [&](std::string_view back) {
    return std::string(twice).replace(twice.find("BACK"), 4, back);
  };
  EXPECT_THAT(run(with("")),
              HasSubstr("the flag may still be set: nothing orders this behind the wait #4"));
  EXPECT_EQ(run(with("set_flag V, MTE2, 0\nwait_flag V, MTE2, 0\n")), "");
}

TEST_F(Hazards, barrierAllOrdersAll) {
  EXPECT_EQ(run("ld.ub ub:0, gm:r0, 256\nbarrier_all\nvmuls.f32 ub:0, ub:0, 2f, "
                "64\nbarrier_all\nst.gm.f32 gm:r0, ub:0, 256\n"),
            "");
}

TEST_F(Hazards, scalarLoadsWaitToo) {
  EXPECT_THAT(run("vdup.i32 ub:0, 7, 8\ns.ld.ub.i32 r1, ub:0\n"),
              HasSubstr("S #4 (s.ld.ub.i32 r1, ub:0): RAW hazard"));
  EXPECT_EQ(run("vdup.i32 ub:0, 7, 8\nset_flag V, S, 0\nwait_flag V, S, 0\ns.ld.ub.i32 r1, ub:0\n"),
            "");
}

TEST_F(Hazards, globalMemoryBetweenPipes) {
  std::string code = "vdup.f32 ub:0, 1f, 8\nset_flag V, MTE3, 0\nwait_flag V, MTE3, 0\nst.gm.f32 "
                     "gm:r0, ub:0, 32\nSYNCld.ub ub:64, gm:r0, 32\n";
  auto with = [&](std::string_view sync) {
    return std::string(code).replace(code.find("SYNC"), 4, sync);
  };
  for (Mode mode : {Mode::Functional, Mode::Timed}) {
    EXPECT_THAT(run(with(""), mode), HasSubstr("hazard: gm "));
    EXPECT_THAT(run(with(""), mode), HasSubstr("put a flag between the pipes"));
    EXPECT_EQ(run(with("set_flag MTE3, MTE2, 0\nwait_flag MTE3, MTE2, 0\n"), mode), "");
  }
}

// Two vector cores of a block: one writes, the other reads.
std::string handOver(std::string_view set, std::string_view wait) {
  return text(R"(.kernel k
.arg a buffer readwrite 4096
.aiv
s.ld.arg r0, 0
s.id r9, sub
b.if ne, r9, 0, reader
vdup.f32 ub:0, 5f, 8
set_flag V, MTE3, 0
wait_flag V, MTE3, 0
st.gm.f32 gm:r0, ub:0, 32
)",
              set, R"(
end
reader:
)",
              wait, R"(
ld.ub ub:0, gm:r0, 32
s.add r1, r0, 2048
set_flag MTE2, MTE3, 0
wait_flag MTE2, MTE3, 0
st.gm.f32 gm:r1, ub:0, 32
end
)");
}

TEST_F(Hazards, globalMemoryBetweenCores) {
  for (Mode mode : {Mode::Functional, Mode::Timed}) {
    std::string error = rig.runText(handOver("", ""), {buffer}, {.mode = mode});
    EXPECT_THAT(error, HasSubstr("hazard: gm "));
    EXPECT_THAT(error, HasSubstr("put xset and xwait, or sync_all, between the cores"));
    // Mode 1 meets both vector cores, so both set.
    EXPECT_EQ(rig.runText(handOver("xset MTE3, 1, 0\nxwait MTE3, 0", "xset S, 1, 0\nxwait MTE2, 0"),
                          {buffer}, {.mode = mode}),
              "");
    EXPECT_EQ(rig.get<float>(buffer + 2048, 1)[0], 5.0f);
    EXPECT_EQ(rig.runText(handOver("sync_all", "sync_all"), {buffer}, {.mode = mode}), "");
    // A flag on the wrong pipe orders nothing.
    EXPECT_THAT(rig.runText(handOver("xset V, 1, 0\nxwait V, 0", "xset S, 1, 0\nxwait MTE2, 0"),
                            {buffer}, {.mode = mode}),
                HasSubstr("hazard: gm "));
  }
}

TEST_F(Hazards, sumsOfFloatsFromSeveralCoresDependOnTheOrder) {
  std::string program =
      ".kernel k\n.arg a buffer readwrite 4096\n.aiv\ns.ld.arg r0, 0\nvdup.TYPE ub:0, 1, "
      "8\nset_flag V, MTE3, 0\nwait_flag V, MTE3, 0\nst.gm.TYPE gm:r0, ub:0, 32, how=add\nend\n";
  auto of = [&](std::string_view type) {
    std::string text = program;
    for (size_t at; (at = text.find("TYPE")) != text.npos;)
      text.replace(at, 4, type);
    return text;
  };
  EXPECT_THAT(rig.runText(of("f32"), {buffer}), HasSubstr("whose sum depends on their order"));
  uint64_t counts = rig.put(std::vector<int32_t>(1024, 10));
  EXPECT_EQ(rig.runText(of("i32"), {counts}), "");
  EXPECT_EQ(rig.get<int32_t>(counts, 1)[0], 12);
}

TEST_F(Hazards, flagsThatMeetAllCoresNeedAllBlocks) {
  std::string program = ".kernel k\n.aiv\nsync_all\nend\n";
  EXPECT_EQ(rig.runText(program, {}, {.blocks = 2}), "");
  EXPECT_THAT(rig.runText(program, {}, {.blocks = 3}),
              HasSubstr("takes at most 2 blocks; it was launched with 3"));
  EXPECT_EQ(rig.runText(".kernel k\n.aiv\nxset S, 0, 1\nxwait V, 1\nend\n", {}, {.blocks = 2}), "");
}

TEST_F(Hazards, aCrossFlagCountsToItsLimit) {
  std::string program = ".kernel k\n.aic\ns.mov r0, 0\nl:\nxset S, 2, 0\ns.add r0, r0, 1\nb.if lt, "
                        "r0, 16, l\nend\n.aiv\ntrap 1\n";
  EXPECT_THAT(rig.runText(program, {}),
              testing::AnyOf(HasSubstr("counts above 15"), HasSubstr("trap")));
}

TEST_F(Hazards, blocksBeyondTheGroupsTakeTurns) {
  std::string program =
      ".kernel k\n.arg a buffer readwrite 4096\n.aiv\ns.id r9, sub\nb.if ne, r9, 0, done\ns.ld.arg "
      "r0, 0\ns.id r1, block\ns.mul r2, r1, 32\ns.add r0, r0, r2\nvdup.i32 ub:0, r1, 8\nset_flag "
      "V, MTE3, 0\nwait_flag V, MTE3, 0\nst.gm.f32 gm:r0, ub:0, 32\ndone:\nend\n";
  for (Mode mode : {Mode::Functional, Mode::Timed}) {
    uint64_t out = rig.empty(4096);
    ASSERT_EQ(rig.runText(program, {out}, {.blocks = 7, .mode = mode}), "");
    for (int i = 0; i < 7; ++i)
      EXPECT_EQ(rig.get<int32_t>(out + i * 32, 1)[0], i);
  }
}

// Random programs on a few buffers, synchronised at random. Whatever passes the checks gives the
// same bytes in both modes, with and without checks.
class RandomProgram {
public:
  explicit RandomProgram(unsigned seed) : random(seed) {}

  std::string make() {
    std::string code;
    for (unsigned i = 0; i < 4; ++i)
      code += text("ld.ub ub:", i * 256, ", gm:r0, 256\n");
    code += "barrier_all\n";
    for (unsigned i = 0; i < 9; ++i)
      code += step();
    return body(code + "barrier_all\nst.gm.f32 gm:r0, ub:0, 1024\n");
  }

private:
  unsigned place() { return random() % 4 * 256; }
  std::string step() {
    static const char *pipes[] = {"MTE2", "V", "MTE3"};
    switch (random() % 8) {
    case 0: return text("ld.ub ub:", place(), ", gm:r0, ", random() % 2 ? 256 : 128, "\n");
    case 1:
      return text("vmuls.f32 ub:", place(), ", ub:", place(), ", 1.5f, ", random() % 2 ? 64 : 8,
                  "\n");
    case 2: return text("vadd.f32 ub:", place(), ", ub:", place(), ", ub:", place(), ", 64\n");
    case 3:
      return text("s.add r1, r0, ", 1024 + random() % 4 * 256, "\nst.gm.f32 gm:r1, ub:", place(),
                  ", 256\n");
    case 4: return "pipe_barrier V\n";
    case 5:
    case 6: return "barrier_all\n";
    default: {
      unsigned a = random() % 3, b = (a + 1 + random() % 2) % 3;
      return text("set_flag ", pipes[a], ", ", pipes[b], ", 0\nwait_flag ", pipes[a], ", ",
                  pipes[b], ", 0\n");
    }
    }
  }
  std::mt19937 random;
};

TEST(Modes, agreeOnEveryProgramThatPasses) {
  unsigned passed = 0;
  for (unsigned seed = 0; seed < 1000; ++seed) {
    std::string program = RandomProgram(seed).make();
    std::vector<float> results[3];
    std::string errors[3];
    LaunchOptions options[3] = {
        {.mode = Mode::Functional}, {.mode = Mode::Timed}, {.mode = Mode::Timed, .checks = false}};
    for (unsigned i = 0; i < 3; ++i) {
      Rig rig;
      std::vector<float> start(1024);
      for (size_t j = 0; j < start.size(); ++j)
        start[j] = float(j % 37) + 1;
      uint64_t buffer = rig.put(start);
      errors[i] = rig.runText(program, {buffer}, options[i]);
      results[i] = rig.get<float>(buffer, 1024);
    }
    ASSERT_EQ(errors[0].empty(), errors[1].empty()) << seed << "\n"
                                                    << errors[0] << "\n"
                                                    << errors[1] << "\n"
                                                    << program;
    if (!errors[0].empty())
      continue;
    ++passed;
    ASSERT_EQ(results[0], results[1]) << seed << program;
    ASSERT_EQ(results[0], results[2]) << seed << program;
  }
  EXPECT_GT(passed, 100u);
}

TEST(Modes, aMissingFlagSpoilsResultsInTimeIfChecksAreOff) {
  Rig rig;
  uint64_t buffer = rig.put(std::vector<float>(1024, 3.0f));
  // The load is slow, the product is quick: it multiplies what was there before.
  std::string program =
      body("vdup.f32 ub:0, 1f, 1024\nbarrier_all\nld.ub ub:0, gm:r0, 4096\nvmuls.f32 ub:4096, "
           "ub:0, 2f, 8\nbarrier_all\nst.gm.f32 gm:r0, ub:4096, 32\n");
  EXPECT_THAT(rig.runText(program, {buffer}), HasSubstr("RAW hazard"));
  ASSERT_EQ(rig.runText(program, {buffer}, {.mode = Mode::Timed, .checks = false}), "");
  EXPECT_EQ(rig.get<float>(buffer, 1)[0], 2.0f);
}

} // namespace
} // namespace npu
