// Experts of one row of integers: the bits of the same codes as f32.
#include "backends/x86/kernels/moe.h"
#include "integer_rows.h"

namespace lathe::x86 {
namespace {

constexpr int64_t kExperts = 5, kTopK = 3;

// Rows for experts whose weights have `k` columns, in a memory with their stacks.
struct Experts {
  StepMemory memory{1};
  TestStack first, second; // [experts, n, k]
  IntegerRows x;           // a row for each choice
  int64_t n, k, indices, weights, scales, wide, narrow;

  Experts(int64_t n, int64_t k, const WeightCase &weight)
      : first(testStack(memory, kExperts, n, k, weight, 3)),
        second(testStack(memory, kExperts, n, k, weight, 4)), x(kTopK, k, anyCode), n(n), k(k),
        indices(memory.put(std::vector<int32_t>{4, 0, 2})),
        weights(memory.put(std::vector<float>{0.5f, 0.3f, 0.9f})),
        scales(memory.put(randomFloats(kTopK * ceilDiv(k, 32), 5))), wide(memory.put(x.wide)),
        narrow(memory.put(x.codes)) {}

  XParams rows(int64_t rows_in) const {
    return {Activations::w8a8, kStride, 32, ceilDiv(k, 32), rows_in};
  }
  std::vector<float> floats(int64_t place, int64_t count) {
    return {memory.at<float>(place), memory.at<float>(place) + count};
  }

  std::vector<float> gateUp(int64_t place, int64_t rows_in) {
    MoeGateUpRowParams p = {first.layout.params(), rows(rows_in), kTopK, n, 2};
    int64_t result = memory.space<float>(kTopK * n);
    memory.run(lathe_x86_moe_gate_up_row,
               {place, scales, indices, first.place, second.place, result}, p,
               moeGateUpRowItems(p));
    return floats(result, kTopK * n);
  }

  std::vector<float> down(int64_t place, int64_t rows_in) {
    MoeDownRowParams p = {first.layout.params(), rows(rows_in), kTopK, 0, 9};
    int64_t result = memory.space<float>(n);
    memory.run(lathe_x86_moe_down_row,
               {place, scales, indices, weights, first.place, no_operand, result}, p,
               moeDownRowItems(p));
    return floats(result, n);
  }
};

TEST(IntegerExperts, giveTheBitsOfTheSameCodesInF32) {
  for (const WeightCase &weight : kIntegers)
    for (int64_t k : {32, 7, 33, 100, 288})
      for (int64_t n : {1, 36, 150}) {
        SCOPED_TRACE(testing::Message() << "format " << weight.format << " n " << n << " k " << k);
        Experts experts(n, k, weight);
        EXPECT_EQ(experts.gateUp(experts.narrow, RowsIn::i8),
                  experts.gateUp(experts.wide, RowsIn::f32));
        EXPECT_EQ(experts.down(experts.narrow, RowsIn::i8),
                  experts.down(experts.wide, RowsIn::f32));
      }
}

} // namespace
} // namespace lathe::x86
