// Latent attention in f32 vectors. Scores are dot products of rows as they lie, vectors of partial
// sums that are added up across their lanes at the end: a transposition of the keys would cost half
// as much as the products do.
//
// Bound for 16 heads, rank 512 and rope 64: 16 * (576 + 512) / 16 vector FMAs a key, 544 cycles at
// two a cycle with 16 lanes; lanes are added up in 16 * 3 more instructions. A latent is 2304 bytes
// of f32, 1152 of bf16, which become f32 in registers, with one operation for a vector: 68 cycles.
// A copy of them in f32 would take 72 loads and stores of a line to and from L2, and those wait.
#pragma once

#include "backends/x86/kernels/latent.h"

namespace lathe::x86 {

constexpr int64_t vector_keys = 48;              // of a block: 54 KiB of bf16 latents at rank 512
constexpr int dot_rows = LATHE_X86_WIDE ? 8 : 4; // of a register tile
constexpr int dot_keys = 3;                      // of a register tile of scores

// The sums of the lanes of each of 8 vectors, in one order.
LATHE_INLINE f32x8 sumEach(const f32x16 (&v)[8]) {
  f32x16 half[4], quarter[2];
  for (int i = 0; i < 4; ++i)
    half[i] = __builtin_shufflevector(v[2 * i], v[2 * i + 1], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18,
                                      19, 20, 21, 22, 23) +
              __builtin_shufflevector(v[2 * i], v[2 * i + 1], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25,
                                      26, 27, 28, 29, 30, 31);
  for (int i = 0; i < 2; ++i)
    quarter[i] = __builtin_shufflevector(half[2 * i], half[2 * i + 1], 0, 1, 2, 3, 8, 9, 10, 11, 16,
                                         17, 18, 19, 24, 25, 26, 27) +
                 __builtin_shufflevector(half[2 * i], half[2 * i + 1], 4, 5, 6, 7, 12, 13, 14, 15,
                                         20, 21, 22, 23, 28, 29, 30, 31);
  f32x16 pairs = __builtin_shufflevector(quarter[0], quarter[1], 0, 1, 16, 17, 4, 5, 20, 21, 8, 9,
                                         24, 25, 12, 13, 28, 29) +
                 __builtin_shufflevector(quarter[0], quarter[1], 2, 3, 18, 19, 6, 7, 22, 23, 10, 11,
                                         26, 27, 14, 15, 30, 31);
  return __builtin_shufflevector(pairs, pairs, 0, 4, 8, 12, 2, 6, 10, 14) +
         __builtin_shufflevector(pairs, pairs, 1, 5, 9, 13, 3, 7, 11, 15);
}
// The same of 4 vectors of 8.
LATHE_INLINE f32x4 sumEach(const f32x8 (&v)[4]) {
  f32x8 half[2];
  for (int i = 0; i < 2; ++i)
    half[i] = __builtin_shufflevector(v[2 * i], v[2 * i + 1], 0, 1, 2, 3, 8, 9, 10, 11) +
              __builtin_shufflevector(v[2 * i], v[2 * i + 1], 4, 5, 6, 7, 12, 13, 14, 15);
  f32x8 pairs = __builtin_shufflevector(half[0], half[1], 0, 1, 8, 9, 4, 5, 12, 13) +
                __builtin_shufflevector(half[0], half[1], 2, 3, 10, 11, 6, 7, 14, 15);
  return __builtin_shufflevector(pairs, pairs, 0, 4, 2, 6) +
         __builtin_shufflevector(pairs, pairs, 1, 5, 3, 7);
}

// A register of the level: dot_rows floats or twice as many.
typedef float LatentVector __attribute__((vector_size(LATHE_X86_WIDE ? 64 : 32)));
typedef uint32_t LatentWords __attribute__((vector_size(LATHE_X86_WIDE ? 64 : 32)));
constexpr int64_t vector_floats = sizeof(LatentVector) / 4;
constexpr int64_t unit_columns = 2 * vector_floats; // that are read at a time

LATHE_INLINE LatentVector splatVector(float value) {
  f32x16 all = splat(value);
  return load<LatentVector>(&all);
}

// The columns of a unit of a latent. A word holds the bf16 of columns j and j + 8 of 16, so one
// operation gives a register of words half of their columns; where the words are 16, the middle
// quarters of the unit's columns have then changed places.
LATHE_INLINE void latentUnit(const char *at, int64_t format, LatentVector (&unit)[2]) {
  if (format == Format::bf16) {
    LatentWords words = load<LatentWords>(at);
    unit[0] = __builtin_bit_cast(LatentVector, lowBf16(words));
    unit[1] = __builtin_bit_cast(LatentVector, highBf16(words));
    return;
  }
  float columns[unit_columns];
  for (int64_t j = 0; j < unit_columns; j += 16)
    store16(columns + j, decode(at + j * formatBytes(format), format));
  for (int i = 0; i < 2; ++i)
    unit[i] = load<LatentVector>(columns + i * vector_floats);
}
// Puts f32 columns into the order of latentUnit, or back.
LATHE_INLINE void arrangeUnits(float *row, int64_t columns, int64_t format) {
  if (format != Format::bf16 || unit_columns != 32)
    return;
  for (float *at = row; at < row + columns; at += 32) {
    f32x16 a = load16(at), b = load16(at + 16);
    store16(at,
            __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23));
    store16(at + 16, __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28,
                                             29, 30, 31));
  }
}

// Asks for what lies `ahead` bytes behind some columns of a latent.
LATHE_INLINE void askAhead(const char *at, int64_t columns, int64_t format, int64_t ahead) {
  for (int64_t line = 0; line < columns * formatBytes(format); line += 64)
    __builtin_prefetch(at + ahead + line, 0, 2);
}

// scores[key][row] = query[row] . latent[key] of dot_rows rows and K keys from `key` on of a block.
// Asks for those columns of later latents that sums do not read.
template <int K>
LATHE_INLINE void dotTile(const LatentCacheParams &c, const float *query, const char *latents,
                          int64_t key, int64_t ahead, float *scores) {
  int64_t pieces = latentPieces(c), bytes = formatBytes(c.format);
  LatentVector sums[K][dot_rows] = {};
  for (int64_t piece = 0; piece < pieces; ++piece) {
    const char *from[K];
    for (int i = 0; i < K; ++i)
      from[i] = latents + latentPlace(c, key + i, piece) * bytes;
    if (piece * latent_columns >= c.kv_lora_rank)
      for (int i = 0; i < K; ++i)
        askAhead(from[i], latent_columns, c.format, ahead);
    for (int64_t j = 0; j < latent_columns; j += unit_columns) {
      LatentVector latent[K][2];
      for (int i = 0; i < K; ++i)
        latentUnit(from[i] + j * bytes, c.format, latent[i]);
      for (int half = 0; half < 2; ++half)
        for (int row = 0; row < dot_rows; ++row) {
          LatentVector q = load<LatentVector>(query + (row * pieces + piece) * latent_columns + j +
                                              half * vector_floats);
          for (int i = 0; i < K; ++i)
            sums[i][row] = __builtin_elementwise_fma(q, latent[i][half], sums[i][row]);
        }
    }
  }
  for (int i = 0; i < K; ++i)
    store(scores + i * 16, sumEach(sums[i]));
}

// What lies so many bytes behind keys of even and odd places is asked for; 0 asks for what is there
// already. A tile asks for half of the keys: two lines of f32 for each would fill the core's
// buffers, and what is needed would wait.
struct LatentsAhead {
  int64_t even;
  int64_t odd;
};

// sums[row][a unit] = that * shrink[row] + sum over keys of p[key][row] * latent[key], for dot_rows
// rows; latents from the first of the unit's columns on.
LATHE_INLINE void sumTile(const LatentCacheParams &c, const float *p, const float *shrink,
                          const char *latents, int64_t keys, LatentsAhead ahead, float *sums) {
  int64_t stride = sumStride(c.kv_lora_rank), row_bytes = latent_columns * formatBytes(c.format);
  LatentVector result[dot_rows][2];
  for (int row = 0; row < dot_rows; ++row)
    for (int half = 0; half < 2; ++half)
      result[row][half] =
          load<LatentVector>(sums + row * stride + half * vector_floats) * shrink[row];
  for (int64_t block = 0; block < keys; block += latent_block) {
    const char *from = latents + latentPlace(c, block, 0) * formatBytes(c.format);
#pragma clang loop unroll_count(2)
    for (int64_t key = block; key < smaller(block + latent_block, keys); ++key, from += row_bytes) {
      askAhead(from, unit_columns, c.format, ahead.even);
      ahead = {ahead.odd, ahead.even};
      LatentVector latent[2];
      latentUnit(from, c.format, latent);
      for (int row = 0; row < dot_rows; ++row)
        for (int half = 0; half < 2; ++half)
          result[row][half] = __builtin_elementwise_fma(splatVector(p[key * 16 + row]),
                                                        latent[half], result[row][half]);
    }
  }
  for (int row = 0; row < dot_rows; ++row)
    for (int half = 0; half < 2; ++half)
      store(sums + row * stride + half * vector_floats, result[row][half]);
}

class LatentVectors {
public:
  static constexpr int64_t memoryFloats(const LatentCacheParams &c) {
    return latent_queries * stride(c);
  }

  LATHE_INLINE LatentVectors(const LatentCacheParams &c, float *memory) : c_(c), queries_(memory) {}

  LATHE_INLINE void attend(const LatentQueries &q, const LatentRun &run, float scale,
                           const LatentState &state) {
    for (int64_t start = run.begin; start < run.end; start += vector_keys)
      attendBlock(q, run, start, smaller(vector_keys, run.end - start), scale, state);
    for (int64_t i = 0; i < q.count; ++i)
      arrangeUnits(state.sums + i * sumStride(c_.kv_lora_rank), c_.kv_lora_rank, c_.format);
  }

  LATHE_INLINE void takeQueries(const LatentQueries &q) {
    int64_t width = c_.kv_lora_rank + c_.rope_dim;
    for (int64_t i = 0; i < roundUp(q.count, dot_rows); ++i) {
      float *to = queries_ + i * stride(c_);
      for (int64_t j = 0; j < stride(c_); j += 16)
        store16(to + j, i < q.count && j < width ? loadSome(q.query[i] + j, width - j) : f32x16{});
      arrangeUnits(to, stride(c_), c_.format);
    }
  }

private:
  static constexpr int64_t stride(const LatentCacheParams &c) {
    return latentPieces(c) * latent_columns;
  }

  LATHE_INLINE void attendBlock(const LatentQueries &q, const LatentRun &run, int64_t start,
                                int64_t keys, float scale, const LatentState &state) {
    alignas(64) float scores[vector_keys * 16] = {}, shrink[16]; // zeros where there is no query
    const char *latents = run.latents + start * latentBytes(c_);
    int64_t ahead = start + vector_keys < run.live ? vector_keys * latentBytes(c_) : 0;
    for (int64_t i = 0; i < q.count; i += dot_rows)
      scoresOf(i, latents, keys, i == 0 ? ahead : 0, scores + i);
    store16(shrink, latentProbabilities(scores, keys, start, q.last, scale, state));
    for (int64_t j = 0; j < c_.kv_lora_rank; j += unit_columns) {
      int64_t place = latentPlace(c_, 0, j / latent_columns) + j % latent_columns;
      for (int64_t i = 0; i < q.count; i += dot_rows)
        sumTile(c_, scores + i, shrink + i, latents + place * formatBytes(c_.format), keys,
                shareOf(ahead, i, q.count), state.sums + i * sumStride(c_.kv_lora_rank) + j);
    }
  }

  // The first tiles of rows share the asking.
  static LATHE_INLINE LatentsAhead shareOf(int64_t ahead, int64_t row, int64_t count) {
    bool alone = count <= dot_rows;
    return {row == 0 ? ahead : 0, alone || row == dot_rows ? ahead : 0};
  }

  LATHE_INLINE void scoresOf(int64_t first, const char *latents, int64_t keys, int64_t ahead,
                             float *scores) {
    const float *query = queries_ + first * stride(c_);
    int64_t key = 0;
    for (; key + dot_keys <= keys; key += dot_keys)
      dotTile<dot_keys>(c_, query, latents, key, ahead, scores + key * 16);
    for (; key < keys; ++key)
      dotTile<1>(c_, query, latents, key, ahead, scores + key * 16);
  }

  const LatentCacheParams &c_;
  float *queries_; // [latent_queries][columns of all pieces], in the order of units
};

} // namespace lathe::x86
