// DeepSeek's w8a8 goldens through the kernels: quantise the rows, then the product of codes.
#include <cmath>

#include "backends/x86/kernels/linear.h"
#include "backends/x86/kernels/rows.h"
#include "frontend/safetensors.h"
#include "test_weight.h"

namespace lathe::x86 {
namespace {

class GoldenCase {
public:
  GoldenCase(const frontend::SafetensorsFile &file, int index) : file_(file), index_(index) {}

  bool exists() const { return tensor("x") != nullptr; }
  const frontend::Tensor *tensor(const char *name) const {
    return file_.find(std::to_string(index_) + "." + name);
  }
  std::vector<float> floats(const char *name) const {
    const frontend::Tensor *found = tensor(name);
    std::vector<float> values(found->bytes.size() / sizeof(float));
    std::memcpy(values.data(), found->bytes.data(), found->bytes.size());
    return values;
  }
  SourceMatrix weight() const {
    const frontend::Tensor *codes = tensor("w"), *scales = tensor("w_scale_inv");
    SourceMatrix source;
    source.name = "w";
    source.format = Format::e4m3;
    source.rows = codes->shape[0], source.columns = codes->shape[1];
    source.codes = codes->bytes;
    source.has_scales = true;
    source.scale_type = ScaleType::f32;
    source.block_rows = source.block_columns = 128;
    source.scales = scales->bytes;
    return source;
  }
  bool power_of_two() const { return index_ == 3 || index_ == 4; }

private:
  const frontend::SafetensorsFile &file_;
  int index_;
};

std::vector<float> productOf(const GoldenCase &golden) {
  SourceMatrix weight = golden.weight();
  std::vector<float> x = golden.floats("x");
  int64_t k = weight.columns, n = weight.rows, rows = static_cast<int64_t>(x.size()) / k,
          blocks = ceilDiv(k, 128);
  StepMemory memory(rows);
  TileLayout layout;
  int64_t place = memory.put(packed({weight}, wholeMatrix(weight), layout));
  int64_t codes = memory.space<float>(rows * k), scales = memory.space<float>(rows * blocks);
  QuantizeParams quantize = {{RowSource::rows, 1, 3},
                             k,
                             Format::e4m3,
                             RowsIn::f32,
                             128,
                             golden.power_of_two(),
                             k,
                             k,
                             blocks};
  memory.run(lathe_x86_quantize, {memory.put(x), codes, scales}, quantize, quantizeItems(quantize));
  int64_t result = memory.space<float>(rows * n);
  LinearParams linear = {layout.params(),
                         {Activations::w8a8, k, 128, blocks},
                         RowSource::rows,
                         1,
                         0,
                         0,
                         n,
                         1,
                         k,
                         n,
                         2};
  memory.run(lathe_x86_linear, {codes, scales, place, no_operand, no_operand, result}, linear,
             linearItems(linear));
  const float *y = memory.at<float>(result);
  return {y, y + rows * n};
}

TEST(LinearW8a8, holdsDeepSeeksGoldens) {
  const auto file =
      frontend::SafetensorsFile::open(LATHE_TEST_DATA "/golden/linear_w8a8/cases.safetensors");
  ASSERT_TRUE(file.ok()) << file.status();
  int cases = 0;
  for (; GoldenCase(*file, cases).exists(); ++cases) {
    GoldenCase golden(*file, cases);
    std::vector<float> expected = golden.floats("y"), got = productOf(golden);
    ASSERT_EQ(got.size(), expected.size());
    float largest = 0;
    for (float y : expected)
      largest = std::max(largest, std::abs(y));
    for (size_t i = 0; i < got.size(); ++i)
      ASSERT_NEAR(got[i], expected[i], 1e-5 * largest) << "case " << cases << ", place " << i;
  }
  EXPECT_GE(cases, 5);
}

} // namespace
} // namespace lathe::x86
