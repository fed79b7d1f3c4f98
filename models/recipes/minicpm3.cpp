// MiniCPM3: latent attention with rope over halves, dense, and scales by which embedding, residuals
// and logits are multiplied (muP).
#include <cmath>

#include "base/status.h"
#include "models/recipe.h"
#include "models/recipes/common.h"

namespace lathe::models {

namespace {

// Classes disagree about the defaults, so all three must be there.
absl::Status readScales(const Keys &keys, Decoder &decoder) {
  LATHE_ASSIGN_OR_RETURN(decoder.embedding_scale, keys.factor("scale_emb"));
  LATHE_ASSIGN_OR_RETURN(const double depth, keys.factor("scale_depth"));
  decoder.residual_scale = depth / std::sqrt(static_cast<double>(decoder.layers.size()));
  LATHE_ASSIGN_OR_RETURN(const int64_t base, keys.extent("dim_model_base"));
  decoder.logits_scale = static_cast<double>(base) / static_cast<double>(decoder.hidden_size);
  return absl::OkStatus();
}

} // namespace

absl::StatusOr<Decoder> describeMiniCpm3(Keys &keys) {
  LATHE_ASSIGN_OR_RETURN(Decoder decoder, readDecoder(keys, {.norm_epsilon = 1e-5, .tied = true}));
  LATHE_RETURN_IF_ERROR(readScales(keys, decoder));
  LATHE_ASSIGN_OR_RETURN(const int64_t heads, keys.extent("num_attention_heads"));
  LATHE_ASSIGN_OR_RETURN(
      const Mla attention,
      readLatentHeads(keys, /*v_head_dim=*/std::max<int64_t>(1, decoder.hidden_size / heads)));
  decoder.rotary_dim = attention.qk_rope_head_dim;
  LATHE_ASSIGN_OR_RETURN(const Mlp mlp, readMlp(keys));
  fillLayers(decoder, {attention, mlp});
  return decoder;
}

} // namespace lathe::models
