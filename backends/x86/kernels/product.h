// Rows times packed tiles: what all linear kernels share. The sum of a block of k (at most 256)
// goes along rising k, in one chain, or even and odd k apart (wide_line.h, one_row_e4m3.h), and
// blocks are added in rising order, each with its scales.
#pragma once

#include "backends/x86/kernels/many_rows.h"
#include "backends/x86/kernels/many_rows_amx.h"
#include "backends/x86/kernels/many_rows_i8.h"
#include "backends/x86/kernels/one_row.h"

namespace lathe::x86 {

// The products of `count` rows with the tiles [begin, end) of S stacks at `stacks`, which share one
// layout. finish(row, tile, f32x16 totals[S]) takes each result once.
template <int S, typename Finish>
LATHE_INLINE void manyRows(const XRows &rows, int64_t count, const char *const *stacks,
                           int64_t begin, int64_t end, const WeightParams &w, const XParams &xp,
                           Finish finish) {
  if (takesIntegers(w, xp))
    return manyRowsInIntegers<S>(rows, count, stacks, begin, end, w, xp, finish);
#if LATHE_X86_AMX
  if (takesAmx(w, xp))
    return manyRowsOnAmx<S>(rows, count, stacks, begin, end, w, xp, finish);
#endif
  manyRowsInVectors<S>(rows, count, stacks, begin, end, w, xp, finish);
}

template <int S, typename Finish>
LATHE_INLINE void product(const XRows &rows, int64_t count, const char *const *stacks,
                          int64_t begin, int64_t end, const WeightParams &w, const XParams &xp,
                          Finish finish) {
  if (count == 1)
    return oneRow<S>(rows, stacks, begin, end, w, xp, finish);
  manyRows<S>(rows, count, stacks, begin, end, w, xp, finish);
}

// The same over the rows of a source that is known when code is made: a decode step has one row, a
// prefill step seldom; so neither carries the code of the other form.
template <int S, typename Finish>
LATHE_INLINE void product(const XRows &rows, int64_t source, int64_t count,
                          const char *const *stacks, int64_t begin, int64_t end,
                          const WeightParams &w, const XParams &xp, Finish finish) {
  if (source == RowSource::none)
    oneRow<S>(rows, stacks, begin, end, w, xp, finish);
  else if (source == RowSource::rows)
    manyRows<S>(rows, count, stacks, begin, end, w, xp, finish);
  else
    product<S>(rows, count, stacks, begin, end, w, xp, finish);
}

// Item i of a kernel whose items are (outer, group of tiles), with the items behind it up to `end`
// that have the same outer: their tiles are one run, and the one-row form wants many at a time.
struct TileItem {
  int64_t outer;
  int64_t begin; // tiles
  int64_t end;
  int64_t next; // the first item that is not in it
};
LATHE_INLINE TileItem tileItem(int64_t item, int64_t end, int64_t n, int64_t tiles_per_item) {
  int64_t tiles = tileCount(n), groups = ceilDiv(tiles, tiles_per_item), outer = item / groups;
  int64_t next = smaller(end, (outer + 1) * groups);
  return {outer, item % groups * tiles_per_item,
          smaller(tiles, (next - outer * groups) * tiles_per_item), next};
}

} // namespace lathe::x86
