// What all forms of an online softmax share. Probabilities are relative to the largest score so
// far; when that grows, what was summed up before shrinks.
#pragma once

#include "backends/x86/kernels/function.h"

namespace lathe::x86 {

// What scores are relative to. Where nothing was seen yet it is 0, and all probabilities are 0.
template <typename T> LATHE_INLINE T softmaxBase(T largest) {
  return largest == -__builtin_inff() ? T{} : largest;
}

// How a piece of the context joins those before it.
struct PieceStep {
  float before; // what their sums shrink by
  float piece;  // and the piece's own

  LATHE_INLINE f32x16 add(f32x16 sums, f32x16 of_piece) const {
    return fma(of_piece, splat(piece), sums * before);
  }
};
// Scores are powers of two. A piece in which nothing was seen changes nothing; what is added to
// nothing stays as it is.
LATHE_INLINE PieceStep addPiece(float piece_largest, float piece_total, float &largest,
                                float &total) {
  float now = larger(largest, piece_largest), base = softmaxBase(now);
  PieceStep step = {powerOfTwo(splat(largest - base))[0],
                    powerOfTwo(splat(piece_largest - base))[0]};
  total = fma(piece_total, step.piece, total * step.before);
  largest = now;
  return step;
}

// Row i of 16 of `columns` sums, `stride` apart, times shrink[i]. Maxima seldom change after some
// blocks.
LATHE_INLINE void shrinkRows(float *sums, int64_t stride, int64_t columns, f32x16 shrink) {
  for (int64_t i = 0; i < 16; ++i)
    if (shrink[i] != 1.0f)
      for (int64_t j = 0; j < columns; j += 16)
        store16(sums + i * stride + j, load16(sums + i * stride + j) * shrink[i]);
}

} // namespace lathe::x86
