// The steps of a decoder with latent attention, routed experts and FP8, each as a small program:
// that the instructions are enough, and that they are right together.
#include "builder/builder.h"
#include "rig.h"
#include "sim/numerics.h"

#include <cmath>

namespace npu {
namespace {

constexpr DType f32 = DType::F32;

// Builds a program for one vector core and runs it in both modes, which must agree.
class Decoder : public testing::Test {
protected:
  template <class T> uint64_t put(const std::vector<T> &values) {
    kernel.buffer(text("in", args.size()), ArgAccess::ReadWrite, values.size() * sizeof(T));
    args.push_back(rig.put(values));
    return args.size() - 1;
  }
  uint64_t output(uint64_t bytes) {
    kernel.buffer("out", ArgAccess::Write, bytes);
    args.push_back(rig.empty(bytes));
    return args.size() - 1;
  }
  void onOneCore(const std::function<void()> &body) {
    b.when(Cmp::Eq, b.id(Id::Sub), 0, body);
    Result<Kernel> made = kernel.finish();
    ASSERT_TRUE(made.ok()) << made.message();
    ASSERT_EQ(rig.run(*made, args, {.mode = Mode::Functional}), "");
    ASSERT_EQ(rig.run(*made, args, {.mode = Mode::Timed}), "");
  }
  Buffer load(unsigned arg, uint64_t bytes) {
    Buffer to = b.allocate(Space::UB, (bytes + 31) / 32 * 32, "loaded");
    b.ldUb(to, b.arg(arg), bytes, 1, 0, 0, true);
    return to;
  }
  Buffer room(uint64_t bytes) { return b.allocate(Space::UB, (bytes + 31) / 32 * 32, "room"); }

  Rig rig;
  KernelBuilder kernel{rig.machine->device(), "step"};
  CoreBuilder &b = kernel.aiv();
  std::vector<uint64_t> args;
};

std::vector<float> wave(size_t n, float scale = 1) {
  std::vector<float> values(n);
  for (size_t i = 0; i < n; ++i)
    values[i] = scale * std::sin(float(i) * 0.7f + 0.3f);
  return values;
}

TEST_F(Decoder, embeddingRowsByToken) {
  std::vector<float> table = wave(10 * 16);
  put(table), put(std::vector<int32_t>{7, 2, 9}), output(3 * 64);
  onOneCore([&] {
    Buffer tokens = load(1, 12), rows = room(3 * 64);
    b.sync(Pipe::MTE2, Pipe::MTE2);
    b.ldUbGather(rows, b.arg(0), tokens, 3, 64, 64, 10);
    b.sync(Pipe::MTE2, Pipe::MTE3);
    b.stGm(b.arg(2), rows, 3 * 64);
  });
  auto out = rig.get<float>(args[2], 48);
  EXPECT_EQ(out[0], table[7 * 16]);
  EXPECT_EQ(out[47], table[9 * 16 + 15]);
}

TEST_F(Decoder, rmsNorm) {
  auto x = wave(4 * 64), g = wave(64, 2);
  put(x), put(g), output(4 * 64 * 4);
  onOneCore([&] {
    Buffer in = load(0, 1024), gain = load(1, 256), square = room(1024), sums = room(32),
           blocks = room(128);
    b.sync(Pipe::MTE2, Pipe::V);
    Tile rows{.rows = 4, .cols = 64};
    b.binary(Op::Vmul, f32, square, in, in, rows);
    b.reduce(Op::Vrsum, f32, sums, square, 4, 64);
    b.withScalar(Op::Vmuls, f32, sums, sums, Operand::number(1.0f / 64), {.cols = 4});
    b.withScalar(Op::Vadds, f32, sums, sums, Operand::number(1e-5f), {.cols = 4});
    b.unary(Op::Vrsqrt, f32, sums, sums, {.cols = 4});
    b.broadcastBlocks(f32, blocks, sums, 4);
    b.binary(Op::Vmul, f32, in, in, blocks, rows, true);
    b.binary(Op::Vmul, f32, in, in, gain, {.rows = 4, .cols = 64, .ldb = 0});
    b.sync(Pipe::V, Pipe::MTE3);
    b.stGm(b.arg(2), in, 1024);
  });
  auto out = rig.get<float>(args[2], 256);
  for (int r = 0; r < 4; ++r) {
    double sum = 0;
    for (int i = 0; i < 64; ++i)
      sum += double(x[r * 64 + i]) * x[r * 64 + i];
    for (int i = 0; i < 64; ++i)
      ASSERT_NEAR(out[r * 64 + i], x[r * 64 + i] * g[i] / std::sqrt(sum / 64 + 1e-5), 1e-5);
  }
}

TEST_F(Decoder, quantisesToFp8WithAScaleARow) {
  auto x = wave(2 * 128, 30);
  put(x), output(256), output(8);
  onOneCore([&] {
    Buffer in = load(0, 1024), magnitude = room(1024), scale = room(32), inverse = room(32),
           blocks = room(64), codes = room(256);
    b.sync(Pipe::MTE2, Pipe::V);
    Tile rows{.rows = 2, .cols = 128};
    b.unary(Op::Vabs, f32, magnitude, in, rows);
    b.reduce(Op::Vrmax, f32, scale, magnitude, 2, 128);
    b.withScalar(Op::Vmuls, f32, scale, scale, Operand::number(1.0f / 448), {.cols = 2});
    b.unary(Op::Vrec, f32, inverse, scale, {.cols = 2});
    b.broadcastBlocks(f32, blocks, inverse, 2);
    b.binary(Op::Vmul, f32, magnitude, in, blocks, rows, true);
    b.cast(f32, DType::E4m3, codes, magnitude, rows);
    b.sync(Pipe::V, Pipe::MTE3);
    b.stGm(b.arg(1), codes, 256);
    b.stGm(b.arg(2), scale, 8);
  });
  auto codes = rig.get<uint8_t>(args[1], 256);
  auto scale = rig.get<float>(args[2], 2);
  for (int i = 0; i < 256; ++i)
    ASSERT_NEAR(e4m3ToF32(codes[i]) * scale[i / 128], x[i], 0.07 * std::fabs(x[i]) + 0.01);
}

TEST_F(Decoder, rotatesInterleavedPairs) {
  auto x = wave(32), c = wave(16, 0.5f), s = wave(16, 0.25f);
  put(x), put(c), put(s), output(128);
  onOneCore([&] {
    Buffer in = load(0, 128), cosine = load(1, 64), sine = load(2, 64);
    Buffer even = room(64), odd = room(64), t0 = room(64), t1 = room(64), t2 = room(64),
           t3 = room(64), out = room(128);
    b.sync(Pipe::MTE2, Pipe::V);
    Tile half{.cols = 16};
    b.emit(Op::Vdeinterleave, f32, DType::None, {}, {even, odd, in, 16});
    b.binary(Op::Vmul, f32, t0, even, cosine, half);
    b.binary(Op::Vmul, f32, t1, odd, sine, half);
    b.binary(Op::Vmul, f32, t2, odd, cosine, half);
    b.binary(Op::Vmul, f32, t3, even, sine, half);
    b.binary(Op::Vsub, f32, t0, t0, t1, half);
    b.binary(Op::Vadd, f32, t2, t2, t3, half);
    b.emit(Op::Vinterleave, f32, DType::None, {}, {out, t0, t2, 16});
    b.sync(Pipe::V, Pipe::MTE3);
    b.stGm(b.arg(3), out, 128);
  });
  auto out = rig.get<float>(args[3], 32);
  for (int i = 0; i < 16; ++i) {
    ASSERT_EQ(out[2 * i], x[2 * i] * c[i] - x[2 * i + 1] * s[i]);
    ASSERT_EQ(out[2 * i + 1], x[2 * i + 1] * c[i] + x[2 * i] * s[i]);
  }
}

TEST_F(Decoder, appendsToACacheBySlot) {
  auto rows = wave(2 * 16);
  put(rows), put(std::vector<int32_t>{5, 1}), put(std::vector<float>(8 * 16));
  onOneCore([&] {
    Buffer in = load(0, 128), slots = load(1, 8);
    b.sync(Pipe::MTE2, Pipe::MTE3);
    b.stGmScatter(b.arg(2), in, slots, 2, 64, 64, 8);
  });
  auto cache = rig.get<float>(args[2], 128);
  EXPECT_EQ(cache[5 * 16 + 3], rows[3]);
  EXPECT_EQ(cache[1 * 16 + 15], rows[31]);
  EXPECT_EQ(cache[0], 0);
}

// Softmax over blocks of keys, with the maximum and the sum carried on.
TEST_F(Decoder, onlineSoftmax) {
  auto scores = wave(128, 4);
  put(scores), output(512), output(4);
  onOneCore([&] {
    Buffer in = load(0, 512), part = room(32), running = room(32), sum = room(32),
           factor = room(32), blockMax = room(32), p = room(512);
    b.sync(Pipe::MTE2, Pipe::V);
    b.fill(f32, running, Operand::number(-1e30f), {.cols = 1});
    b.fill(f32, sum, Operand::number(0), {.cols = 1});
    b.loop(0, 2, 1, [&](Reg i) {
      Operand from = b.add(in, b.mul(i, 256)), to = b.add(p, b.mul(i, 256));
      b.reduce(Op::Vrmax, f32, part, from, 1, 64);
      b.binary(Op::Vmax, f32, part, part, running, {.cols = 1});
      b.binary(Op::Vsub, f32, factor, running, part, {.cols = 1});
      b.unary(Op::Vexp, f32, factor, factor, {.cols = 1});
      b.unary(Op::Vcopy, f32, running, part, {.cols = 1});
      b.broadcastBlocks(f32, blockMax, running, 1);
      b.binary(Op::Vsub, f32, to, from, blockMax, {.rows = 1, .cols = 64}, true);
      b.unary(Op::Vexp, f32, to, to, {.cols = 64});
      b.binary(Op::Vmul, f32, sum, sum, factor, {.cols = 1});
      b.reduce(Op::Vrsum, f32, part, to, 1, 64);
      b.binary(Op::Vadd, f32, sum, sum, part, {.cols = 1});
    });
    b.unary(Op::Vln, f32, part, sum, {.cols = 1});
    b.binary(Op::Vadd, f32, part, part, running, {.cols = 1});
    b.sync(Pipe::V, Pipe::MTE3);
    b.stGm(b.arg(1), p, 512);
    b.stGm(b.arg(2), part, 4);
  });
  double sum = 0;
  for (float s : scores)
    sum += std::exp(double(s));
  EXPECT_NEAR(rig.get<float>(args[2], 1)[0], std::log(sum), 1e-5);
}

// Top 4 of 64 experts by sigmoid plus bias; weights are the scores without the bias, renormalised.
TEST_F(Decoder, routesToTheBestExperts) {
  auto logits = wave(64, 3), bias = wave(64, 0.2f);
  put(logits), put(bias), output(16), output(16);
  onOneCore([&] {
    Buffer in = load(0, 256), offsets = load(1, 256), s = room(256), biased = room(256),
           ids = room(256);
    Buffer pairs = room(512), sorted = room(512), topScores = room(256), topIds = room(256),
           at = room(32), w = room(32), sum = room(32), block = room(32);
    b.sync(Pipe::MTE2, Pipe::V);
    Tile all{.cols = 64};
    b.withScalar(Op::Vmuls, f32, s, in, Operand::number(-1), all);
    b.unary(Op::Vexp, f32, s, s, all);
    b.withScalar(Op::Vadds, f32, s, s, Operand::number(1), all);
    b.unary(Op::Vrec, f32, s, s, all);
    b.binary(Op::Vadd, f32, biased, s, offsets, all);
    b.emit(Op::Viota, DType::I32, DType::None, {}, {ids, 0, 1, 64});
    b.emit(Op::Vsort32, f32, DType::None, {}, {pairs, biased, ids, 2});
    b.emit(Op::Vmrgsort4, f32, DType::None, {}, {sorted, pairs, 2, 32, 256});
    b.emit(Op::Vdeinterleave, DType::I32, DType::None, {}, {topScores, topIds, sorted, 8});
    b.withScalar(Op::Vshls, DType::I32, at, topIds, 2, {.cols = 4});
    b.emit(Op::Vgather, f32, DType::None, {}, {w, s, at, 4, 256});
    b.reduce(Op::Vrsum, f32, sum, w, 1, 4);
    b.broadcastBlocks(f32, block, sum, 1);
    b.binary(Op::Vdiv, f32, w, w, block, {.rows = 1, .cols = 4}, true);
    b.sync(Pipe::V, Pipe::MTE3);
    b.stGm(b.arg(2), topIds, 16);
    b.stGm(b.arg(3), w, 16);
  });
  std::vector<int> order(64);
  std::vector<float> s(64);
  for (int i = 0; i < 64; ++i)
    order[i] = i, s[i] = 1 / (1 + std::exp(-logits[i]));
  std::stable_sort(order.begin(), order.end(),
                   [&](int x, int y) { return s[x] + bias[x] > s[y] + bias[y]; });
  float sum = s[order[0]] + s[order[1]] + s[order[2]] + s[order[3]];
  auto ids = rig.get<int32_t>(args[2], 4);
  auto w = rig.get<float>(args[3], 4);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(ids[i], order[i]);
    EXPECT_NEAR(w[i], s[order[i]] / sum, 1e-6);
  }
}

// The rows of tokens go to their experts in order: counts, where each begins, and the inverse.
TEST_F(Decoder, dispatchesStablyByExpert) {
  put(std::vector<int32_t>{2, 0, 2, 1, 0, 2, 1, 2}), output(16), output(32);
  onOneCore([&] {
    Buffer experts = load(0, 32), counts = room(32), ends = room(32), ids = room(32),
           mask = room(32), chosen = room(32), number = room(32), order = room(64);
    b.sync(Pipe::MTE2, Pipe::V);
    b.emit(Op::Vhist, DType::I32, DType::None, {}, {counts, experts, 8, 4});
    b.unary(Op::Vcumsum, DType::I32, ends, counts, {.cols = 4});
    b.emit(Op::Viota, DType::I32, DType::None, {}, {ids, 0, 1, 8});
    Reg filled = b.copy(0);
    b.loop(0, 4, 1, [&](Reg expert) {
      b.emit(Op::Vcmps, DType::I32, DType::None, {}, {mask, experts, expert, int(Cmp::Eq), 1, 8});
      b.emit(Op::Vcompress, DType::I32, DType::None, {}, {chosen, ids, mask, number, 8});
      b.sync(Pipe::V, Pipe::S);
      Operand count = b.loadUb(DType::I32, number);
      Reg i = b.copy(0);
      b.loop(0, count, 1, [&](Reg j) {
        Operand value = b.loadUb(DType::I32, b.add(chosen, b.mul(j, 4)));
        b.emit(Op::SStUb, DType::I32, DType::None, {},
               {b.add(order, b.mul(b.add(filled, j), 4)), value});
      });
      b.update(Op::SAdd, filled, count);
      b.sync(Pipe::S, Pipe::V);
      (void)i;
    });
    b.sync(Pipe::S, Pipe::MTE3);
    b.sync(Pipe::V, Pipe::MTE3);
    b.stGm(b.arg(1), ends, 16);
    b.stGm(b.arg(2), order, 32);
  });
  EXPECT_THAT(rig.get<int32_t>(args[1], 4), testing::ElementsAre(2, 4, 8, 8));
  EXPECT_THAT(rig.get<int32_t>(args[2], 8), testing::ElementsAre(1, 4, 3, 6, 0, 2, 5, 7));
}

TEST_F(Decoder, swiglu) {
  auto gate = wave(64, 3), up = wave(64);
  put(gate), put(up), output(256);
  onOneCore([&] {
    Buffer g = load(0, 256), u = load(1, 256), s = room(256);
    b.sync(Pipe::MTE2, Pipe::V);
    Tile all{.cols = 64};
    b.withScalar(Op::Vmuls, f32, s, g, Operand::number(-1), all);
    b.unary(Op::Vexp, f32, s, s, all);
    b.withScalar(Op::Vadds, f32, s, s, Operand::number(1), all);
    b.binary(Op::Vdiv, f32, s, g, s, all);
    b.binary(Op::Vmul, f32, s, s, u, all);
    b.sync(Pipe::V, Pipe::MTE3);
    b.stGm(b.arg(2), s, 256);
  });
  auto out = rig.get<float>(args[2], 64);
  for (int i = 0; i < 64; ++i)
    ASSERT_NEAR(out[i], gate[i] / (1 + std::exp(-gate[i])) * up[i], 1e-5);
}

// The way from cube to vector cores and back through memory: C = A A^T, doubled, stored.
TEST(CrossCore, cubeHandsOverToItsVectorCores) {
  for (Mode mode : {Mode::Functional, Mode::Timed}) {
    Rig rig;
    KernelBuilder kernel(rig.machine->device(), "mix");
    kernel.buffer("a", ArgAccess::Read, 512);
    kernel.buffer("out", ArgAccess::Write, 1024);
    kernel.workspace(1024);
    CoreBuilder &c = kernel.aic(), &v = kernel.aiv();
    c.ldL1Nd(DType::F16, 0, c.arg(0), 16, 16, 32);
    c.sync(Pipe::MTE2, Pipe::MTE1);
    c.ldL0a(DType::F16, 0, 0, 16, 16, 16);
    c.ldL0b(DType::F16, 0, 0, 16, 16, 16);
    c.sync(Pipe::MTE1, Pipe::M);
    c.mmad(DType::F16, DType::F16, 0, 0, 0, 16, 16, 16);
    c.sync(Pipe::M, Pipe::FIX);
    c.fixGm(f32, f32, c.workspace(), 0, 16, 16, 64);
    c.crossSet(Pipe::FIX, 2, 0);
    // Each vector core takes 8 rows.
    Operand place = v.mul(v.id(Id::Sub), 512);
    v.crossWait(Pipe::MTE2, 0);
    v.ldUb(0, v.add(v.workspace(), place), 512);
    v.sync(Pipe::MTE2, Pipe::V);
    v.withScalar(Op::Vmuls, f32, 512, 0, Operand::number(2), {.cols = 128});
    v.sync(Pipe::V, Pipe::MTE3);
    v.stGm(v.add(v.arg(1), place), 512, 512);
    Result<Kernel> made = kernel.finish();
    ASSERT_TRUE(made.ok()) << made.message();
    std::vector<uint16_t> a(256);
    for (int i = 0; i < 256; ++i)
      a[i] = f32ToF16(float(i % 7) - 3);
    std::vector<uint64_t> args{rig.put(a), rig.empty(1024)};
    ASSERT_EQ(rig.run(*made, args, {.mode = mode}), "");
    auto out = rig.get<float>(args[1], 256);
    for (int i = 0; i < 16; ++i)
      for (int j = 0; j < 16; ++j) {
        float sum = 0;
        for (int k = 0; k < 16; ++k)
          sum += f16ToF32(a[i * 16 + k]) * f16ToF32(a[j * 16 + k]);
        ASSERT_EQ(out[i * 16 + j], 2 * sum);
      }
    // Without the wait it is a race between cores.
    Kernel broken = *made;
    std::erase_if(broken.aiv, [](const Instruction &in) { return in.op == Op::Xwait; });
    EXPECT_NE(rig.run(broken, args, {.mode = mode}), "");
  }
}

} // namespace
} // namespace npu
