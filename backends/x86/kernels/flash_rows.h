// What the forms of attention of many rows (flash_vectors.h, flash_amx.h) share: rows, blocks of
// keys, running results.
#pragma once

#include "backends/x86/kernels/function.h"
#include "backends/x86/kernels/number.h"
#include "backends/x86/kernels/online_softmax.h"
#include "backends/x86/kernels/paired_terms.h"
#include "backends/x86/kernels/pieces.h"
#include "backends/x86/kernels/stored_rows.h"

namespace lathe::x86 {

constexpr int64_t flash_keys = 64; // of a block
constexpr float log2_e = 1.44269504f;

// A row of queries: it sees the keys first <= s <= last. What it gets stands in this row of the
// result, from this column on.
struct FlashRow {
  const float *query;
  int64_t row;
  int64_t column;
  int64_t first;
  int64_t last;
};

// What a block of keys is: tiles [key_dim][16], one after the other, and a row of values for each
// key. There are tiles for the keys that are asked for, and nothing behind them.
struct FlashKeys {
  const float *keys;
  const float *values;
  int64_t value_stride; // at least value_dim rounded up to 16; rows are readable so far
};

struct FlashShape {
  int64_t key_dim;
  int64_t value_dim;
  float scale;
  int64_t keys_per_piece; // vectors sum piece by piece, as a decode step does; 0: all are one piece
};

// Running results of some rows: sums [rows][sumStride], maxima of scores in powers of two, and
// denominators.
struct FlashState {
  float *sums;
  float *largest;
  float *total;
};
LATHE_INLINE FlashState startState(float *memory, int64_t rows, int64_t value_dim) {
  int64_t sums = rows * sumStride(value_dim), padded = roundUp(rows, 16);
  for (int64_t i = 0; i < sums + 2 * padded; i += 16)
    store16(memory + i, i >= sums && i < sums + padded ? splat(-__builtin_inff()) : f32x16{});
  return {memory, memory + sums, memory + sums + padded};
}

LATHE_INLINE void storeResult(const FlashState &state, int64_t i, int64_t value_dim,
                              const FlashRow &row, const StoredRows &result) {
  const float *sums = state.sums + i * sumStride(value_dim);
  for (int64_t j = 0; j < value_dim; j += 16)
    result.storeSomeAt(row.row, row.column + j, smaller<int64_t>(16, value_dim - j),
                       load16(sums + j) / state.total[i]);
}

constexpr i32x16 lane_numbers = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

// Scores of the keys from `start` on; those that a row does not see are -infinity.
LATHE_INLINE f32x16 seenScores(f32x16 scores, int64_t start, int32_t first, int32_t last) {
  i32x16 place = lane_numbers + static_cast<int32_t>(start);
  return ((place >= first) & (place <= last)) ? scores : splat(-__builtin_inff());
}

// The columns [begin, end) of `count` rows as tiles of 16 keys: keys[key / 16][place + column -
// begin][key % 16], zeros behind the last key. 15 floats behind a row's last column are read.
LATHE_INLINE void transposeKeys(const float *rows, int64_t stride, int64_t begin, int64_t end,
                                int64_t count, int64_t key_dim, int64_t place, float *keys) {
  for (int64_t tile = 0; tile < count; tile += 16)
    for (int64_t d = begin; d < end; d += 16) {
      u32x16 square[16];
      for (int64_t key = 0; key < 16; ++key)
        square[key] =
            tile + key < count ? load<u32x16>(rows + (tile + key) * stride + d) : u32x16{};
      transpose16(square);
      float *to = keys + tile * key_dim + (place + d - begin) * 16;
      for (int64_t i = 0; i < smaller<int64_t>(16, end - d); ++i)
        store(to + i * 16, square[i]);
    }
}

} // namespace lathe::x86
