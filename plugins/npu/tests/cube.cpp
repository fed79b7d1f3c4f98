// Products on every device and type that has them, against three loops.
#include "programs/gemm.h"
#include "rig.h"
#include "sim/numerics.h"

#include <cmath>

namespace npu {
namespace {

using testing::HasSubstr;

// Elements that every type holds exactly, so that only the order of sums matters.
std::vector<float> smallNumbers(size_t n, unsigned seed) {
  std::vector<float> values(n);
  for (size_t i = 0; i < n; ++i) {
    values[i] = float(static_cast<int>(((i * 2654435761u + seed * 97u) >> 7 & 0xffff) % 7) - 3);
  }
  return values;
}

std::vector<std::byte> packed(DType type, const std::vector<float> &values) {
  std::vector<std::byte> bytes(bytesOf(type, values.size()));
  if (bitsOf(type) >= 8) {
    fromF32(type, values.data(), bytes.data(), values.size(), Round::Rint, true);
    return bytes;
  }
  for (size_t i = 0; i < values.size(); ++i) {
    unsigned code = 0;
    while ((type == DType::I4 ? i4ToF32(uint8_t(code)) : e2m1ToF32(uint8_t(code))) != values[i])
      ++code;
    bytes[i / 2] |= static_cast<std::byte>(code << (i % 2 * 4));
  }
  return bytes;
}

struct GemmCase {
  const char *device;
  DType type, out;
  unsigned m, n, k, tileM, tileN, tileK;
  bool unitFlag = false, blockScales = false;
  unsigned areaM = 0, areaN = 0, parts = 1, blocks = 2;
};

std::ostream &operator<<(std::ostream &out, const GemmCase &c) {
  return out << c.device << "_" << name(c.type) << "_" << c.m << "x" << c.n << "x" << c.k;
}

class Gemm : public testing::TestWithParam<GemmCase> {};

TEST_P(Gemm, givesTheProductInEveryModeAndOnAnyThreads) {
  GemmCase c = GetParam();
  GemmPlan plan{.m = c.m,
                .n = c.n,
                .k = c.k,
                .type = c.type,
                .out = c.out,
                .tileM = c.tileM,
                .tileN = c.tileN,
                .tileK = c.tileK,
                .stepK = 2};
  plan.areaM = c.areaM, plan.areaN = c.areaN, plan.parts = c.parts;
  plan.unitFlag = c.unitFlag;
  plan.blockScales = c.blockScales;
  auto a = smallNumbers(c.m * c.k, 1), w = smallNumbers(c.n * c.k, 2);
  std::vector<std::byte> results[3];
  std::vector<uint8_t> sa(c.m * c.k / 32), sb(c.n * c.k / 32);
  for (size_t i = 0; i < sa.size(); ++i)
    sa[i] = static_cast<uint8_t>(125 + i % 4);
  for (size_t i = 0; i < sb.size(); ++i)
    sb[i] = static_cast<uint8_t>(126 + i % 3);
  for (unsigned run = 0; run < 3; ++run) {
    Rig rig(c.device);
    Result<Kernel> kernel = gemm(rig.machine->device(), plan);
    ASSERT_TRUE(kernel.ok()) << kernel.message();
    std::vector<uint64_t> args{rig.put(packed(c.type, a)), rig.put(packed(c.type, w)),
                               rig.empty(bytesOf(c.out, c.m * c.n))};
    if (c.blockScales)
      args.insert(args.end(), {rig.put(sa), rig.put(sb)});
    LaunchOptions options{
        .blocks = c.blocks, .mode = run == 2 ? Mode::Timed : Mode::Functional, .threads = run + 1};
    ASSERT_EQ(rig.run(*kernel, args, options), "");
    results[run] = rig.get<std::byte>(args[2], bytesOf(c.out, c.m * c.n));
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
  std::vector<float> got(c.m * c.n);
  toF32(c.out, results[0].data(), got.data(), got.size());
  for (unsigned i = 0; i < c.m; ++i)
    for (unsigned j = 0; j < c.n; ++j) {
      float sum = 0;
      for (unsigned k = 0; k < c.k; ++k) {
        float scale = c.blockScales
                          ? e8m0ToF32(sa[(i * c.k + k) / 32]) * e8m0ToF32(sb[(j * c.k + k) / 32])
                          : 1;
        sum += a[i * c.k + k] * w[j * c.k + k] * scale; // exact, whatever the order
      }
      float wanted = sum;
      if (c.out != DType::F32) {
        std::byte rounded[4];
        fromF32(c.out, &sum, rounded, 1, Round::Rint, true);
        toF32(c.out, rounded, &wanted, 1);
      }
      ASSERT_EQ(got[i * c.n + j], wanted) << i << "," << j;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Products, Gemm,
    testing::Values(GemmCase{"tiny", DType::F16, DType::F32, 32, 48, 64, 16, 32, 16},
                    GemmCase{"tiny", DType::F16, DType::F16, 48, 80, 64, 32, 32, 32, true},
                    GemmCase{"tiny", DType::F16, DType::F32, 1, 40, 64, 16, 32, 16},
                    GemmCase{"tiny", DType::Bf16, DType::Bf16, 16, 32, 128, 16, 32, 32},
                    GemmCase{"tiny", DType::F32, DType::F32, 32, 32, 64, 16, 16, 16},
                    GemmCase{"tiny", DType::I8, DType::I32, 32, 48, 128, 16, 32, 32},
                    GemmCase{"tiny", DType::I8, DType::F16, 32, 48, 128, 16, 32, 64},
                    GemmCase{"tiny", DType::I4, DType::I32, 16, 32, 256, 16, 32, 64},
                    GemmCase{"tiny", DType::E4m3, DType::F32, 32, 48, 128, 16, 32, 32},
                    GemmCase{"tiny", DType::E4m3, DType::F32, 32, 32, 128, 16, 32, 64, false, true},
                    GemmCase{"tiny", DType::E2m1, DType::F32, 16, 32, 256, 16, 16, 64, false, true},
                    GemmCase{"ascend-910b", DType::F16, DType::F16, 144, 272, 256, 128, 256, 64},
                    GemmCase{"ascend-910b", DType::F16, DType::F16, 144, 272, 128, 32, 64, 64,
                             false, false, 80, 200, 1, 4},
                    GemmCase{"ascend-910b", DType::F16, DType::F16, 144, 272, 128, 32, 64, 64, true,
                             false, 40, 96, 2, 6},
                    GemmCase{"ascend-950", DType::F16, DType::F16, 144, 272, 256, 128, 256, 64,
                             true},
                    GemmCase{"ascend-950", DType::E5m2, DType::F32, 64, 64, 256, 64, 64, 128},
                    GemmCase{"ascend-310p", DType::F16, DType::F16, 64, 128, 128, 64, 64, 32}),
    [](const auto &info) {
      std::string text = (std::ostringstream() << info.param << "_" << info.index).str();
      for (char &c : text)
        c = c == '-' ? '_' : c;
      return text;
    });

// One small product in text; `change` edits it.
std::string smallProduct(std::string_view extra = "") {
  return text(R"(.kernel k
.arg a buffer read 512
.arg b buffer read 512
.arg c buffer write 1024
.aic
s.ld.arg r0, 0
s.ld.arg r1, 1
s.ld.arg r2, 2
ld.l1.nd.f16 l1:0, gm:r0, 5, 16, 32
ld.l1.nd.f16 l1:1024, gm:r1, 16, 16, 32
set_flag MTE2, MTE1, 0
wait_flag MTE2, MTE1, 0
)",
              extra, R"(
set_flag MTE1, M, 0
wait_flag MTE1, M, 0
mmad.f16.f16 l0c:0, l0a:0, l0b:0, 5, 16, 16
set_flag M, FIX, 0
wait_flag M, FIX, 0
fix.gm.f32.f32 gm:r2, l0c:0, 5, 16, 64
end
)");
}

TEST(Cube, takesFiveRowsAndTransposes) {
  for (bool transposed : {false, true}) {
    Rig rig;
    std::vector<uint16_t> a(256), b(256);
    for (int i = 0; i < 256; ++i)
      a[i] = f32ToF16(float(i % 13) - 6), b[i] = f32ToF16(float(i % 11) - 5);
    std::vector<uint64_t> args{rig.put(a), rig.put(b), rig.empty(1024)};
    std::string loads = text("ld.l0a.f16 l0a:0, l1:0, 5, 16, 16\nld.l0b.f16",
                             transposed ? ".t" : "", " l0b:0, l1:1024, 16, 16, 16");
    ASSERT_EQ(rig.runText(smallProduct(loads), args), "");
    auto c = rig.get<float>(args[2], 80);
    for (int i = 0; i < 5; ++i)
      for (int j = 0; j < 16; ++j) {
        float sum = 0;
        for (int k = 0; k < 16; ++k)
          sum += f16ToF32(a[i * 16 + k]) * f16ToF32(transposed ? b[k * 16 + j] : b[j * 16 + k]);
        ASSERT_EQ(c[i * 16 + j], sum);
      }
  }
}

TEST(Cube, refusesOperandsThatAreNotThere) {
  Rig rig;
  std::vector<uint64_t> args{rig.put(std::vector<uint16_t>(256)),
                             rig.put(std::vector<uint16_t>(256)), rig.empty(1024)};
  EXPECT_THAT(rig.runText(smallProduct("ld.l0a.f16 l0a:0, l1:0, 5, 16, 16"), args),
              HasSubstr("uninitialised read: l0b 0x0"));
  EXPECT_THAT(rig.runText(smallProduct("ld.l0a.f16 l0a:0, l1:0, 6, 16, 16"), args),
              HasSubstr("uninitialised read: l1"));
  EXPECT_THAT(rig.runText(smallProduct("ld.l0a.f16 l0a:256, l1:0, 5, 16, 16"), args),
              HasSubstr("misaligned: dst is at l0a 0x100"));
}

// Cambricon-style: no flags, rows instead of fractals, the operands of a product in two memories.
TEST(Cube, worksWithClassBarriersAndRows) {
  Rig rig("cambricon-mlu370");
  std::vector<uint16_t> a(5 * 32), b(40 * 32);
  for (size_t i = 0; i < a.size(); ++i)
    a[i] = f32ToF16(float(i % 13) - 6);
  for (size_t i = 0; i < b.size(); ++i)
    b[i] = f32ToF16(float(i % 11) - 5);
  std::vector<uint64_t> args{rig.put(a), rig.put(b), rig.empty(5 * 40 * 4)};
  std::string program = R"(.kernel k
.arg a buffer read 320
.arg b buffer read 2560
.arg c buffer write 800
.aic
s.id r9, sub
b.if ne, r9, 0, done
s.ld.arg r0, 0
s.ld.arg r1, 1
s.ld.arg r2, 2
ld.l1 l1:0, gm:r0, 320
ld.l1 l1:1024, gm:r1, 2560
sync_class 1
ld.l0a.f16 l0a:0, l1:0, 5, 32, 64
ld.l0b.f16 l0b:0, l1:1024, 32, 40, 64
sync_class 2
mmad.f16.f16 l0c:4096, l0a:0, l0b:0, 5, 40, 32
sync_class 4
fix.gm.f32.f32 gm:r2, l0c:4096, 5, 40, 160
done:
end
)";
  for (Mode mode : {Mode::Functional, Mode::Timed}) {
    ASSERT_EQ(rig.runText(program, args, {.mode = mode}), "");
    auto c = rig.get<float>(args[2], 200);
    for (int i = 0; i < 5; ++i)
      for (int j = 0; j < 40; ++j) {
        float sum = 0;
        for (int k = 0; k < 32; ++k)
          sum += f16ToF32(a[i * 32 + k]) * f16ToF32(b[j * 32 + k]);
        ASSERT_EQ(c[i * 40 + j], sum);
      }
  }
  std::string without = program;
  without.erase(without.find("sync_class 2\n"), 13);
  EXPECT_THAT(rig.runText(without, args), HasSubstr("RAW hazard: nram"));
  EXPECT_THAT(rig.runText(".kernel k\n.aic\nset_flag V, M, 0\nend\n", {}),
              HasSubstr("this device has no flags; use sync_class"));
}

} // namespace
} // namespace npu
