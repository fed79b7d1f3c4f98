#include "backends/reference/attention.h"

#include <cmath>

#include <gmock/gmock.h>

#include "backends/reference/mla.h"
#include "noise.h"

namespace lathe::reference {
namespace {

using testing::ElementsAre;
using testing::FloatNear;
using testing::Pointwise;

KvCache kvCache(int64_t slots, int64_t kv_heads, int64_t key_dim, int64_t value_dim) {
  return {kv_heads,
          key_dim,
          value_dim,
          64,
          SlotRows(slots, kv_heads * key_dim, false),
          SlotRows(slots, kv_heads * value_dim, false)};
}

TEST(Attention, toOneKeyIsItsValue) {
  KvCache cache = kvCache(1, 1, 2, 3);
  EXPECT_THAT(attention(Tensor({1, 2}, {5, 6}), Tensor({1, 2}, {1, 1}), Tensor({1, 3}, {7, 8, 9}),
                        Indices({0}), Indices({0}), cache, 1, 0.5f, std::nullopt)
                  .values,
              ElementsAre(7, 8, 9));
}

TEST(Attention, weighsValuesBySoftmaxOfScaledProducts) {
  KvCache cache = kvCache(1, 1, 1, 1);
  const Tensor result =
      attention(Tensor({2, 1}, {0, 2}), Tensor({2, 1}, {0, 1}), Tensor({2, 1}, {10, 20}),
                Indices({0, 0}), Indices({0, 1}), cache, 1, 0.5f, std::nullopt);
  const float weight = std::exp(1.0f) / (1 + std::exp(1.0f));
  EXPECT_THAT(result.values, ElementsAre(10, FloatNear(10 + 10 * weight, 1e-5f)));
}

TEST(Attention, seesNoFurtherBackThanItsWindow) {
  KvCache cache = kvCache(1, 1, 1, 1);
  const Tensor ones({3, 1}, {0, 0, 0});
  EXPECT_THAT(attention(ones, ones, Tensor({3, 1}, {1, 2, 4}), Indices({0, 0, 0}),
                        Indices({0, 1, 2}), cache, 1, 1, 2)
                  .values,
              ElementsAre(1, 1.5f, 3));
}

TEST(Attention, sharesAKeyHeadAmongItsGroupOfQueryHeads) {
  KvCache cache = kvCache(1, 2, 1, 1);
  EXPECT_THAT(attention(Tensor({1, 4}, {1, 1, 1, 1}), Tensor({1, 2}, {1, 1}),
                        Tensor({1, 2}, {5, 6}), Indices({0}), Indices({0}), cache, 4, 1,
                        std::nullopt)
                  .values,
              ElementsAre(5, 5, 6, 6));
}

struct Rows {
  Tensor query, key, value;
  Indices slots, positions;
};

// Two slots, rows interleaved: slot 0 at positions 0 to 4, slot 1 at 0 to 2.
Rows twoSlots(int64_t query_columns, int64_t key_columns, int64_t value_columns) {
  TestNoise noise;
  return {noise.tensor({8, query_columns}), noise.tensor({8, key_columns}),
          noise.tensor({8, value_columns}), Indices({0, 1, 0, 0, 1, 1, 0, 0}),
          Indices({0, 0, 1, 2, 1, 2, 3, 4})};
}

TEST(Attention, inChunksIsThatOfTheWholeAndSlotsDoNotSeeEachOther) {
  const Rows all = twoSlots(16, 8, 6);
  KvCache cache = kvCache(2, 2, 4, 3);
  const Tensor whole =
      attention(all.query, all.key, all.value, all.slots, all.positions, cache, 4, 0.5f, 3);
  KvCache chunked = kvCache(2, 2, 4, 3);
  for (int64_t begin = 0; begin < 8; begin += 3) {
    const int64_t end = std::min<int64_t>(8, begin + 3);
    const Tensor part = attention(rowsOf(all.query, begin, end), rowsOf(all.key, begin, end),
                                  rowsOf(all.value, begin, end), entriesOf(all.slots, begin, end),
                                  entriesOf(all.positions, begin, end), chunked, 4, 0.5f, 3);
    EXPECT_EQ(part.values, rowsOf(whole, begin, end).values);
  }
  // The first row of slot 1 sees only itself: both query heads of a group get the value itself.
  EXPECT_EQ(whole.row(1)[0], all.value.row(1)[0]);
}

constexpr MlaShape kShape{2, 4, 2, 3};

LatentCache latentCache() { return {5, 2, 64, SlotRows(2, 7, false)}; }

TEST(MlaAttention, inChunksIsThatOfTheWhole) {
  TestNoise noise;
  const Rows all = twoSlots(12, 7, 1);
  const Tensor kv_b = noise.tensor({14, 5});
  LatentCache cache = latentCache();
  const Tensor whole =
      mlaAttention(all.query, all.key, all.slots, all.positions, cache, &kv_b, kShape, 0.3f);
  LatentCache chunked = latentCache();
  for (int64_t t = 0; t < 8; ++t) {
    const Tensor part = mlaAttention(
        rowsOf(all.query, t, t + 1), rowsOf(all.key, t, t + 1), entriesOf(all.slots, t, t + 1),
        entriesOf(all.positions, t, t + 1), chunked, &kv_b, kShape, 0.3f);
    EXPECT_EQ(part.values, rowsOf(whole, t, t + 1).values);
  }
}

TEST(MlaAttention, isThatOverLatentsBetweenTheTwoFolds) {
  TestNoise noise;
  const Rows all = twoSlots(12, 7, 1);
  const Tensor kv_b = noise.tensor({14, 5});
  LatentCache cache = latentCache(), again = latentCache();
  const Tensor expanded =
      mlaAttention(all.query, all.key, all.slots, all.positions, cache, &kv_b, kShape, 0.3f);
  const Tensor latent = mlaAttention(absorbQuery(all.query, kv_b, kShape), all.key, all.slots,
                                     all.positions, again, nullptr, kShape, 0.3f);
  EXPECT_THAT(expandValue(latent, kv_b, kShape).values,
              Pointwise(FloatNear(1e-6f), expanded.values));
}

TEST(MlaAttention, isGroupedAttentionOverExpandedKeysAndValues) {
  TestNoise noise;
  const Rows all = twoSlots(12, 7, 1);
  const Tensor kv_b = noise.tensor({14, 5});
  LatentCache cache = latentCache();
  const Tensor latent =
      mlaAttention(all.query, all.key, all.slots, all.positions, cache, &kv_b, kShape, 0.3f);
  Tensor keys({8, 12}), values({8, 6});
  for (int64_t t = 0; t < 8; ++t)
    for (int64_t h = 0; h < 2; ++h) {
      for (int64_t i = 0; i < 7; ++i) {
        double sum = 0;
        for (int64_t j = 0; j < 5; ++j)
          sum += double{kv_b.row(h * 7 + i)[j]} * all.key.row(t)[j];
        (i < 4 ? keys.row(t)[h * 6 + i] : values.row(t)[h * 3 + i - 4]) = static_cast<float>(sum);
      }
      for (int64_t i = 0; i < 2; ++i)
        keys.row(t)[h * 6 + 4 + i] = all.key.row(t)[5 + i];
    }
  KvCache plain = kvCache(2, 2, 6, 3);
  EXPECT_THAT(
      attention(all.query, keys, values, all.slots, all.positions, plain, 2, 0.3f, std::nullopt)
          .values,
      Pointwise(FloatNear(1e-6f), latent.values));
}

TEST(SlotRows, roundWhatIsWrittenToABf16Cache) {
  SlotRows rows(1, 1, /*bf16=*/true);
  const float value = 1 + 0x1p-12f;
  rows.write(0, 3, &value);
  EXPECT_EQ(*rows.at(0, 3), 1);
  EXPECT_EQ(*rows.at(0, 1), 0); // skipped
}

} // namespace
} // namespace lathe::reference
