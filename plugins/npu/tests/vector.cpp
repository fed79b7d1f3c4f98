// The vector instructions, each against a line of plain C++.
#include "builder/builder.h"
#include "rig.h"
#include "sim/numerics.h"

#include <cmath>
#include <numeric>

namespace npu {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Copies inputs to UB at fixed places, runs `body`, copies UB out.
class VectorTest : public testing::Test {
protected:
  static constexpr unsigned slot = 2048; // bytes of an input or output place

  // Inputs lie at 0, slot, 2 slot; the output is what `body` leaves at 4 slot.
  template <class Out>
  std::vector<Out> run(std::vector<std::vector<float>> floats, size_t count,
                       const std::function<void(CoreBuilder &)> &body) {
    std::vector<std::vector<int32_t>> words;
    for (auto &one : floats) {
      words.emplace_back(one.size());
      std::memcpy(words.back().data(), one.data(), one.size() * 4);
    }
    return runWords<Out>(words, count, body);
  }

  template <class Out>
  std::vector<Out> runWords(std::vector<std::vector<int32_t>> words, size_t count,
                            const std::function<void(CoreBuilder &)> &body) {
    KernelBuilder kernel(rig.machine->device(), "test");
    CoreBuilder &b = kernel.aiv();
    std::vector<uint64_t> args;
    // Buffers give the names of messages and let the builder know what is independent.
    for (unsigned i = 0; i < 8; ++i)
      b.allocate(Space::UB, slot, text("place", i));
    b.when(Cmp::Eq, b.id(Id::Sub), 0, [&] {
      for (unsigned i = 0; i < words.size(); ++i) {
        kernel.buffer(text("in", i), ArgAccess::Read, words[i].size() * 4);
        args.push_back(rig.put(words[i]));
        b.ldUb(i * slot, b.arg(i), words[i].size() * 4, 1, 0, 0, true);
      }
      b.sync(Pipe::MTE2, Pipe::V);
      body(b);
      b.sync(Pipe::V, Pipe::MTE3);
      unsigned out = kernel.buffer("out", ArgAccess::Write, count * sizeof(Out));
      args.push_back(rig.empty(count * sizeof(Out)));
      b.stGm(b.arg(out), 4 * slot, count * sizeof(Out));
    });
    Result<Kernel> made = kernel.finish();
    EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.message());
    if (!made.ok())
      return {};
    error = rig.run(*made, args);
    EXPECT_EQ(error, expectedError);
    return error.empty() ? rig.get<Out>(args.back(), count) : std::vector<Out>();
  }

  Rig rig;
  std::string error, expectedError;
};

std::vector<float> some(size_t n, float scale = 1, float offset = 0) {
  std::vector<float> values(n);
  for (size_t i = 0; i < n; ++i)
    values[i] = scale * (float((i * 37 + 11) % 101) - 50) / 7 + offset;
  return values;
}

TEST_F(VectorTest, binaryOpsComputeElementByElement) {
  auto x = some(100), y = some(100, 0.3f, 0.1f);
  std::pair<Op, float (*)(float, float)> ops[] = {
      {Op::Vadd, [](float a, float b) { return a + b; }},
      {Op::Vsub, [](float a, float b) { return a - b; }},
      {Op::Vmul, [](float a, float b) { return a * b; }},
      {Op::Vdiv, [](float a, float b) { return a / b; }},
      {Op::Vmax, [](float a, float b) { return std::max(a, b); }},
      {Op::Vmin, [](float a, float b) { return std::min(a, b); }}};
  for (auto [op, f] : ops) {
    auto z = run<float>({x, y}, 100, [op = op](CoreBuilder &b) {
      b.binary(op, DType::F32, 4 * slot, 0, slot, {.cols = 100});
    });
    for (size_t i = 0; i < z.size(); ++i)
      ASSERT_EQ(z[i], f(x[i], y[i])) << infoOf(op).mnemonic;
  }
}

TEST_F(VectorTest, halfIsComputedInSingleAndRoundedOnce) {
  auto z = run<uint16_t>({some(64), some(64, 0.1f)}, 64, [](CoreBuilder &b) {
    b.cast(DType::F32, DType::F16, 2 * slot, 0, {.cols = 64});
    b.cast(DType::F32, DType::F16, 3 * slot, slot, {.cols = 64});
    b.binary(Op::Vmul, DType::F16, 4 * slot, 2 * slot, 3 * slot, {.cols = 64});
  });
  auto x = some(64), y = some(64, 0.1f);
  for (size_t i = 0; i < z.size(); ++i)
    ASSERT_EQ(z[i], f32ToF16(f16ToF32(f32ToF16(x[i])) * f16ToF32(f32ToF16(y[i]))));
}

TEST_F(VectorTest, rowsMayShareAnOperandOrABlock) {
  auto x = some(4 * 16), row = some(16, 2), perRow = some(4, 3);
  auto z = run<float>({x, row, perRow}, 64, [](CoreBuilder &b) {
    b.binary(Op::Vadd, DType::F32, 3 * slot, 0, slot, {.rows = 4, .cols = 16, .ldb = 0});
    b.broadcastBlocks(DType::F32, 5 * slot, 2 * slot, 4);
    b.binary(Op::Vmul, DType::F32, 4 * slot, 3 * slot, 5 * slot, {.rows = 4, .cols = 16}, true);
  });
  for (size_t i = 0; i < z.size(); ++i)
    ASSERT_EQ(z[i], (x[i] + row[i % 16]) * perRow[i / 16]);
}

TEST_F(VectorTest, unaryOps) {
  auto x = some(50, 0.4f, 4.0f);
  std::pair<Op, std::function<float(float)>> ops[] = {
      {Op::Vexp, expF32},
      {Op::Vln, logF32},
      {Op::Vsqrt, [](float a) { return std::sqrt(a); }},
      {Op::Vrsqrt, [](float a) { return 1 / std::sqrt(a); }},
      {Op::Vrec, [](float a) { return 1 / a; }},
      {Op::Vneg, [](float a) { return -a; }},
      {Op::Vabs, [](float a) { return std::fabs(a); }},
      {Op::Vrelu, [](float a) { return a < 0 ? 0 : a; }}};
  for (auto &[op, f] : ops) {
    auto z = run<float>(
        {x}, 50, [op = op](CoreBuilder &b) { b.unary(op, DType::F32, 4 * slot, 0, {.cols = 50}); });
    for (size_t i = 0; i < z.size(); ++i) {
      float wanted = f(x[i]);
      ASSERT_TRUE(z[i] == wanted || (z[i] != z[i] && wanted != wanted))
          << infoOf(op).mnemonic << " " << x[i];
    }
  }
}

TEST_F(VectorTest, integersWrap) {
  auto z = runWords<int32_t>({{INT32_MAX, -7, 5}}, 3, [](CoreBuilder &b) {
    b.withScalar(Op::Vadds, DType::I32, 4 * slot, 0, 1, {.cols = 3});
  });
  EXPECT_THAT(z, ElementsAre(INT32_MIN, -6, 6));
  auto shifted = runWords<int32_t>({{-8, 12, 5}}, 3, [](CoreBuilder &b) {
    b.withScalar(Op::Vshrs, DType::I32, 4 * slot, 0, 2, {.cols = 3});
  });
  EXPECT_THAT(shifted, ElementsAre(-2, 3, 1));
}

TEST_F(VectorTest, scalarMayComeFromMemory) {
  auto z = run<float>({some(8), {3.0f}}, 8, [](CoreBuilder &b) {
    b.sync(Pipe::MTE2, Pipe::S);
    Operand s = b.loadUb(DType::F32, slot);
    b.withScalar(Op::Vmuls, DType::F32, 4 * slot, 0, s, {.cols = 8});
    b.withScalar(Op::Vaxpy, DType::F32, 4 * slot, 0, s, {.cols = 8});
  });
  auto x = some(8);
  for (size_t i = 0; i < z.size(); ++i)
    ASSERT_EQ(z[i], 3 * x[i] + 3 * x[i]);
}

// The order that the reference page promises.
float laneSum(const std::vector<float> &x) {
  float lanes[64] = {};
  for (size_t i = 0; i < x.size(); ++i)
    lanes[i % 64] += x[i];
  for (int half = 32; half; half /= 2)
    for (int j = 0; j < half; ++j)
      lanes[j] += lanes[j + half];
  return lanes[0];
}

TEST_F(VectorTest, reductionsGoInTheOrderThatIsWritten) {
  auto x = some(200);
  auto z = run<float>({x}, 2, [](CoreBuilder &b) {
    b.reduce(Op::Vrsum, DType::F32, 4 * slot, 0, 1, 200);
    b.reduce(Op::Vrmax, DType::F32, 4 * slot + 4, 0, 1, 200);
  });
  EXPECT_EQ(z[0], laneSum(x));
  EXPECT_EQ(z[1], *std::max_element(x.begin(), x.end()));
  auto at = run<int32_t>({{1, 5, 2, 5}}, 1, [](CoreBuilder &b) {
    b.reduce(Op::Vrmaxidx, DType::F32, 4 * slot, 0, 1, 4);
  });
  EXPECT_THAT(at, ElementsAre(1)); // the first of equals
}

TEST_F(VectorTest, comparesAndSelects) {
  auto x = some(40), y = some(40, -1);
  auto z = run<float>({x, y}, 40, [](CoreBuilder &b) {
    b.emit(Op::Vcmp, DType::F32, DType::None, {}, {2 * slot, 0, slot, int(Cmp::Lt), 1, 40});
    b.emit(Op::Vsel, DType::F32, DType::None, {}, {4 * slot, 2 * slot, 0, slot, 1, 40});
  });
  for (size_t i = 0; i < z.size(); ++i)
    ASSERT_EQ(z[i], std::min(x[i], y[i]));
  z = run<float>({x}, 40, [](CoreBuilder &b) {
    b.emit(Op::Vcmps, DType::F32, DType::None, {},
           {2 * slot, 0, Operand::number(0), int(Cmp::Ge), 1, 40});
    b.emit(Op::Vsels, DType::F32, DType::None, {},
           {4 * slot, 2 * slot, 0, Operand::number(-1), 1, 40});
  });
  for (size_t i = 0; i < z.size(); ++i)
    ASSERT_EQ(z[i], x[i] >= 0 ? x[i] : -1);
}

TEST_F(VectorTest, castsThroughEveryFloat) {
  auto x = some(64, 0.3f);
  std::pair<DType, std::function<float(float)>> types[] = {
      {DType::F16, [](float v) { return f16ToF32(f32ToF16(v)); }},
      {DType::Bf16, [](float v) { return bf16ToF32(f32ToBf16(v)); }},
      {DType::E4m3, [](float v) { return e4m3ToF32(f32ToE4m3(v)); }},
      {DType::E5m2, [](float v) { return e5m2ToF32(f32ToE5m2(v)); }},
      {DType::E8m0, [](float v) { return e8m0ToF32(f32ToE8m0(v)); }},
      {DType::I32, [](float v) { return std::nearbyint(v); }}};
  for (auto &[type, f] : types) {
    auto z = run<float>({x}, 64, [type = type](CoreBuilder &b) {
      b.cast(DType::F32, type, 2 * slot, 0, {.cols = 64});
      b.cast(type, DType::F32, 4 * slot, 2 * slot, {.cols = 64});
    });
    for (size_t i = 0; i < z.size(); ++i)
      ASSERT_EQ(z[i], f(x[i])) << name(type) << " " << x[i];
  }
}

TEST_F(VectorTest, gathersScattersAndCompresses) {
  auto z = runWords<int32_t>({{10, 20, 30, 40}, {12, 0, 8}}, 3, [](CoreBuilder &b) {
    b.emit(Op::Vgather, DType::I32, DType::None, {}, {4 * slot, 0, slot, 3, 16});
  });
  EXPECT_THAT(z, ElementsAre(40, 10, 30));
  z = runWords<int32_t>({{7, 8, 9}, {8, 0, 4}}, 3, [](CoreBuilder &b) {
    b.emit(Op::Vscatter, DType::I32, DType::None, {}, {4 * slot, 0, slot, 3, 12});
  });
  EXPECT_THAT(z, ElementsAre(8, 9, 7));
  z = runWords<int32_t>({{5, -1, 6, -2, 7}}, 9, [](CoreBuilder &b) {
    b.emit(Op::Vcmps, DType::I32, DType::None, {}, {slot, 0, 0, int(Cmp::Gt), 1, 5});
    b.emit(Op::Vcompress, DType::I32, DType::None, {}, {4 * slot, 0, slot, 4 * slot + 32, 5});
    b.fill(DType::I32, 5 * slot, 0, {.cols = 8});
    b.emit(Op::Vcopy, DType::I32, DType::None, {}, {6 * slot, 4 * slot, 1, 5});
    b.unary(Op::Vcopy, DType::I32, 4 * slot, 5 * slot, {.cols = 8});
    b.unary(Op::Vcopy, DType::I32, 4 * slot, 6 * slot, {.cols = 5});
  });
  EXPECT_THAT(z, ElementsAre(5, 6, 7, 0, 0, 0, 0, 0, 3));
}

TEST_F(VectorTest, interleavesAndBack) {
  auto x = some(16), y = some(16, -2);
  auto z = run<float>({x, y}, 16, [](CoreBuilder &b) {
    b.emit(Op::Vinterleave, DType::F32, DType::None, {}, {2 * slot, 0, slot, 16});
    b.emit(Op::Vdeinterleave, DType::F32, DType::None, {}, {3 * slot, 4 * slot, 2 * slot, 16});
  });
  EXPECT_EQ(z, y);
}

TEST_F(VectorTest, sortsByScoreThenIndex) {
  std::vector<float> scores(128);
  for (int i = 0; i < 128; ++i)
    scores[i] = float(i * 29 % 16);
  auto z = run<int32_t>({scores}, 256, [](CoreBuilder &b) {
    b.emit(Op::Viota, DType::I32, DType::None, {}, {slot, 0, 1, 128});
    b.emit(Op::Vsort32, DType::F32, DType::None, {}, {2 * slot, 0, slot, 4});
    b.emit(Op::Vmrgsort4, DType::F32, DType::None, {}, {4 * slot, 2 * slot, 4, 32, 256});
  });
  std::vector<int> order(128);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return scores[a] > scores[b]; });
  for (int i = 0; i < 128; ++i)
    ASSERT_EQ(z[2 * i + 1], order[i]) << i;
}

TEST_F(VectorTest, countsAndRunningSums) {
  auto z = runWords<int32_t>({{0, 2, 2, 1, 2, 9}}, 4, [](CoreBuilder &b) {
    b.emit(Op::Vhist, DType::I32, DType::None, {}, {slot, 0, 6, 4});
    b.unary(Op::Vcumsum, DType::I32, 4 * slot, slot, {.cols = 4});
  });
  EXPECT_THAT(z, ElementsAre(1, 2, 5, 5));
}

TEST_F(VectorTest, refusesWhatTheChipWouldRefuse) {
  struct Bad {
    const char *line, *why;
  } cases[] = {
      {"vadd.f32 ub:4, ub:0, ub:64, 8",
       "misaligned: dst is at ub 0x4, it must be a multiple of 32"},
      {"vadd.f32 ub:16380, ub:0, ub:64, 8", "misaligned"},
      {"vdup.f32 ub:16352, 0, 9", "out of bounds: dst ends at 0x4004, ub has 0x4000 bytes"},
      {"vadd.f32 ub:32, ub:0, ub:64, 16",
       "overlap: dst ub 0x20..0x60 and a 0x0..0x40; put them apart"},
      {"vadd.f32 ub:0, ub:0, ub:64, cols=8, rows=-1", "rows is -1, it must be 0 to"},
      {"vadd.f32 ub:128, ub:0, ub:64, 8, rows=2, lda=36",
       "the row stride of a is 36, it must be a multiple of 32"},
      {"vdup.f32 ub:0, 0, 16, rows=2, ldd=32",
       "so they overlap; make the stride at least as long as a row"},
      {"vadd.f32 ub:128, ub:0, ub:64, 8",
       "uninitialised read: ub 0x0..0x20 was not written at 0x0"},
      {"vmrgsort4.f32 ub:4096, ub:0, 5, 32, 256", "lists is 5, it must be 2 to 4"},
      {"trap 3", "trap 3"},
      {"s.div r0, 1, 0", "division by zero"},
      {"ret", "ret without a call"},
      {"s.ld.arg r0, 5", "argument 5 is asked for, the kernel has 0"},
      {"s.ld.gm.i32 r0, gm:64", "out of bounds: src at gm 0x40 is in no buffer"},
      {"set_flag V, MTE3, 8", "event 8 is none of 0 to 7"},
      {"set_flag V, MTE3, 1\nset_flag V, MTE3, 1", "the flag is set already, by #0"},
      {"set_flag V, MTE3, 1", "flag V->MTE3 1, set by #0, is still set at the end"},
      {"xset V, 1, 3", "cross-core flag 3 still counts 1 at the end"},
      {"xwait V, 3", "deadlock"},
      {"loop: b loop", "still runs after"},
  };
  for (const Bad &bad : cases) {
    LaunchOptions options;
    options.maxInstructions = 100000;
    std::string line = bad.line;
    if (line.starts_with("loop: "))
      line = "loop:\nb loop";
    EXPECT_THAT(rig.runText(text(".kernel k\n.aiv\n", line, "\nend\n"), {}, options),
                HasSubstr(bad.why))
        << bad.line;
  }
}

TEST_F(VectorTest, dependentInstructionsNeedABarrier) {
  std::string program =
      ".kernel k\n.aiv\nvdup.f32 ub:0, 1f, 8\nBAR\nvmuls.f32 ub:32, ub:0, 2f, 8\nend\n";
  auto with = [&](std::string_view bar) {
    return std::string(program).replace(program.find("BAR"), 3, bar);
  };
  EXPECT_EQ(rig.runText(with("pipe_barrier V"), {}), "");
  EXPECT_THAT(rig.runText(with(""), {}), HasSubstr("RAW hazard: ub 0x0..0x20 is used by V #0"));
  EXPECT_THAT(rig.runText(with(""), {}), HasSubstr("put pipe_barrier V between them"));
}

TEST_F(VectorTest, capabilitiesAreData) {
  Rig old("ascend-910b");
  EXPECT_THAT(old.runText(".kernel k\n.aiv\nvadd.bf16 ub:0, ub:64, ub:128, 16\nend\n", {}),
              HasSubstr("the vector unit does not compute in bf16; cast to f32 first"));
  EXPECT_THAT(old.runText(".kernel k\n.aiv\nvhist.i32 ub:0, ub:64, 4, 4\nend\n", {}),
              HasSubstr("has no vhist"));
  EXPECT_THAT(
      old.runText(".kernel k\n.aic\nmmad.e4m3.e4m3 l0c:0, l0a:0, l0b:0, 16, 16, 32\nend\n", {}),
      HasSubstr("the cube has no e4m3 by e4m3"));
  EXPECT_THAT(old.runText(".kernel k\n.aic\nvdup.f32 ub:0, 0, 8\nend\n", {}),
              HasSubstr("an aic core has no pipe V"));
  EXPECT_THAT(Rig("ascend-310p").runText(".kernel k\n.aiv\nend\n", {}),
              HasSubstr("has no such cores; put all code into .aic"));
}

} // namespace
} // namespace npu
