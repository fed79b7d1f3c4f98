#include "backends/reference/mla.h"

#include <algorithm>
#include <map>

#include "backends/reference/linear.h"
#include "backends/reference/softmax.h"

namespace lathe::reference {

namespace {

using Doubles = std::vector<double>;

// Keys and values of one slot, for each position and head: [S, heads, key_dim], [S, heads,
// value_dim].
struct Expanded {
  int64_t key_dim, value_dim;
  Doubles keys, values;
};

Expanded expand(const LatentCache &cache, int64_t slot, int64_t count, const Tensor &kv_b,
                const MlaShape &shape) {
  const int64_t n = shape.qk_nope_head_dim, r = shape.qk_rope_head_dim, v = shape.v_head_dim;
  Expanded result{n + r, v, {}, {}};
  for (int64_t s = 0; s < count; ++s) {
    const float *latent = cache.latents.at(slot, s);
    for (int64_t h = 0; h < shape.num_heads; ++h) {
      for (int64_t i = 0; i < n + v; ++i) {
        const double element = dot(kv_b.row(h * (n + v) + i), latent, cache.kv_lora_rank);
        (i < n ? result.keys : result.values).push_back(element);
      }
      const float *rotated = latent + cache.kv_lora_rank;
      // The shared rotated part ends every head's key.
      result.keys.insert(result.keys.end(), rotated, rotated + r);
    }
  }
  return result;
}

// Latents as they are: the key is all of [c | r], the value its c; every head has a copy.
Expanded repeat(const LatentCache &cache, int64_t slot, int64_t count, const MlaShape &shape) {
  const int64_t c = cache.kv_lora_rank, r = cache.rope_dim;
  Expanded result{c + r, c, {}, {}};
  for (int64_t s = 0; s < count; ++s)
    for (int64_t h = 0; h < shape.num_heads; ++h) {
      const float *latent = cache.latents.at(slot, s);
      result.keys.insert(result.keys.end(), latent, latent + c + r);
      result.values.insert(result.values.end(), latent, latent + c);
    }
  return result;
}

void attendHead(const float *query, const Expanded &context, int64_t num_heads, int64_t head,
                int64_t count, double softmax_scale, float *result) {
  Doubles scores(count), sum(context.value_dim);
  for (int64_t s = 0; s < count; ++s) {
    const double *key = context.keys.data() + (s * num_heads + head) * context.key_dim;
    for (int64_t i = 0; i < context.key_dim; ++i)
      scores[s] += query[i] * key[i];
    scores[s] *= softmax_scale;
  }
  softmax(scores);
  for (int64_t s = 0; s < count; ++s) {
    const double *value = context.values.data() + (s * num_heads + head) * context.value_dim;
    for (int64_t j = 0; j < context.value_dim; ++j)
      sum[j] += scores[s] * value[j];
  }
  std::copy(sum.begin(), sum.end(), result);
}

// For each slot of the step one more than the last position that one of its rows sees.
std::map<int64_t, int64_t> contextLengths(const Indices &slots, const Indices &positions) {
  std::map<int64_t, int64_t> lengths;
  for (size_t t = 0; t < slots.values.size(); ++t) {
    int64_t &length = lengths[slots.values[t]];
    length = std::max<int64_t>(length, positions.values[t] + 1);
  }
  return lengths;
}

} // namespace

Tensor mlaAttention(const Tensor &query, const Tensor &latent, const Indices &slots,
                    const Indices &positions, LatentCache &cache, const Tensor *kv_b,
                    const MlaShape &shape, float softmax_scale) {
  for (int64_t t = 0; t < query.rows(); ++t)
    cache.latents.write(slots.values[t], positions.values[t], latent.row(t));
  const int64_t value_dim = kv_b ? shape.v_head_dim : cache.kv_lora_rank;
  Tensor result({query.rows(), shape.num_heads * value_dim});
  for (const auto &[slot, length] : contextLengths(slots, positions)) {
    const Expanded context =
        kv_b ? expand(cache, slot, length, *kv_b, shape) : repeat(cache, slot, length, shape);
    for (int64_t t = 0; t < query.rows(); ++t)
      for (int64_t h = 0; slots.values[t] == slot && h < shape.num_heads; ++h)
        attendHead(query.row(t) + h * context.key_dim, context, shape.num_heads, h,
                   positions.values[t] + 1, softmax_scale, result.row(t) + h * value_dim);
  }
  return result;
}

Tensor absorbQuery(const Tensor &input, const Tensor &kv_b, const MlaShape &shape) {
  const int64_t n = shape.qk_nope_head_dim, r = shape.qk_rope_head_dim, v = shape.v_head_dim;
  const int64_t c = kv_b.columns();
  Tensor result({input.rows(), shape.num_heads * (c + r)});
  for (int64_t t = 0; t < input.rows(); ++t)
    for (int64_t h = 0; h < shape.num_heads; ++h) {
      const float *query = input.row(t) + h * (n + r);
      float *folded = result.row(t) + h * (c + r);
      Doubles sum(c);
      for (int64_t i = 0; i < n; ++i)
        for (int64_t j = 0; j < c; ++j)
          sum[j] += double{query[i]} * kv_b.row(h * (n + v) + i)[j];
      std::copy(sum.begin(), sum.end(), folded);
      std::copy_n(query + n, r, folded + c);
    }
  return result;
}

Tensor expandValue(const Tensor &input, const Tensor &kv_b, const MlaShape &shape) {
  const int64_t n = shape.qk_nope_head_dim, v = shape.v_head_dim, c = kv_b.columns();
  Tensor result({input.rows(), shape.num_heads * v});
  for (int64_t t = 0; t < input.rows(); ++t)
    for (int64_t h = 0; h < shape.num_heads; ++h)
      for (int64_t i = 0; i < v; ++i)
        result.row(t)[h * v + i] =
            static_cast<float>(dot(input.row(t) + h * c, kv_b.row(h * (n + v) + n + i), c));
  return result;
}

} // namespace lathe::reference
