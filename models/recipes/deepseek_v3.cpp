// DeepSeek-V3, R1, V3.1 and Kimi K2: latent attention, experts chosen by sigmoid with a bias that
// counts for the choice only, layers of multi-token prediction behind the last one.
#include "base/status.h"
#include "models/recipe.h"
#include "models/recipes/common.h"

namespace lathe::models {

absl::StatusOr<Decoder> describeDeepseekV3(Keys &keys) {
  LATHE_ASSIGN_OR_RETURN(Decoder decoder, readDecoder(keys, {}));
  LATHE_ASSIGN_OR_RETURN(const Mla attention, readLatentHeads(keys));
  decoder.rotary_dim = attention.qk_rope_head_dim;
  LATHE_ASSIGN_OR_RETURN(const bool pairs, keys.flagOr("rope_interleave", true));
  decoder.rope_layout = pairs ? RopeLayout::pairs : RopeLayout::half;
  LATHE_ASSIGN_OR_RETURN(const Mlp mlp, readMlp(keys));
  LATHE_RETURN_IF_ERROR(keys.mustBe("scoring_func", "sigmoid"));
  LATHE_RETURN_IF_ERROR(keys.mustBe("topk_method", "noaux_tc"));
  LATHE_ASSIGN_OR_RETURN(Moe experts,
                         readExperts(keys, /*groups=*/true, Moe::GroupScore::top2_sum));
  experts.score = Moe::Score::sigmoid;
  experts.selection_bias = true;
  LATHE_ASSIGN_OR_RETURN(experts.renormalize, keys.flagOr("norm_topk_prob", true));
  LATHE_RETURN_IF_ERROR(fillDeepseekLayers(keys, decoder, attention, mlp, experts));
  LATHE_ASSIGN_OR_RETURN(decoder.mtp_layers, keys.integerOr("num_nextn_predict_layers", 0, 0, 64));
  return decoder;
}

} // namespace lathe::models
