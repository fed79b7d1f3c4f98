// Rows and weights that f16 does not hold, by powers of two.
#include "kernel_rig.h"

namespace npu::kernels {
namespace {

class RowScales : public Kernels {};

// Rows far beyond f16, far below it, of zeros and of usual numbers; longer than some devices'
// chunks.
Floats uneven_rows(uint64_t rows, uint64_t cols) {
  constexpr float sizes[] = {1e30f, 3e-30f, 0, 1};
  Floats x = wave(rows * cols);
  for (uint64_t i = 0; i < rows * cols; ++i)
    x[i] *= sizes[i / cols % 4];
  return x;
}

TEST_P(RowScales, areUndoneByTheirFactors) {
  const uint64_t rows = 5, cols = 1000;
  Floats x = uneven_rows(rows, cols);
  for (uint64_t parts : {1, 2}) {
    ScalePlan plan{cols, cols * 4, parts * cols * 2, parts};
    uint64_t out = room(rows * cols), factors = room(rows);
    run(scale_rows(device(), plan), {rig.put(x), out, factors, rows});
    auto made = rig.get<uint16_t>(out, rows * parts * cols);
    auto undo = rig.get<float>(factors, rows);
    for (uint64_t i = 0; i < rows; ++i) {
      int exponent = 0;
      EXPECT_EQ(std::frexp(undo[i], &exponent), 0.5f) << "no power of two";
      for (uint64_t j = 0; j < cols; ++j) {
        float sum = 0;
        for (uint64_t part = 0; part < parts; ++part)
          sum += f16ToF32(made[(i * parts + part) * cols + j]);
        EXPECT_LT(std::fabs(sum), 0x1p15f);
        float rounding = parts == 1 ? 0x1p-11f : 0x1p-22f;
        ASSERT_NEAR(sum * undo[i], x[i * cols + j],
                    rounding * std::fabs(x[i * cols + j]) + undo[i] * 0x1p-25f);
      }
    }
  }
}

TEST_P(RowScales, unscaleGoesOverPiecesOfRows) {
  const uint64_t rows = 3, groups = 2, cols = 37, gap = 3, width = groups * (cols + gap);
  Floats c = wave(rows * width), factors{2, 0.25f, 1}, wanted = c;
  for (uint64_t i = 0; i < rows * width; ++i)
    if (i % (cols + gap) < cols)
      wanted[i] *= factors[i / width];
  for (unsigned blocks : {1u, device().groups}) {
    uint64_t at = rig.put(c);
    Result<Kernel> kernel = unscale_rows(device(), {cols, width * 4, groups, (cols + gap) * 4});
    ASSERT_TRUE(kernel.ok()) << kernel.message();
    ASSERT_EQ(rig.run(*kernel, {at, rig.put(factors), rows}, {.blocks = blocks}), "");
    expect_near(rig.get<float>(at, rows * width), wanted, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, RowScales, kernel_devices(), device_label);

} // namespace
} // namespace npu::kernels
