// Absorbed latent attention of up to 16 queries over a run of keys: what the forms for vectors
// (latent_vectors.h) and for AMX (latent_amx.h) share. All queries make one pass over the latents,
// a block of keys at a time: scores, a step of the online softmax, sums of latents. A block's
// latents come from memory once; its sums of latents find them in L2.
#pragma once

#include "backends/x86/kernels/function.h"
#include "backends/x86/kernels/mla.h"
#include "backends/x86/kernels/number.h"
#include "backends/x86/kernels/online_softmax.h"

namespace lathe::x86 {

// Queries past `count` do not exist; what becomes of them is of no interest.
struct LatentQueries {
  int64_t count;
  const float *query[latent_queries]; // kv_lora_rank + rope_dim floats each
  i32x16 last;                        // each sees the keys 0 to last
};

// Running results: sums [latent_queries][sum stride], maxima and denominators. A piece of the
// context leaves them in scratch, mlaStateFloats of them.
struct LatentState {
  float *sums;
  float *largest;
  float *total;
};
LATHE_INLINE LatentState latentState(float *memory, const LatentCacheParams &c) {
  float *behind = memory + latent_queries * sumStride(c.kv_lora_rank);
  return {memory, behind, behind + latent_queries};
}
LATHE_INLINE void startState(const LatentState &state, const LatentCacheParams &c) {
  for (int64_t i = 0; i < latent_queries * sumStride(c.kv_lora_rank); i += 16)
    store16(state.sums + i, f32x16{});
  store16(state.largest, splat(-__builtin_inff()));
  store16(state.total, f32x16{});
}

// Scores [keys][16 queries] of the keys from `start` on become probabilities relative to the new
// maximum of each query; the result is what its sums so far shrink by.
LATHE_INLINE f32x16 latentProbabilities(float *scores, int64_t keys, int64_t start, i32x16 last,
                                        float scale, const LatentState &state) {
  f32x16 before = load16(state.largest), now = before;
  for (int64_t key = 0; key < keys; ++key) {
    i32x16 place = i32x16{} + static_cast<int32_t>(start + key);
    f32x16 score = load16(scores + key * 16) * scale;
    score = place <= last ? score : splat(-__builtin_inff());
    store16(scores + key * 16, score);
    now = maximum(now, score);
  }
  f32x16 base = softmaxBase(now);
  f32x16 sum = {};
  for (int64_t key = 0; key < keys; ++key) {
    f32x16 p = exponential(load16(scores + key * 16) - base);
    store16(scores + key * 16, p);
    sum += p;
  }
  f32x16 shrink = exponential(before - base);
  store16(state.largest, now);
  store16(state.total, fma(load16(state.total), shrink, sum));
  return shrink;
}

// The keys [begin, end) of a slot whose latents begin at `latents`; begin is a multiple of
// latent_block. Those behind are someone's too, up to `live`.
struct LatentRun {
  const char *latents;
  int64_t begin;
  int64_t end;
  int64_t live;
};

} // namespace lathe::x86
