#include "backends/reference/attention.h"

#include <algorithm>

#include "backends/reference/linear.h"
#include "backends/reference/softmax.h"

namespace lathe::reference {

namespace {

struct Head {
  int64_t slot, first, last; // the visible positions
  int64_t kv_head;
};

void attendHead(const float *query, const KvCache &cache, const Head &head, double softmax_scale,
                float *result) {
  std::vector<double> scores;
  for (int64_t s = head.first; s <= head.last; ++s) {
    const float *key = cache.keys.at(head.slot, s) + head.kv_head * cache.key_dim;
    scores.push_back(softmax_scale * dot(query, key, cache.key_dim));
  }
  softmax(scores);
  std::vector<double> sum(cache.value_dim);
  for (int64_t s = head.first; s <= head.last; ++s) {
    const float *value = cache.values.at(head.slot, s) + head.kv_head * cache.value_dim;
    for (int64_t j = 0; j < cache.value_dim; ++j)
      sum[j] += scores[s - head.first] * value[j];
  }
  std::copy(sum.begin(), sum.end(), result);
}

} // namespace

Tensor attention(const Tensor &query, const Tensor &key, const Tensor &value, const Indices &slots,
                 const Indices &positions, KvCache &cache, int64_t num_heads, float softmax_scale,
                 std::optional<int64_t> window) {
  const int64_t rows = query.rows();
  for (int64_t t = 0; t < rows; ++t) {
    cache.keys.write(slots.values[t], positions.values[t], key.row(t));
    cache.values.write(slots.values[t], positions.values[t], value.row(t));
  }
  Tensor result({rows, num_heads * cache.value_dim});
  for (int64_t t = 0; t < rows; ++t)
    for (int64_t h = 0; h < num_heads; ++h) {
      const int64_t position = positions.values[t];
      const int64_t first = window ? std::max<int64_t>(0, position - *window + 1) : 0;
      const Head head{slots.values[t], first, position, h / (num_heads / cache.kv_heads)};
      attendHead(query.row(t) + h * cache.key_dim, cache, head, softmax_scale,
                 result.row(t) + h * cache.value_dim);
    }
  return result;
}

} // namespace lathe::reference
