// DeepSeek-V2 and V2-Lite: latent attention, experts chosen by softmax, in groups or not.
#include "base/status.h"
#include "frontend/quote.h"
#include "models/recipe.h"
#include "models/recipes/common.h"

namespace lathe::models {

namespace {

// Whether experts are chosen in groups. Without, n_group and topk_group are not looked at.
absl::StatusOr<bool> readGrouped(const Keys &keys) {
  LATHE_ASSIGN_OR_RETURN(const std::string method, keys.config().string("topk_method"));
  if (method != "greedy" && method != "group_limited_greedy")
    return keys.config().keyError("topk_method",
                                  absl::StrCat("is ", frontend::quotedName(method),
                                               "; it should be greedy or group_limited_greedy"));
  keys.config().accept("n_group");
  keys.config().accept("topk_group");
  return method == "group_limited_greedy";
}

// The two implementations of the family disagree about what it would do.
absl::Status refuseRenormalising(Keys &keys) {
  LATHE_ASSIGN_OR_RETURN(const bool renormalize, keys.flagOr("norm_topk_prob", false));
  return renormalize ? keys.config().keyError("norm_topk_prob",
                                              "is true; it should be false in this family")
                     : absl::OkStatus();
}

} // namespace

absl::StatusOr<Decoder> describeDeepseekV2(Keys &keys) {
  LATHE_ASSIGN_OR_RETURN(Decoder decoder, readDecoder(keys, {}));
  LATHE_ASSIGN_OR_RETURN(const Mla attention, readLatentHeads(keys));
  decoder.rotary_dim = attention.qk_rope_head_dim;
  decoder.rope_layout = RopeLayout::pairs;
  LATHE_ASSIGN_OR_RETURN(const Mlp mlp, readMlp(keys));
  LATHE_RETURN_IF_ERROR(keys.mustBe("scoring_func", "softmax"));
  LATHE_RETURN_IF_ERROR(refuseRenormalising(keys));
  LATHE_ASSIGN_OR_RETURN(const bool grouped, readGrouped(keys));
  LATHE_ASSIGN_OR_RETURN(const Moe experts, readExperts(keys, grouped, Moe::GroupScore::max));
  LATHE_RETURN_IF_ERROR(fillDeepseekLayers(keys, decoder, attention, mlp, experts));
  return decoder;
}

} // namespace lathe::models
