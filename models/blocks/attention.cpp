#include "models/blocks/attention.h"

#include <cmath>

#include "base/status.h"
#include "models/blocks/basic.h"

namespace lathe::models {

namespace {

// Hugging Face norms latents with this whatever rms_norm_eps says.
constexpr double kLatentEpsilon = 1e-6;

double inverseRoot(int64_t dim) { return 1 / std::sqrt(static_cast<double>(dim)); }

// A projection of heads, normed head by head where the model does.
absl::StatusOr<mlir::Value> heads(Step &step, mlir::Value x, absl::string_view kind, int64_t count,
                                  const Gqa &gqa, const Decoder &decoder) {
  LATHE_ASSIGN_OR_RETURN(const mlir::Value rows, linear(step, x, absl::StrCat(kind, "_proj"),
                                                        count * gqa.head_dim, gqa.qkv_bias));
  if (!gqa.qk_norm || kind == "v")
    return rows;
  return norm(step, rows, absl::StrCat(kind, "_norm"), gqa.head_dim, decoder.norm_epsilon);
}

absl::StatusOr<mlir::Value> latentQuery(Step &step, mlir::Value x, const Mla &mla) {
  const int64_t columns = mla.num_heads * (mla.qk_nope_head_dim + mla.qk_rope_head_dim);
  if (!mla.q_lora_rank)
    return linear(step, x, "q_proj", columns);
  LATHE_ASSIGN_OR_RETURN(mlir::Value latent,
                         linear(step, x, "q_a_proj", *mla.q_lora_rank, mla.bias));
  LATHE_ASSIGN_OR_RETURN(latent,
                         norm(step, latent, "q_a_layernorm", *mla.q_lora_rank, kLatentEpsilon));
  return linear(step, latent, "q_b_proj", columns);
}

mlir::Value slice(Step &step, mlir::Value x, int64_t offset, int64_t columns) {
  return step.create<ir::SliceOp>(step.rows(columns), x, offset);
}

// What the cache holds of a token: [normed latent | turned key part].
absl::StatusOr<mlir::Value> latentKey(Step &step, mlir::Value x, mlir::Value table, const Mla &mla,
                                      RopeLayout layout) {
  const int64_t rank = mla.kv_lora_rank, turned = mla.qk_rope_head_dim;
  LATHE_ASSIGN_OR_RETURN(const mlir::Value both,
                         linear(step, x, "kv_a_proj_with_mqa", rank + turned, mla.bias));
  LATHE_ASSIGN_OR_RETURN(const mlir::Value latent, norm(step, slice(step, both, 0, rank),
                                                        "kv_a_layernorm", rank, kLatentEpsilon));
  const mlir::Value key =
      rope(step, slice(step, both, rank, turned), table, turned, /*offset=*/0, layout);
  return mlir::Value(
      step.create<ir::ConcatOp>(step.rows(rank + turned), mlir::ValueRange{latent, key}));
}

} // namespace

absl::StatusOr<mlir::Value> attention(Step &step, mlir::Value x, mlir::Value table, const Gqa &gqa,
                                      const Decoder &decoder) {
  LATHE_ASSIGN_OR_RETURN(mlir::Value query, heads(step, x, "q", gqa.num_heads, gqa, decoder));
  LATHE_ASSIGN_OR_RETURN(mlir::Value key, heads(step, x, "k", gqa.kv_heads, gqa, decoder));
  LATHE_ASSIGN_OR_RETURN(const mlir::Value value, heads(step, x, "v", gqa.kv_heads, gqa, decoder));
  query = rope(step, query, table, gqa.head_dim, /*offset=*/0, decoder.rope_layout);
  key = rope(step, key, table, gqa.head_dim, /*offset=*/0, decoder.rope_layout);
  const mlir::Value cache = step.takeCache(
      ir::KvCacheType::get(step.builder().getContext(), /*slots=*/1, step.maxContext(),
                           gqa.kv_heads, gqa.head_dim, gqa.head_dim, step.cacheElement()),
      "kv");
  auto op = step.create<ir::AttentionOp>(
      query.getType(), cache.getType(), query, key, value, step.slots(), step.positions(), cache,
      step.i64(gqa.num_heads), step.f32(inverseRoot(gqa.head_dim)),
      gqa.window ? step.i64(*gqa.window) : mlir::IntegerAttr());
  step.giveCache(op.getUpdated());
  return linear(step, op.getResult(), "o_proj", decoder.hidden_size, gqa.output_bias);
}

absl::StatusOr<mlir::Value> attention(Step &step, mlir::Value x, mlir::Value table, const Mla &mla,
                                      const Decoder &decoder) {
  const int64_t n = mla.qk_nope_head_dim, r = mla.qk_rope_head_dim, v = mla.v_head_dim;
  LATHE_ASSIGN_OR_RETURN(mlir::Value query, latentQuery(step, x, mla));
  query = rope(step, query, table, n + r, /*offset=*/n, decoder.rope_layout);
  LATHE_ASSIGN_OR_RETURN(const mlir::Value latent,
                         latentKey(step, x, table, mla, decoder.rope_layout));
  LATHE_ASSIGN_OR_RETURN(const mlir::Value kv_b,
                         step.weight(step.weights().linear(
                             step.nameOf("kv_b_proj"), mla.num_heads * (n + v), mla.kv_lora_rank)));
  const mlir::Value cache = step.takeCache(
      ir::LatentCacheType::get(step.builder().getContext(), /*slots=*/1, step.maxContext(),
                               mla.kv_lora_rank, r, step.cacheElement()),
      "latent");
  auto op = step.create<ir::MlaAttentionOp>(
      step.rows(mla.num_heads * v), cache.getType(), query, latent, step.slots(), step.positions(),
      cache, kv_b, step.i64(mla.num_heads), step.i64(n), step.i64(r), step.i64(v),
      step.f32(inverseRoot(n + r) * decoder.rope.softmaxScaleFactor()),
      ir::MlaFormAttr::get(step.builder().getContext(), ir::MlaForm::unspecified));
  step.giveCache(op.getUpdated());
  return linear(step, op.getResult(), "o_proj", decoder.hidden_size, mla.bias);
}

} // namespace lathe::models
