// The lines of a panel's results, asked for evenly while it is multiplied. A store whose line is in
// no cache waits for memory, and a panel ends in hundreds of stores. For results that caches do not
// keep: those of all experts, top_k times as large as the rows.
#pragma once

#include "backends/x86/kernels/simd.h"

namespace lathe::x86 {

// What takes the results of a product, store(row, tile, totals), and says where it puts those of a
// row's tile: at(row, tile). Where caches keep the results, a store alone will do.
template <typename At, typename Store> struct StoringAt {
  At at;
  Store store;

  LATHE_INLINE void operator()(int64_t row, int64_t tile, const f32x16 *totals) const {
    store(row, tile, totals);
  }
};
template <typename At, typename Store>
LATHE_INLINE StoringAt<At, Store> storingAt(At at, Store store) {
  return {at, store};
}

// Rows [row, rows_end) by packed tiles [tile, tile + tiles).
template <typename Finish> struct ResultLines {
  const Finish *finish;
  int64_t row, rows_end;
  int64_t tile, tiles;
  int64_t share = 0; // lines at a time
  int64_t column = 0;

  // Into so many calls of askSome().
  LATHE_INLINE void cut(int64_t calls) {
    share = ceilDiv((rows_end - row) * tiles, larger<int64_t>(calls, 1));
  }
  LATHE_INLINE void askSome() {
    if constexpr (requires { finish->at(row, tile); })
#pragma clang loop unroll(disable)
      for (int64_t i = 0; i < share && row < rows_end; ++i) {
        __builtin_prefetch(finish->at(row, tile + column), 0, 2);
        if (++column == tiles)
          column = 0, ++row;
      }
  }
};

} // namespace lathe::x86
