#include "backends/x86/pack/pack.h"

#include <chrono>
#include <cstring>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../kernels/test_weight.h"
#include "backends/x86/pack/convert.h"

namespace lathe::x86 {
namespace {

using testing::HasSubstr;

double codeAt(const uint8_t *tile, const WeightParams &p, int64_t lane, int64_t k) {
  uint32_t bits = 0;
  if (p.format == Format::i4) {
    std::memcpy(&bits, tile + k / 8 * 64 + lane * 4, 4);
    return static_cast<int>(bits >> k % 8 * 4 & 15) - 8;
  }
  int64_t width = formatBytes(p.format);
  std::memcpy(&bits, tile + (k * 16 + lanePlace(p.format, lane)) * width,
              static_cast<size_t>(width));
  return p.format == Format::i8 ? static_cast<int8_t>(bits) : decodeDouble(p.format, bits);
}

// The value that stands for (matrix, n, k) in packed bytes, read from the description in weight.h.
double valueAt(const std::vector<uint8_t> &bytes, const TileLayout &layout, int64_t matrix,
               int64_t n, int64_t k) {
  WeightParams p = layout.params();
  const uint8_t *tile = bytes.data() + matrix * p.matrix_bytes + n / 16 * p.tile_bytes;
  float scale = 1;
  const uint8_t *scales = tile + codeBytes(p.k, p.format);
  if (p.scale_mode == ScaleMode::tile)
    std::memcpy(&scale, scales + k / p.scale_block_k * 4, 4);
  if (p.scale_mode == ScaleMode::lane)
    std::memcpy(&scale, scales + (k / p.scale_block_k * 16 + n % 16) * 4, 4);
  if (p.scale_mode == ScaleMode::lane_f16) {
    uint16_t half;
    std::memcpy(&half, scales + (k / p.scale_block_k * 16 + n % 16) * 2, 2);
    scale = static_cast<float>(decodeDouble(Format::f16, half));
  }
  return codeAt(tile, p, n % 16, k) * scale;
}

TEST(PackTiles, keepsEveryValueOfEveryFormat) {
  for (const WeightCase &c : weight_cases)
    for (auto [n, k] :
         {std::pair<int64_t, int64_t>{1, 1}, {12, 20}, {16, 64}, {36, 100}, {100, 129}}) {
      auto m = testMatrix(n, k, c.format, c.block, 1);
      TileLayout layout;
      std::vector<uint8_t> bytes = packed({&m->source, 1}, wholeMatrix(m->source), layout);
      for (int64_t i = 0; i < n; ++i)
        for (int64_t j = 0; j < k; ++j)
          ASSERT_EQ(valueAt(bytes, layout, 0, i, j), m->values[size_t(i * k + j)])
              << layout.name() << i << " " << j;
      for (int64_t i = n; i < roundUp(n, 16); ++i)
        for (int64_t j = 0; j < k; ++j) {
          TileLayout plain = layout;
          ASSERT_EQ(valueAt(bytes, plain, 0, i, j), 0.0) << "padding";
        }
    }
}

TEST(PackTiles, takesHeadsThatBlocksOfScalesCut) {
  for (ScaleBlock block :
       {ScaleBlock{128, 128}, {28, 16}, {1, 1 << 20}, {5, 7}, {1 << 20, 1 << 20}})
    for (bool transposed : {false, true}) {
      int64_t heads = 11, n = 16, v = 12, c = 40;
      auto m = testMatrix(heads * (n + v), c, Format::e4m3, block, 1);
      MatrixView view = {heads, n, n + v, v, transposed};
      TileLayout layout;
      std::vector<uint8_t> bytes = packed({&m->source, 1}, view, layout);
      EXPECT_EQ(layout.n, transposed ? c : v);
      EXPECT_EQ(layout.count, heads);
      for (int64_t h = 0; h < heads; ++h)
        for (int64_t i = 0; i < v; ++i)
          for (int64_t j = 0; j < c; ++j)
            ASSERT_EQ(transposed ? valueAt(bytes, layout, h, j, i)
                                 : valueAt(bytes, layout, h, i, j),
                      m->values[size_t((h * (n + v) + n + i) * c + j)])
                << layout.name() << " head " << h << " " << i << " " << j;
    }
}

TEST(PackTiles, readsScalesOfEveryType) {
  auto m = testMatrix(4, 8, Format::e4m3, {2, 8}, 1);
  for (auto [type, bytes] :
       {std::pair<ScaleType, std::vector<uint8_t>>{ScaleType::bf16, {0x80, 0x3f, 0x00, 0xc0}},
        {ScaleType::f16, {0x00, 0x3c, 0x00, 0xc0}},
        {ScaleType::e8m0, {127, 128}}}) {
    m->source.scale_type = type;
    m->source.scales = bytes;
    TileLayout layout;
    std::vector<uint8_t> tiles = packed({&m->source, 1}, wholeMatrix(m->source), layout);
    ASSERT_EQ(layout.scale_mode, ScaleMode::lane);
    float scales[4];
    std::memcpy(scales, tiles.data() + codeBytes(8, Format::e4m3), sizeof(scales));
    EXPECT_EQ(scales[1], 1.0f);
    EXPECT_EQ(scales[2], type == ScaleType::e8m0 ? 2.0f : -2.0f);
  }
}

// What tile `tile` says of its codes.
const uint8_t *findings(const uint8_t *bytes, int64_t tile, const WeightParams &w) {
  return bytes + tile * w.tile_bytes + behindScales(w);
}

TEST(PackTiles, saysWhichTilesHaveFewSubnormalCodes) {
  constexpr int64_t k = 2 * few_subnormals / tile_rows; // so that two codes of a tile are few
  for (int64_t rows : {48, 41}) {
    auto m = testMatrix(rows, k, Format::e4m3, {16, 128}, 1);
    for (uint8_t &code : m->codes)
      code = static_cast<uint8_t>((code & 0xdf) | 0x40); // normal and finite
    auto set = [&](int64_t row, int64_t column, uint8_t code) {
      m->codes[size_t(row * k + column)] = code;
    };
    set(3, 0, 0x00), set(3, 1, 0x80), set(4, 9, 0x08); // no subnormals: zeros and 2^-6
    set(16, 0, 0x01), set(31, k - 1, 0x87);
    set(32, 0, 0x01), set(40, 5, 0x84), set(40, k - 1, 0x07);
    TileLayout layout;
    std::vector<uint8_t> bytes = packed({&m->source, 1}, wholeMatrix(m->source), layout);
    for (int64_t tile = 0; tile < 3; ++tile) {
      uint32_t few = 7;
      std::memcpy(&few, findings(bytes.data(), tile, layout.params()), few_bytes);
      EXPECT_EQ(few, tile < 2 ? 1u : 0u) << "tile " << tile;
    }
  }
}

TEST(PackTiles, saysWhichEightsHaveAnExponentOfZero) {
  for (int64_t k : {1, 8, 63, 64, 65, 200, 1408})
    for (int64_t rows : {32, 31}) {
      auto m = testMatrix(rows, k, Format::e4m3, {16, 128}, 1);
      std::vector<bool> expected(static_cast<size_t>(2 * ceilDiv(k, 8)));
      std::mt19937 random(static_cast<unsigned>(k));
      for (int64_t i = 0; i < rows * k; ++i) {
        uint8_t &code = m->codes[static_cast<size_t>(i)];
        bool zero = random() % 256 == 0;
        code = static_cast<uint8_t>(zero ? code & 0x87 : (code & 0xdf) | 0x40);
        if (zero)
          expected[size_t(i / k / 16 * ceilDiv(k, 8) + i % k / 8)] = true;
      }
      TileLayout layout;
      std::vector<uint8_t> bytes = packed({&m->source, 1}, wholeMatrix(m->source), layout);
      for (int64_t tile = 0; tile < 2; ++tile)
        for (int64_t eight = 0; eight < ceilDiv(k, 8); ++eight) {
          const uint8_t *bits = findings(bytes.data(), tile, layout.params()) + few_bytes;
          bool lanes_missing = tile == 1 && rows == 31;
          EXPECT_EQ(bits[eight / 8] >> eight % 8 & 1,
                    lanes_missing || expected[size_t(tile * ceilDiv(k, 8) + eight)])
              << k << ", tile " << tile << ", eight " << eight;
        }
    }
}

absl::Status packStatus(const SourceMatrix &source, const MatrixView &view) {
  auto layout = chooseTileLayout({&source, 1}, view);
  if (!layout.ok())
    return layout.status();
  return makeAll(tileParts({&source, 1}, view, *layout),
                 [](absl::Span<const uint8_t>) { return absl::OkStatus(); });
}

TEST(PackTiles, namesTheFirstCodeThatIsNotANumber) {
  auto m = testMatrix(40, 21, Format::e4m3, {}, 1);
  m->codes[37 * 21 + 20] = 0xff;
  EXPECT_THAT(packStatus(m->source, wholeMatrix(m->source)).message(),
              HasSubstr("w: element [37, 20] is the f8e4m3 code 0xff, not a finite number"));
  EXPECT_THAT(packStatus(m->source, {1, 35, 0, 5, true}).message(), HasSubstr("element [37, 20]"));
  auto f = testMatrix(3, 3, Format::f32, {}, 1);
  float infinity = __builtin_inff();
  std::memcpy(&f->codes[5 * 4], &infinity, 4);
  EXPECT_THAT(packStatus(f->source, wholeMatrix(f->source)).message(), HasSubstr("element [1, 2]"));
}

TEST(PackTiles, namesTheScaleThatIsNotANumber) {
  auto m = testMatrix(40, 21, Format::e4m3, {20, 7}, 1);
  uint32_t nan = 0x7fc00000;
  std::memcpy(&m->scales[5 * 4], &nan, 4);
  EXPECT_THAT(packStatus(m->source, wholeMatrix(m->source)).message(),
              HasSubstr("element [20, 14] has the scale nan"));
}

TEST(PackTiles, refusesSourcesThatDoNotFitTheirShape) {
  auto m = testMatrix(40, 20, Format::e4m3, {20, 7}, 1);
  SourceMatrix source = m->source;
  source.codes = source.codes.subspan(1);
  EXPECT_THAT(packStatus(source, wholeMatrix(source)).message(),
              HasSubstr("has 799 bytes of codes; its shape needs 800"));
  source = m->source;
  source.scales = source.scales.subspan(4);
  EXPECT_THAT(packStatus(source, wholeMatrix(source)).message(),
              HasSubstr("20 bytes of scales; its shape needs 24"));
  source = m->source;
  source.block_rows = 0;
  EXPECT_THAT(packStatus(source, wholeMatrix(source)).message(),
              HasSubstr("scale blocks are 0 x 7"));
  source = m->source;
  source.rows = int64_t{1} << 62;
  EXPECT_FALSE(packStatus(source, wholeMatrix(source)).ok());
  EXPECT_THAT(packStatus(m->source, {3, 0, 15, 11, false}).message(),
              HasSubstr("does not fit its 40 rows"));
  EXPECT_FALSE(packStatus(m->source, {int64_t{1} << 40, 0, int64_t{1} << 40, 1, false}).ok());
}

TEST(PackTiles, refusesStacksOfUnequalMatricesAndOtherLayouts) {
  auto a = testMatrix(16, 20, Format::e4m3, {}, 1), b = testMatrix(16, 21, Format::e4m3, {}, 1);
  SourceMatrix both[] = {a->source, b->source};
  EXPECT_THAT(chooseTileLayout(both, wholeMatrix(both[0])).status().message(),
              HasSubstr("must be equal"));
  TileLayout layout = *chooseTileLayout({both, 1}, wholeMatrix(both[0]));
  layout.k = 19;
  EXPECT_FALSE(tileParts({both, 1}, wholeMatrix(both[0]), layout).ok());
  EXPECT_FALSE(chooseTileLayout({}, {}).ok());
}

TEST(PackTiles, handsOnTheErrorOfTheSink) {
  auto m = testMatrix(40, 20, Format::bf16, {}, 1);
  TileLayout layout = *chooseTileLayout({&m->source, 1}, wholeMatrix(m->source));
  int calls = 0;
  absl::Status status = makeAll(
      tileParts({&m->source, 1}, wholeMatrix(m->source), layout), [&](absl::Span<const uint8_t>) {
        return ++calls == 2 ? absl::ResourceExhaustedError("disk full") : absl::OkStatus();
      });
  EXPECT_EQ(status.message(), "disk full");
  EXPECT_EQ(calls, 2);
}

TEST(PackVector, widensToF32) {
  std::vector<uint8_t> got;
  PackSink sink = [&](absl::Span<const uint8_t> part) {
    got.insert(got.end(), part.begin(), part.end());
    return absl::OkStatus();
  };
  std::vector<uint8_t> values_bf16 = {0x80, 0x3f, 0x20, 0xc0}, infinite = {0, 0, 0, 0x7c};
  ASSERT_TRUE((*vectorPart("v", Format::bf16, values_bf16))(sink).ok());
  float values[2];
  ASSERT_EQ(got.size(), sizeof(values));
  std::memcpy(values, got.data(), sizeof(values));
  EXPECT_EQ(values[0], 1.0f);
  EXPECT_EQ(values[1], -2.5f);
  EXPECT_THAT((*vectorPart("v", Format::f16, infinite))(sink).message(),
              HasSubstr("v: element [1] is the f16 code 0x7c00"));
  EXPECT_FALSE(vectorPart("v", Format::f32, {{0, 0, 0}}).ok());
}

TEST(PackTable, passesRowsAndNamesWhatIsNotANumber) {
  auto m = testMatrix(700, 801, Format::bf16, {}, 1); // more than one window
  std::vector<uint8_t> got;
  PackSink sink = [&](absl::Span<const uint8_t> part) {
    got.insert(got.end(), part.begin(), part.end());
    return absl::OkStatus();
  };
  ASSERT_TRUE(makeAll(tableParts(m->source), sink).ok());
  EXPECT_EQ(got, m->codes);
  m->codes[(699 * 801 + 3) * 2 + 1] = 0x7f;
  m->codes[(699 * 801 + 3) * 2] = 0xc0;
  EXPECT_THAT(makeAll(tableParts(m->source), sink).message(), HasSubstr("element [699, 3]"));
}

// Parts of uneven length and time; part `bad` fails.
std::vector<PackPart> unevenParts(size_t count, size_t bad) {
  std::vector<PackPart> parts;
  for (size_t i = 0; i < count; ++i)
    parts.push_back([=](const PackSink &sink) {
      std::this_thread::sleep_for(std::chrono::microseconds(i * 37 % 300));
      std::vector<uint8_t> bytes(i * 13 % 50, static_cast<uint8_t>(i));
      if (i >= bad)
        return absl::InvalidArgumentError(absl::StrCat("part ", i));
      return sink(bytes);
    });
  return parts;
}

TEST(PackInOrder, givesTheSameBytesForAnyNumberOfThreads) {
  for (size_t count : {0, 1, 2, 5, 100}) {
    const std::vector<PackPart> parts = unevenParts(count, count);
    std::vector<uint8_t> one;
    for (size_t threads : {1, 2, 3, 7}) {
      std::vector<uint8_t> got;
      size_t next = 0;
      PackSink sink = [&](absl::Span<const uint8_t> bytes) {
        got.insert(got.end(), bytes.begin(), bytes.end());
        return absl::OkStatus();
      };
      auto done = [&](size_t part) {
        EXPECT_EQ(part, next++);
        return absl::OkStatus();
      };
      ASSERT_TRUE(packInOrder(parts, threads, sink, done).ok());
      EXPECT_EQ(next, count);
      if (threads == 1)
        one = got;
      EXPECT_EQ(got, one) << threads << " threads";
    }
  }
}

TEST(PackInOrder, endsWithTheFirstError) {
  auto nowhere = [](absl::Span<const uint8_t>) { return absl::OkStatus(); };
  for (size_t threads : {1, 2, 7}) {
    size_t taken = 0;
    auto done = [&](size_t) { return ++taken, absl::OkStatus(); };
    EXPECT_EQ(packInOrder(unevenParts(50, 31), threads, nowhere, done).message(), "part 31");
    EXPECT_EQ(taken, 31u);
    auto full = [](absl::Span<const uint8_t>) { return absl::ResourceExhaustedError("full"); };
    EXPECT_EQ(packInOrder(unevenParts(50, 31), threads, full, done).message(), "full");
    auto stop = [](size_t part) { return part == 3 ? absl::CancelledError() : absl::OkStatus(); };
    EXPECT_TRUE(absl::IsCancelled(packInOrder(unevenParts(50, 31), threads, nowhere, stop)));
  }
}

TEST(TileParts, keepEveryValueOfALargeMatrix) {
  auto m = testMatrix(500, 1401, Format::f32, {}, 1);
  for (bool transposed : {false, true}) {
    MatrixView view = {1, 0, 0, 500, transposed};
    TileLayout layout;
    std::vector<uint8_t> bytes = packed({&m->source, 1}, view, layout);
    EXPECT_GT(tileParts({&m->source, 1}, view, layout)->size(), 3u);
    for (int64_t n = 0; n < layout.n; n += 3)
      for (int64_t k = 0; k < layout.k; k += 7)
        ASSERT_EQ(valueAt(bytes, layout, 0, n, k),
                  m->values[size_t(transposed ? k * 1401 + n : n * 1401 + k)]);
  }
}

TEST(TileParts, convertAsIfTheyWereOne) {
  auto m = testMatrix(500, 1400, Format::f32, {}, 1);
  m->source.target = {Format::e4m3, 128, 128};
  PackedRows rows(m->source);
  const SourceMatrix converted = *rows.window(0, 500)->matrix;
  for (bool transposed : {false, true}) {
    MatrixView view = {1, 0, 0, 500, transposed};
    TileLayout layout, other;
    std::vector<uint8_t> bytes = packed({&m->source, 1}, view, layout);
    EXPECT_EQ(tileParts({&m->source, 1}, view, layout)->size(), transposed ? 1u : 2u);
    EXPECT_TRUE(bytes == packed({&converted, 1}, view, other)) << transposed;
  }
}

} // namespace
} // namespace lathe::x86
