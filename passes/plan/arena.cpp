#include "passes/plan/arena.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace lathe::passes {

namespace {

bool meet(const Buffer &a, const Buffer &b) { return a.first <= b.last && b.first <= a.last; }

// Offset of the smallest gap between those of `placed` (by offset) that live with `buffer`; the end
// of the last of them if no gap is large enough.
int64_t bestOffset(const Buffer &buffer, llvm::ArrayRef<const Buffer *> placed) {
  int64_t end = 0, best = -1, best_gap = INT64_MAX;
  for (const Buffer *other : placed) {
    if (!meet(buffer, *other))
      continue;
    const int64_t gap = other->offset - end;
    if (gap >= buffer.bytes && gap < best_gap)
      best = end, best_gap = gap;
    end = std::max(end, other->offset + other->bytes);
  }
  return best >= 0 ? best : end;
}

// The largest first: what is small finds room between what is large, not the other way round.
std::vector<size_t> placingOrder(llvm::ArrayRef<Buffer> buffers) {
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return buffers[a].bytes > buffers[b].bytes; });
  return order;
}

} // namespace

int64_t placeBuffers(llvm::MutableArrayRef<Buffer> buffers) {
  std::vector<const Buffer *> placed; // by offset
  int64_t peak = 0;
  for (size_t index : placingOrder(buffers)) {
    Buffer &buffer = buffers[index];
    buffer.offset = bestOffset(buffer, placed);
    peak = std::max(peak, buffer.offset + buffer.bytes);
    const auto behind = std::upper_bound(
        placed.begin(), placed.end(), buffer.offset,
        [](int64_t offset, const Buffer *other) { return offset < other->offset; });
    placed.insert(behind, &buffer);
  }
  return peak;
}

} // namespace lathe::passes
