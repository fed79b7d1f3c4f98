// AMX: eight registers ("tiles") of up to 16 rows of 64 bytes, and products of tiles of bf16 with
// sums in f32 (Intel's manual, volume 1, chapter 18). A product of 16 rows takes 16 cycles for 8192
// multiplications; four sums that do not wait for one another keep it busy. Rows and columns of all
// tiles are configured together, which zeroes them. Subnormal operands count as zero.
#pragma once

#include "backends/x86/kernels/simd.h"

#ifndef LATHE_X86_AMX
#ifdef __AMX_BF16__
#define LATHE_X86_AMX 1
#else
#define LATHE_X86_AMX 0
#endif
#endif

#if LATHE_X86_AMX
namespace lathe::x86 {

constexpr int64_t tile_row_bytes = 64;
constexpr int64_t amx_tile_bytes = 16 * tile_row_bytes;

// What ldtilecfg reads.
struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};

  // Tiles first to last have `count` rows of 64 bytes.
  LATHE_INLINE void set(int first, int last, int64_t count) {
    for (int tile = first; tile <= last; ++tile) {
      row_bytes[tile] = tile_row_bytes;
      rows[tile] = static_cast<uint8_t>(count);
    }
  }
};
static_assert(sizeof(TileConfig) == 64);

// body.operator()<i>() for each i from I on below Count: tiles are named by constants.
template <int I, int Count, typename Body> LATHE_INLINE void eachNumber(Body body) {
  if constexpr (I < Count) {
    body.template operator()<I>();
    eachNumber<I + 1, Count>(body);
  }
}

#ifdef LATHE_X86_AMX_EMULATED // a header in which tests bring their own, for machines without AMX
#include LATHE_X86_AMX_EMULATED
#else
LATHE_INLINE void configureTiles(const TileConfig &config) {
  __builtin_ia32_tile_loadconfig(&config);
}
// So that a switch of threads need not save 8 KiB.
LATHE_INLINE void releaseTiles() { __builtin_ia32_tilerelease(); }
template <int Tile> LATHE_INLINE void zeroTile() { __builtin_ia32_tilezero(Tile); }
// Rows are `stride` bytes apart.
template <int Tile> LATHE_INLINE void loadTile(const void *from, int64_t stride) {
  __builtin_ia32_tileloadd64(Tile, from, static_cast<size_t>(stride));
}
template <int Tile> LATHE_INLINE void storeTile(void *to, int64_t stride) {
  __builtin_ia32_tilestored64(Tile, to, static_cast<size_t>(stride));
}
// Sum[i][n] += A[i][2 k] B[k][2 n] + A[i][2 k + 1] B[k][2 n + 1]: rows of A are rows of x, rows of
// B are pairs of k.
template <int Sum, int A, int B> LATHE_INLINE void multiplyTiles() {
  __builtin_ia32_tdpbf16ps(Sum, A, B);
}
#endif

} // namespace lathe::x86
#endif
