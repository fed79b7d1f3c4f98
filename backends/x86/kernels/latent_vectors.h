// Latent attention in f32 vectors. Scores are dot products of rows as they lie, vectors of partial
// sums that are added up across their lanes at the end: a transposition of the keys would cost half
// as much as the products do.
//
// Bound for 16 heads, rank 512 and rope 64: 16 * (576 + 512) / 16 vector FMAs a key, 544 cycles at
// two a cycle with 16 lanes; lanes are added up in 16 * 3 more instructions. The latent is 2304
// bytes of f32.
#pragma once

#include "backends/x86/kernels/latent.h"

namespace lathe::x86 {

constexpr int64_t vector_keys = 48;              // of a block: 110 KiB of f32 latents at rank 512
constexpr int dot_rows = LATHE_X86_WIDE ? 8 : 4; // register tile of scores: rows x keys
constexpr int dot_keys = 3;
constexpr int sum_tiles = LATHE_X86_WIDE ? 2 : 1; // register tile of sums: dot_rows x vectors

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

constexpr int64_t piece_floats = latent_block * latent_columns;

// scores[key][row] = query[row] . latent[key] of dot_rows rows and K keys from `key` on of a block.
// A vector is a register of the level: dot_rows floats or twice as many.
template <int K>
LATHE_INLINE void dotTile(const float *query, const float *latents, int64_t key, int64_t pieces,
                          float *scores, Ahead &ahead) {
  typedef float Vector __attribute__((vector_size(LATHE_X86_WIDE ? 64 : 32)));
  constexpr int64_t step = sizeof(Vector) / 4;
  const float *from[K];
  for (int i = 0; i < K; ++i)
    from[i] = latents + (key + i) / latent_block * pieces * piece_floats +
              (key + i) % latent_block * latent_columns;
  Vector sums[K][dot_rows] = {};
  for (int64_t piece = 0; piece < pieces; ++piece)
    for (int64_t j = 0; j < latent_columns; j += step) {
      ahead.ask();
      Vector latent[K];
      for (int i = 0; i < K; ++i)
        latent[i] = load<Vector>(from[i] + piece * piece_floats + j);
      for (int row = 0; row < dot_rows; ++row) {
        Vector q = load<Vector>(query + (row * pieces + piece) * latent_columns + j);
        for (int i = 0; i < K; ++i)
          sums[i][row] = __builtin_elementwise_fma(q, latent[i], sums[i][row]);
      }
    }
  for (int i = 0; i < K; ++i)
    store(scores + i * 16, sumEach(sums[i]));
}

// sums[row][T vectors] = that * shrink[row] + sum over keys of p[key][row] * latent[key], for
// dot_rows rows; latents from the first of the columns on.
template <int T>
LATHE_INLINE void sumTile(const float *p, const float *shrink, const float *latents, int64_t pieces,
                          int64_t keys, float *sums, int64_t sum_stride, Ahead &ahead) {
  f32x16 result[dot_rows][T];
  for (int row = 0; row < dot_rows; ++row)
    for (int t = 0; t < T; ++t)
      result[row][t] = load16(sums + row * sum_stride + t * 16) * shrink[row];
  for (int64_t block = 0; block < keys; block += latent_block)
    for (int64_t key = block, end = smaller(block + latent_block, keys); key < end; ++key) {
      ahead.ask();
      const float *from =
          latents + block * pieces * latent_columns + (key - block) * latent_columns;
      f32x16 latent[T];
      for (int t = 0; t < T; ++t)
        latent[t] = load16(from + t * 16);
      for (int row = 0; row < dot_rows; ++row)
        for (int t = 0; t < T; ++t)
          result[row][t] = fma(splat(p[key * 16 + row]), latent[t], result[row][t]);
    }
  for (int row = 0; row < dot_rows; ++row)
    for (int t = 0; t < T; ++t)
      store16(sums + row * sum_stride + t * 16, result[row][t]);
}

class LatentVectors {
public:
  static constexpr int64_t memoryFloats(const LatentCacheParams &c) {
    return (latent_queries + (c.format == Format::f32 ? 0 : vector_keys)) * stride(c);
  }

  LATHE_INLINE LatentVectors(const LatentCacheParams &c, float *memory)
      : c_(c), queries_(memory), converted_(memory + latent_queries * stride(c)) {}

  LATHE_INLINE void attend(const LatentQueries &q, const LatentRun &run, float scale,
                           const LatentState &state) {
    for (int64_t start = run.begin; start < run.end; start += vector_keys)
      attendBlock(q, run, start, smaller(vector_keys, run.end - start), scale, state);
  }

  LATHE_INLINE void takeQueries(const LatentQueries &q) {
    int64_t width = c_.kv_lora_rank + c_.rope_dim;
    for (int64_t i = 0; i < roundUp(q.count, dot_rows); ++i)
      for (int64_t j = 0; j < stride(c_); j += 16)
        store16(queries_ + i * stride(c_) + j,
                i < q.count && j < width ? loadSome(q.query[i] + j, width - j) : f32x16{});
  }

private:
  static constexpr int64_t stride(const LatentCacheParams &c) {
    return latentPieces(c) * latent_columns;
  }

  LATHE_INLINE const float *latentsAt(const char *latents, int64_t keys) {
    if (c_.format == Format::f32)
      return reinterpret_cast<const float *>(latents);
    for (int64_t i = 0; i < roundUp(keys, latent_block) * stride(c_); i += 16)
      store16(converted_ + i, decode(latents + i * formatBytes(c_.format), c_.format));
    return converted_;
  }

  LATHE_INLINE void attendBlock(const LatentQueries &q, const LatentRun &run, int64_t start,
                                int64_t keys, float scale, const LatentState &state) {
    alignas(64) float scores[vector_keys * 16] = {}, shrink[16]; // zeros where there is no query
    const float *latents = latentsAt(run.latents + start * latentBytes(c_), keys);
    Ahead ahead = aheadOf(run, c_, start, vector_keys);
    for (int64_t i = 0; i < q.count; i += dot_rows)
      scoresOf(i, latents, keys, scores + i, ahead);
    store16(shrink, latentProbabilities(scores, keys, start, q.last, scale, state));
    for (int64_t i = 0; i < q.count; i += dot_rows)
      sumsOf(latents, keys, scores + i, shrink + i, state.sums + i * sumStride(c_.kv_lora_rank),
             ahead);
  }

  LATHE_INLINE void scoresOf(int64_t first, const float *latents, int64_t keys, float *scores,
                             Ahead &ahead) {
    int64_t pieces = latentPieces(c_), key = 0;
    const float *query = queries_ + first * stride(c_);
    for (; key + dot_keys <= keys; key += dot_keys)
      dotTile<dot_keys>(query, latents, key, pieces, scores + key * 16, ahead);
    for (; key < keys; ++key)
      dotTile<1>(query, latents, key, pieces, scores + key * 16, ahead);
  }

  LATHE_INLINE void sumsOf(const float *latents, int64_t keys, const float *p, const float *shrink,
                           float *sums, Ahead &ahead) {
    for (int64_t j = 0; j < c_.kv_lora_rank; j += sum_tiles * 16)
      sumTile<sum_tiles>(p, shrink,
                         latents + j / latent_columns * piece_floats + j % latent_columns,
                         latentPieces(c_), keys, sums + j, sumStride(c_.kv_lora_rank), ahead);
  }

  const LatentCacheParams &c_;
  float *queries_;   // [latent_queries][columns of all pieces]
  float *converted_; // a block of latents, where the cache is not f32
};

} // namespace lathe::x86
