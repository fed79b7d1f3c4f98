// Random weights, packed by the packer, with their values in double.
#pragma once

#include <cmath>

#include "backends/x86/pack/convert.h"
#include "backends/x86/pack/pack.h"
#include "backends/x86/pack/source.h"
#include "step_memory.h"

namespace lathe::x86 {

inline double decodeDouble(int64_t format, uint32_t bits) {
  struct Split {
    int exponent_bits, mantissa_bits, bias;
  };
  Split s = format == Format::f32    ? Split{8, 23, 127}
            : format == Format::bf16 ? Split{8, 7, 127}
            : format == Format::f16  ? Split{5, 10, 15}
            : format == Format::e4m3 ? Split{4, 3, 7}
                                     : Split{5, 2, 15};
  int exponent = static_cast<int>(bits >> s.mantissa_bits) & ((1 << s.exponent_bits) - 1);
  double mantissa =
      std::ldexp(static_cast<double>(bits & ((1u << s.mantissa_bits) - 1)), -s.mantissa_bits);
  double magnitude =
      exponent ? std::ldexp(1 + mantissa, exponent - s.bias) : std::ldexp(mantissa, 1 - s.bias);
  return bits >> (s.exponent_bits + s.mantissa_bits) & 1 ? -magnitude : magnitude;
}

struct ScaleBlock {
  int64_t rows = 0; // 0: no scales
  int64_t columns = 0;
};

struct TestMatrix {
  std::vector<uint8_t> codes, scales;
  std::vector<double> values; // [rows][columns]
  SourceMatrix source;
};

// Which codes of e4m3 occur. `few_subnormals`: as in a trained model with a scale a block.
enum class Codes { all, few_subnormals };

inline bool isSubnormalE4m3(uint32_t code) { return (code & 0x78) == 0 && (code & 0x07) != 0; }

// Every finite 8-bit code occurs; wider formats take bits of a normal distribution.
inline uint32_t randomCode(Format::Kind format, Codes codes, std::mt19937 &random) {
  std::normal_distribution<float> normal(0, 0.5f);
  if (formatBytes(format) == 1) {
    uint32_t code = random() & 255;
    bool finite =
        format == Format::e4m3 ? (code & 127) != 127 : (code & 127) < 100; // e5m2 below 4096
    if (codes == Codes::few_subnormals && isSubnormalE4m3(code) && random() % 512 != 0)
      return code | 0x40;
    return finite ? code : 1;
  }
  uint32_t bits = __builtin_bit_cast(uint32_t, normal(random));
  if (format == Format::f32)
    return bits;
  if (format == Format::bf16)
    return bits >> 16;
  return (random() & 0x83ff) | ((random() % 17) << 10); // up to 8, subnormals too
}

// The values of a source as they are packed.
inline void takePackedValues(TestMatrix &m) {
  PackedRows rows(m.source);
  auto window = rows.window(0, m.source.rows);
  EXPECT_TRUE(window.ok()) << window.status();
  for (int64_t i = 0; i < m.source.rows * m.source.columns; ++i)
    m.values[static_cast<size_t>(i)] =
        double(static_cast<int8_t>(window->matrix->codes[static_cast<size_t>(i)])) *
        scaleAt(*window->matrix, i / m.source.columns, i % m.source.columns);
}

inline std::unique_ptr<TestMatrix> testMatrix(int64_t rows, int64_t columns, Format::Kind format,
                                              ScaleBlock block, unsigned seed,
                                              Codes codes = Codes::all);

// A source of f32 that is converted.
inline std::unique_ptr<TestMatrix> testIntegers(int64_t rows, int64_t columns, Format::Kind format,
                                                ScaleBlock block, unsigned seed) {
  auto m = testMatrix(rows, columns, Format::f32, {}, seed);
  m->source.target = Target{format, block.rows, block.columns};
  takePackedValues(*m);
  return m;
}

inline std::unique_ptr<TestMatrix> testMatrix(int64_t rows, int64_t columns, Format::Kind format,
                                              ScaleBlock block, unsigned seed, Codes codes) {
  if (isInteger(format))
    return testIntegers(rows, columns, format, block, seed);
  auto m = std::make_unique<TestMatrix>();
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> scale(0.001f, 0.02f);
  m->source.name = "w";
  m->source.format = format;
  m->source.rows = rows;
  m->source.columns = columns;
  if (block.rows) {
    m->source.has_scales = true;
    m->source.block_rows = block.rows;
    m->source.block_columns = block.columns;
    m->scales.resize(
        static_cast<size_t>(ceilDiv(rows, block.rows) * ceilDiv(columns, block.columns) * 4));
    for (size_t i = 0; i < m->scales.size(); i += 4) {
      float value = scale(random);
      std::memcpy(&m->scales[i], &value, 4);
    }
  }
  int64_t bytes = formatBytes(format);
  m->codes.resize(static_cast<size_t>(rows * columns * bytes));
  for (int64_t i = 0; i < rows * columns; ++i) {
    uint32_t bits = randomCode(format, codes, random);
    std::memcpy(&m->codes[static_cast<size_t>(i * bytes)], &bits, static_cast<size_t>(bytes));
    double value = decodeDouble(format, bits);
    if (block.rows) {
      int64_t place =
          i / columns / block.rows * ceilDiv(columns, block.columns) + i % columns / block.columns;
      float s;
      std::memcpy(&s, &m->scales[static_cast<size_t>(place * 4)], 4);
      value *= s;
    }
    m->values.push_back(value);
  }
  m->source.codes = m->codes;
  m->source.scales = m->scales;
  return m;
}

// All parts, one after the other.
inline absl::Status makeAll(const absl::StatusOr<std::vector<PackPart>> &parts,
                            const PackSink &sink) {
  absl::Status status = parts.status();
  for (size_t i = 0; status.ok() && i < parts->size(); ++i)
    status = (*parts)[i](sink);
  return status;
}

inline std::vector<uint8_t> packed(absl::Span<const SourceMatrix> sources, const MatrixView &view,
                                   TileLayout &layout) {
  auto chosen = chooseTileLayout(sources, view);
  EXPECT_TRUE(chosen.ok()) << chosen.status();
  layout = *chosen;
  std::vector<uint8_t> bytes;
  absl::Status status =
      makeAll(tileParts(sources, view, layout), [&](absl::Span<const uint8_t> part) {
        bytes.insert(bytes.end(), part.begin(), part.end());
        return absl::OkStatus();
      });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(static_cast<int64_t>(bytes.size()), layout.bytes());
  return bytes;
}

struct WeightCase {
  Format::Kind format;
  ScaleBlock block;
  Codes codes = Codes::all;
};

// A packed stack in memory.
struct TestStack {
  std::vector<std::unique_ptr<TestMatrix>> matrices;
  TileLayout layout;
  int64_t place; // operand

  double value(int64_t matrix, int64_t n, int64_t k) const {
    return matrices[static_cast<size_t>(matrix)]->values[static_cast<size_t>(n * layout.k + k)];
  }
};

inline TestStack testStack(StepMemory &memory, int64_t count, int64_t n, int64_t k,
                           const WeightCase &weight, unsigned seed) {
  TestStack stack;
  std::vector<SourceMatrix> sources;
  for (int64_t i = 0; i < count; ++i) {
    stack.matrices.push_back(testMatrix(n, k, weight.format, weight.block,
                                        seed + static_cast<unsigned>(i) * 977, weight.codes));
    sources.push_back(stack.matrices.back()->source);
  }
  stack.place = memory.put(packed(sources, wholeMatrix(sources[0]), stack.layout));
  return stack;
}

// Formats and scales that every kernel with weights is tried with.
inline const WeightCase weight_cases[] = {
    {Format::f32, {}},
    {Format::bf16, {}},
    {Format::f16, {}},
    {Format::e4m3, {}},
    {Format::e5m2, {}},
    {Format::e4m3, {32, 128}},          // a scale a tile
    {Format::e4m3, {1 << 20, 1 << 20}}, // a scale a tensor
    {Format::e4m3, {1, 1 << 20}},       // a scale a lane
    {Format::e4m3, {}, Codes::few_subnormals},
    {Format::e4m3, {16, 128}, Codes::few_subnormals},
    {Format::e4m3, {1, 40}, Codes::few_subnormals},
    {Format::e5m2, {12, 40}}, // blocks that cut tiles
    {Format::i8, {1, 32}},    // Q8_0
    {Format::i4, {1, 32}},    // Q4_0
    {Format::i4, {32, 1}},    // the same, read along its rows
};

} // namespace lathe::x86
