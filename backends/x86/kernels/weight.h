// Packed weights, layout "tile16": one copy serves every feature level.
//
// A matrix [n, k] is cut into tiles of 16 rows (outputs), zeros where rows are missing. A tile is
// its codes [k][16], then its scales, padded with zeros to 64 bytes: f32 [blocks] with mode `tile`
// (the 16 rows share a scale), f32 [blocks][16] with mode `lane`, f16 [blocks][16] with mode
// `lane_f16`, blocks = ceil(k / scale_block_k). The scales start at the next multiple of 64 bytes
// after the codes. Right behind them a tile of e4m3 has a u32, 1 if few of its codes are subnormal,
// else 0, and a bit for each eight k, the first one lowest: 1 if an exponent of theirs is 0, which
// subnormal codes and zeros have. A stack (experts, heads) is its matrices one after the other,
// matrix_bytes apart.
//
// The order of the 16 in memory: f32, f16 and i8 rising; bf16 and the 8-bit floats 0, 8, 1, 9, ...
// 7, 15, so that even and odd elements are the two halves and nothing needs to be widened by a
// shuffle. i4: eight k of a row are the nibbles of a 32-bit word, rising from the lowest, each with
// 8 added; 16 words, one a row, are eight k, and the last of them may be fewer (codes of 0 behind
// them). So all eight come out of one load by masks that leave them where they are: see number.h.
#pragma once

#include "backends/x86/kernels/frame.h"

namespace lathe::x86 {

struct Format {
  enum Kind : int64_t { f32 = 0, bf16 = 1, f16 = 2, e4m3 = 3, e5m2 = 4, i8 = 5, i4 = 6 };
};

constexpr bool isInteger(int64_t format) { return format == Format::i8 || format == Format::i4; }

// Of a code outside of tiles.
constexpr int64_t formatBytes(int64_t format) {
  return format == Format::f32 ? 4 : format == Format::bf16 || format == Format::f16 ? 2 : 1;
}

constexpr int64_t nibbles = 8; // codes of i4 in a word

// Of the 16 codes of one k.
constexpr int64_t codeRowBytes(int64_t format) {
  return format == Format::i4 ? 8 : 16 * formatBytes(format);
}

// Whether even and odd elements of a line are the lanes 0-7 and 8-15.
constexpr bool splitsLanes(int64_t format) {
  return format == Format::bf16 || format == Format::e4m3 || format == Format::e5m2;
}
// Where row `lane` of a tile stands among the 16 codes of one k.
constexpr int64_t lanePlace(int64_t format, int64_t lane) {
  return splitsLanes(format) ? lane % 8 * 2 + lane / 8 : lane;
}

struct ScaleMode {
  enum Kind : int64_t { none = 0, tile = 1, lane = 2, lane_f16 = 3 };
};

struct WeightParams {
  int64_t n; // outputs
  int64_t k; // inputs
  int64_t format;
  int64_t scale_mode;
  int64_t scale_block_k; // inputs that share a scale; k with mode none
  int64_t tile_bytes;
  int64_t matrix_bytes;
};

constexpr int64_t tile_rows = 16;

constexpr int64_t tileCount(int64_t n) { return ceilDiv(n, tile_rows); }
constexpr int64_t codeBytes(int64_t k, int64_t format) {
  int64_t stored = format == Format::i4 ? roundUp(k, nibbles) : k;
  return roundUp(stored * codeRowBytes(format), 64);
}
// Of the scales of one block.
constexpr int64_t scaleRowBytes(int64_t scale_mode) {
  switch (scale_mode) {
  case ScaleMode::tile: return 4;
  case ScaleMode::lane: return 4 * tile_rows;
  case ScaleMode::lane_f16: return 2 * tile_rows;
  default: return 0;
  }
}

constexpr int64_t tileScaleBytes(int64_t scale_mode, int64_t k, int64_t block) {
  return scale_mode == ScaleMode::none || k == 0 ? 0
                                                 : ceilDiv(k, block) * scaleRowBytes(scale_mode);
}
// Where a tile has what it says of its codes.
constexpr int64_t behindScales(const WeightParams &w) {
  return codeBytes(w.k, w.format) + tileScaleBytes(w.scale_mode, w.k, w.scale_block_k);
}

constexpr int64_t few_subnormals = 2048; // codes or more for one that is subnormal
constexpr int64_t few_bytes = 4;         // of what says so
// Of the bits, with room to read 64 from any byte of them on.
constexpr int64_t zeroExponentBytes(int64_t k) { return ceilDiv(k, 64) + 7; }
// Of what stands behind the scales.
constexpr int64_t tileEndBytes(int64_t k, int64_t format) {
  return format == Format::e4m3 ? few_bytes + zeroExponentBytes(k) : 0;
}

constexpr WeightParams weightParams(int64_t n, int64_t k, int64_t format,
                                    int64_t scale_mode = ScaleMode::none,
                                    int64_t scale_block_k = 0) {
  int64_t block = scale_mode == ScaleMode::none || scale_block_k > k ? k : scale_block_k;
  int64_t tile = codeBytes(k, format) +
                 roundUp(tileScaleBytes(scale_mode, k, block) + tileEndBytes(k, format), 64);
  return {n, k, format, scale_mode, block, tile, tile * tileCount(n)};
}

} // namespace lathe::x86
