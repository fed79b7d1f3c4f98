// Which kernel, cut how: every choice that depends on shapes, formats and the kind of step is made
// here. Choices never depend on the number of threads: results must not either.
#pragma once

#include <cstdint>

#include "backends/x86/kernels/weight.h"

namespace lathe::x86 {

// Rows of one item of a kernel that works row by row.
int64_t rowsPerItem(int64_t columns);
// Rows of one item of routing.
int64_t routeRowsPerItem(int64_t experts);
// Whether a decode step spreads the product of a router over the threads.
bool spreadsRouter(const WeightParams &router);
// Tiles of one item of a product: enough bytes to be worth a hand-over, enough items to share.
int64_t tilesPerItem(const WeightParams &weight);
// Query rows of one item of attention; heads of queries for each head of keys.
int64_t attentionRowsPerItem(int64_t max_rows, int64_t heads_per_key);
// Query rows of one item of materialised latent attention; the expansion is repeated for each item.
int64_t materialisedRowsPerItem(int64_t max_rows);
// Query rows of one item of absorbed latent attention, in steps of several rows.
int64_t absorbedRowsPerItem(int64_t num_heads);
// Keys of one item of a decode step's latent attention, and of grouped-query attention.
int64_t latentsPerPiece(int64_t max_context);
int64_t keysPerPiece(int64_t max_context, int64_t heads_per_key);

} // namespace lathe::x86
