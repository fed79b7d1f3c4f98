#include "backends/x86/select/choice.h"

#include <algorithm>

#include "backends/x86/kernels/mla.h"
#include "backends/x86/kernels/moe.h"

namespace lathe::x86 {

// About 64 KiB of f32 a block: cheap against the hand-over of an item (some hundred ns).
int64_t rowsPerItem(int64_t columns) {
  return std::clamp<int64_t>(16384 / std::max<int64_t>(columns, 1), 1, 16);
}

// The router's weights are converted for each item: items of 48 rows take two thirds of the time
// of items of 8. Their logits are on the stack.
int64_t routeRowsPerItem(int64_t experts) {
  return std::clamp<int64_t>(16384 / std::max<int64_t>(experts, 1), 12, route_rows);
}

// 256 KiB, 64 experts of 2048 columns, take 25 us inside moe_route, and as a product of its own on
// two threads 18, or 28 while neighbours take a part of both cores. 256 experts of 7168 columns
// are 3.5 MiB.
bool spreadsRouter(const WeightParams &router) { return router.matrix_bytes >= 256 * 1024; }

// 32 KiB of codes take about 3 us from memory on one core; small matrices are cut into 16 items at
// most, since more cannot keep more threads busy than it costs.
int64_t tilesPerItem(const WeightParams &weight) {
  int64_t by_bytes = std::max<int64_t>(32768 / std::max<int64_t>(weight.tile_bytes, 1), 1);
  int64_t by_count = ceilDiv(tileCount(weight.n), 16);
  return std::max<int64_t>(std::min(by_bytes, by_count), 1);
}

// A block of keys is cut into terms for up to 256 pairs of row and head; few rows an item where a
// head of keys has many heads of queries, so that there are items for many threads.
int64_t attentionRowsPerItem(int64_t max_rows, int64_t heads_per_key) {
  return std::min<int64_t>(
      max_rows, std::clamp<int64_t>(256 / std::max<int64_t>(heads_per_key, 1) / 16 * 16, 16, 64));
}

// The stack holds an item's queries and running sums: 256 rows are enough to make the expansion of
// a key block (256 times less work a row) small.
int64_t materialisedRowsPerItem(int64_t max_rows) { return std::min<int64_t>(max_rows, 256); }

int64_t absorbedRowsPerItem(int64_t num_heads) {
  return std::max<int64_t>(latent_queries / std::max<int64_t>(num_heads, 1), 1);
}

// At most 160 pieces bound the scratch.
static int64_t fewestPerPiece(int64_t max_context) {
  return roundUp(ceilDiv(max_context, 160), 64);
}

// For each 16 heads a piece leaves as many bytes as 14 latents of f32 or 28 of bf16, which another
// thread reads to put pieces together. In a context of 16384 in bf16, 512 keys were as fast as 1024
// (28 ms); 320 were slower by a tenth where both were measured side by side, with sums laid out
// otherwise.
int64_t latentsPerPiece(int64_t max_context) {
  return std::max<int64_t>(512, fewestPerPiece(max_context));
}

// A head's sums are written and read once a piece, as many bytes as half a key and value: with 16
// keys for each head that shares them, they are a sixteenth of the keys.
int64_t keysPerPiece(int64_t max_context, int64_t heads_per_key) {
  return std::max<int64_t>({256, roundUp(16 * heads_per_key, 64), fewestPerPiece(max_context)});
}

} // namespace lathe::x86
