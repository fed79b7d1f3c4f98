#include "backends/x86/kernels/pieces.h"

#include "backends/x86/kernels/online_softmax.h"

using namespace lathe::x86;

// A head's state in each piece from the first live one on.
struct HeadStates {
  const Pieces &pieces;
  const float *first;
  int64_t place; // among the heads of an item

  LATHE_INLINE const float *at(int64_t piece) const {
    return first + piece * itemsOfPiece(pieces) * stateFloats(pieces);
  }
  LATHE_INLINE const float *sums(int64_t piece) const {
    return at(piece) + place * sumStride(pieces.value_dim);
  }
  LATHE_INLINE float largest(int64_t piece) const { return behindSums(piece)[place]; }
  LATHE_INLINE float total(int64_t piece) const {
    return behindSums(piece)[roundUp(pieces.heads_per_item, 16) + place];
  }

private:
  LATHE_INLINE const float *behindSums(int64_t piece) const {
    return at(piece) + pieces.heads_per_item * sumStride(pieces.value_dim);
  }
};

static LATHE_INLINE HeadStates statesOf(const Pieces &p, const float *scratch, int64_t head,
                                        int64_t first_piece) {
  int64_t within = head % p.heads_per_key;
  int64_t item = head / p.heads_per_key * itemsOfHead(p) + within / p.heads_per_item;
  return {p, scratch + (first_piece * itemsOfPiece(p) + item) * stateFloats(p),
          within % p.heads_per_item};
}

// steps[piece]; gives the denominator of all of them.
static LATHE_INLINE float pieceSteps(const HeadStates &states, int64_t count, float log2_base,
                                     PieceStep *steps) {
  float largest = -__builtin_inff(), total = 0;
  for (int64_t i = 0; i < count; ++i)
    steps[i] = addPiece(states.largest(i) * log2_base, states.total(i), largest, total);
  return total;
}

// V vectors of columns: their chains of sums run beside each other.
template <int V>
static LATHE_INLINE void mergeColumns(const HeadStates &states, int64_t count,
                                      const PieceStep *steps, float total, int64_t column,
                                      float *result) {
  f32x16 sums[V] = {};
  for (int64_t i = 0; i < count; ++i)
    for (int v = 0; v < V; ++v)
      sums[v] = steps[i].add(sums[v], load16(states.sums(i) + column + v * 16));
  for (int v = 0; v < V; ++v)
    storeSome(result + column + v * 16, sums[v] / total, states.pieces.value_dim - column - v * 16);
}

static LATHE_INLINE void mergeHead(const HeadStates &states, int64_t count, float log2_base,
                                   PieceStep *steps, float *result) {
  float total = pieceSteps(states, count, log2_base, steps);
  int64_t column = 0, columns = states.pieces.value_dim;
  for (; column + 64 <= columns; column += 64)
    mergeColumns<4>(states, count, steps, total, column, result);
  for (; column < columns; column += 16)
    mergeColumns<1>(states, count, steps, total, column, result);
}

LATHE_X86_DEFINE(merge_pieces)
(const Frame *frame, const int64_t *operands, const MergePiecesParams *params, int64_t begin,
 int64_t end) {
  const Pieces &p = params->pieces;
  const float *scratch = resolve<float>(frame, operands[MergePiecesOperand::scratch]);
  float *result = resolve<float>(frame, operands[MergePiecesOperand::result]);
  int64_t heads = p.key_heads * p.heads_per_key, items = pieceCount(p, frame->context);
  int64_t first = firstPiece(p, frame->context), live = items - first;
  PieceStep *steps =
      reinterpret_cast<PieceStep *>(LATHE_STACK_FLOATS(2 * pieceCount(p, p.max_context)));
  for (int64_t head = heads * begin / items; head < heads * end / items; ++head)
    mergeHead(statesOf(p, scratch, head, first), live, bitsFloat(params->log2_base), steps,
              result + head * p.value_dim);
}
