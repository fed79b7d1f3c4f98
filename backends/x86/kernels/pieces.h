// Attention of a decode step's one row over a context that is cut into pieces of a fixed number of
// keys (flash decoding). A kernel leaves what each piece sums up to in scratch, merge_pieces adds
// pieces up in their order. An item is a piece of some heads of queries that share a pass over it.
#pragma once

#include "backends/x86/kernels/frame.h"

namespace lathe::x86 {

// Running results of some heads: sums [heads][sumStride(value_dim)], then maxima of scores and
// denominators, for each head one, both rounded up to 16.
constexpr int64_t sumStride(int64_t value_dim) { // rows spread over lines of L1
  return roundUp(value_dim, 32) + 16;
}
constexpr int64_t stateFloats(int64_t heads, int64_t value_dim) {
  return heads * sumStride(value_dim) + 2 * roundUp(heads, 16);
}

// Scratch is [piece][item of it][state].
struct Pieces {
  int64_t key_heads;
  int64_t heads_per_key;  // heads of queries that share a head of keys
  int64_t heads_per_item; // of these
  int64_t value_dim;
  int64_t keys_per_piece;
  int64_t max_context;
  int64_t window; // keys that are seen; 0: all
};
constexpr int64_t itemsOfHead(const Pieces &p) {
  return ceilDiv(p.heads_per_key, p.heads_per_item);
}
constexpr int64_t itemsOfPiece(const Pieces &p) { return p.key_heads * itemsOfHead(p); }
constexpr int64_t stateFloats(const Pieces &p) {
  return stateFloats(p.heads_per_item, p.value_dim);
}
constexpr int64_t pieceCount(const Pieces &p, int64_t context) {
  return ceilDiv(context, p.keys_per_piece);
}
constexpr int64_t oldestKey(const Pieces &p, int64_t context) {
  return p.window && context > p.window ? context - p.window : 0;
}
// Those before it are behind the window: they leave nothing in scratch.
constexpr int64_t firstPiece(const Pieces &p, int64_t context) {
  return oldestKey(p, context) / p.keys_per_piece;
}
// Pieces past the row's position are no items.
constexpr Items pieceItems(const Pieces &p) {
  return {itemsOfPiece(p), p.keys_per_piece, 1, RowSource::context};
}
constexpr int64_t pieceScratch(const Pieces &p) { // bytes; align it to 64
  return 4 * stateFloats(p) * itemsOfPiece(p) * pieceCount(p, p.max_context);
}

// What an item does: some heads of queries, all of one head of keys, over the keys [begin, end).
struct PieceItem {
  int64_t key_head;
  int64_t head;
  int64_t heads;
  int64_t begin;
  int64_t end;
};
constexpr PieceItem pieceItem(const Pieces &p, int64_t item, int64_t context) {
  int64_t place = item % itemsOfPiece(p), begin = item / itemsOfPiece(p) * p.keys_per_piece;
  int64_t key_head = place / itemsOfHead(p), within = place % itemsOfHead(p) * p.heads_per_item;
  int64_t heads = p.heads_per_key - within, end = begin + p.keys_per_piece;
  return {key_head, key_head * p.heads_per_key + within,
          heads < p.heads_per_item ? heads : p.heads_per_item, begin,
          end < context ? end : context};
}

// result[h], value_dim floats each, of what a kernel left. Item = as many heads as there are pieces
// to share them: what is a single piece runs without a barrier.
struct MergePiecesParams {
  Pieces pieces;
  int64_t log2_base; // f32 bits; 1 where scores are powers of two
};
struct MergePiecesOperand {
  enum : int64_t { scratch, result, count };
};
constexpr Items mergePiecesItems(const MergePiecesParams &p) {
  return {1, p.pieces.keys_per_piece, 1, RowSource::context};
}
LATHE_X86_KERNEL(merge_pieces, MergePiecesParams)

} // namespace lathe::x86
