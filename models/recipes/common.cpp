#include "models/recipes/common.h"

#include "base/status.h"
#include "frontend/quote.h"

namespace lathe::models {

namespace {

using absl::StrCat;

absl::Status refusePartialRope(const Keys &keys, const frontend::RopeConfig &rope) {
  if (rope.partial_rotary_factor != 1)
    return keys.config().keyError("partial_rotary_factor",
                                  StrCat("is ", rope.partial_rotary_factor,
                                         "; it should be 1, since this family turns whole heads"));
  return absl::OkStatus();
}

absl::StatusOr<int64_t> headDim(Keys &keys, int64_t hidden_size, int64_t num_heads,
                                int64_t otherwise) {
  if (keys.config().has("head_dim") || otherwise != 0)
    return keys.extentOr("head_dim", otherwise);
  if (hidden_size % num_heads != 0)
    return keys.config().keyError(
        "hidden_size",
        StrCat("is ", hidden_size, "; it should be a multiple of num_attention_heads, which is ",
               num_heads, ", or head_dim should say how long a head is"));
  keys.config().accept("head_dim");
  return hidden_size / num_heads;
}

absl::Status mustBeEven(const Keys &keys, absl::string_view key, int64_t value) {
  if (value % 2 != 0)
    return keys.config().keyError(
        key, StrCat("makes heads of ", value, "; it should be even, since rope turns pairs"));
  return absl::OkStatus();
}

// Latent attention has a key for each head, and says how much of it is turned elsewhere.
absl::Status checkRestatedHeads(Keys &keys, const Mla &mla) {
  LATHE_ASSIGN_OR_RETURN(const int64_t kv_heads,
                         keys.extentOr("num_key_value_heads", mla.num_heads));
  if (kv_heads != mla.num_heads)
    return keys.config().keyError("num_key_value_heads",
                                  StrCat("is ", kv_heads, "; it should be num_attention_heads, ",
                                         mla.num_heads, ", in latent attention"));
  LATHE_ASSIGN_OR_RETURN(const auto head_dim,
                         keys.config().nullableInteger("head_dim", 1, kMaxExtent));
  if (head_dim.value_or(mla.qk_rope_head_dim) != mla.qk_rope_head_dim)
    return keys.config().keyError("head_dim",
                                  StrCat("is ", *head_dim, "; it should be qk_rope_head_dim, ",
                                         mla.qk_rope_head_dim, ", or absent"));
  return absl::OkStatus();
}

// null says that queries come from one matrix; nothing at all says too little.
absl::Status readQueryRank(const Keys &keys, Mla &mla) {
  if (!keys.config().json().contains("q_lora_rank"))
    return keys.config().keyError(
        "q_lora_rank", "is missing; it should be an integer, or null where queries have no latent");
  LATHE_ASSIGN_OR_RETURN(mla.q_lora_rank,
                         keys.config().nullableInteger("q_lora_rank", 1, kMaxExtent));
  return absl::OkStatus();
}

absl::Status readGroups(Keys &keys, Moe &moe) {
  const frontend::ConfigReader &config = keys.config();
  LATHE_ASSIGN_OR_RETURN(moe.n_group, config.integer("n_group", 1, moe.num_experts));
  LATHE_ASSIGN_OR_RETURN(moe.topk_group, config.integer("topk_group", 1, moe.n_group));
  if (moe.num_experts % moe.n_group != 0)
    return config.keyError(
        "n_group",
        StrCat("is ", moe.n_group, "; it should divide n_routed_experts, ", moe.num_experts));
  const int64_t size = moe.num_experts / moe.n_group;
  if (size * moe.topk_group < moe.top_k)
    return config.keyError("topk_group",
                           StrCat("is ", moe.topk_group, ", which keeps ", size * moe.topk_group,
                                  " experts; it should keep num_experts_per_tok, ", moe.top_k));
  if (moe.n_group > 1 && moe.group_score == Moe::GroupScore::top2_sum && size < 2)
    return config.keyError("n_group",
                           StrCat("is ", moe.n_group, ", which makes groups of one expert of ",
                                  moe.num_experts, "; a group is scored by its two best experts"));
  return absl::OkStatus();
}

absl::StatusOr<bool> isWindowed(const Keys &keys, const std::string &kind, bool windows) {
  if (kind == "full_attention")
    return false;
  if (kind != "sliding_attention")
    return keys.config().keyError("layer_types",
                                  StrCat("names ", frontend::quotedName(kind),
                                         "; it should name full_attention or sliding_attention"));
  if (!windows)
    return keys.config().keyError(
        "layer_types", "names sliding_attention, but use_sliding_window does not switch it on");
  return true;
}

} // namespace

absl::StatusOr<Decoder> readDecoder(Keys &keys, const Defaults &defaults) {
  const frontend::ConfigReader &config = keys.config();
  Decoder decoder;
  LATHE_ASSIGN_OR_RETURN(decoder.vocab_size, config.integer("vocab_size", 1, kMaxVocabulary));
  LATHE_ASSIGN_OR_RETURN(decoder.hidden_size, keys.extent("hidden_size"));
  LATHE_ASSIGN_OR_RETURN(const int64_t layers, config.integer("num_hidden_layers", 1, kMaxLayers));
  decoder.layers.resize(layers);
  LATHE_ASSIGN_OR_RETURN(decoder.norm_epsilon,
                         keys.factorOr("rms_norm_eps", defaults.norm_epsilon));
  LATHE_ASSIGN_OR_RETURN(decoder.tied, keys.flagOr("tie_word_embeddings", defaults.tied));
  LATHE_RETURN_IF_ERROR(keys.mustBe("hidden_act", "silu"));
  LATHE_ASSIGN_OR_RETURN(decoder.rope, frontend::RopeConfig::read(config));
  LATHE_RETURN_IF_ERROR(refusePartialRope(keys, decoder.rope));
  LATHE_ASSIGN_OR_RETURN(decoder.quantization, frontend::QuantizationConfig::read(config));
  return decoder;
}

absl::StatusOr<Gqa> readHeads(Keys &keys, int64_t hidden_size, int64_t head_dim) {
  Gqa gqa;
  LATHE_ASSIGN_OR_RETURN(gqa.num_heads, keys.extent("num_attention_heads"));
  LATHE_ASSIGN_OR_RETURN(gqa.kv_heads, keys.extentOr("num_key_value_heads", gqa.num_heads));
  if (gqa.num_heads % gqa.kv_heads != 0)
    return keys.config().keyError(
        "num_key_value_heads",
        StrCat("is ", gqa.kv_heads, "; it should divide num_attention_heads, ", gqa.num_heads));
  LATHE_ASSIGN_OR_RETURN(gqa.head_dim, headDim(keys, hidden_size, gqa.num_heads, head_dim));
  LATHE_RETURN_IF_ERROR(mustBeEven(keys, "head_dim", gqa.head_dim));
  return gqa;
}

absl::StatusOr<Mla> readLatentHeads(Keys &keys, int64_t v_head_dim) {
  Mla mla;
  LATHE_ASSIGN_OR_RETURN(mla.num_heads, keys.extent("num_attention_heads"));
  LATHE_RETURN_IF_ERROR(readQueryRank(keys, mla));
  LATHE_ASSIGN_OR_RETURN(mla.kv_lora_rank, keys.extent("kv_lora_rank"));
  LATHE_ASSIGN_OR_RETURN(mla.qk_nope_head_dim, keys.extent("qk_nope_head_dim"));
  LATHE_ASSIGN_OR_RETURN(mla.qk_rope_head_dim, keys.extent("qk_rope_head_dim"));
  LATHE_ASSIGN_OR_RETURN(mla.v_head_dim, v_head_dim ? keys.extentOr("v_head_dim", v_head_dim)
                                                    : keys.extent("v_head_dim"));
  LATHE_ASSIGN_OR_RETURN(mla.bias, keys.flagOr("attention_bias", false));
  LATHE_RETURN_IF_ERROR(mustBeEven(keys, "qk_rope_head_dim", mla.qk_rope_head_dim));
  LATHE_RETURN_IF_ERROR(checkRestatedHeads(keys, mla));
  return mla;
}

absl::StatusOr<Mlp> readMlp(Keys &keys) {
  LATHE_ASSIGN_OR_RETURN(const int64_t size, keys.extent("intermediate_size"));
  return Mlp{size};
}

absl::StatusOr<Moe> readExperts(Keys &keys, bool groups, Moe::GroupScore group_score) {
  const frontend::ConfigReader &config = keys.config();
  Moe moe;
  moe.group_score = group_score;
  LATHE_ASSIGN_OR_RETURN(moe.num_experts, keys.extent("n_routed_experts"));
  LATHE_ASSIGN_OR_RETURN(moe.top_k, config.integer("num_experts_per_tok", 1, moe.num_experts));
  LATHE_ASSIGN_OR_RETURN(moe.intermediate_size, keys.extent("moe_intermediate_size"));
  LATHE_ASSIGN_OR_RETURN(const int64_t shared, keys.integerOr("n_shared_experts", 0, 0, 1024));
  moe.shared_size = shared * moe.intermediate_size;
  LATHE_ASSIGN_OR_RETURN(moe.scale, keys.factor("routed_scaling_factor"));
  if (groups)
    LATHE_RETURN_IF_ERROR(readGroups(keys, moe));
  return moe;
}

absl::Status fillDeepseekLayers(Keys &keys, Decoder &decoder, const Mla &attention, const Mlp &mlp,
                                const Moe &experts) {
  const int64_t layers = decoder.layers.size();
  LATHE_RETURN_IF_ERROR(keys.integerOr("moe_layer_freq", 1, 1, 1).status());
  LATHE_ASSIGN_OR_RETURN(const int64_t dense,
                         keys.config().integer("first_k_dense_replace", 0, layers));
  for (int64_t i = 0; i < layers; ++i)
    decoder.layers[i] = i < dense ? Layer{attention, mlp} : Layer{attention, experts};
  return absl::OkStatus();
}

void fillLayers(Decoder &decoder, const Layer &layer) {
  decoder.layers.assign(decoder.layers.size(), layer);
}

absl::Status readWindows(Keys &keys, Decoder &decoder) {
  const frontend::ConfigReader &config = keys.config();
  const int64_t layers = decoder.layers.size();
  LATHE_ASSIGN_OR_RETURN(const bool windows, keys.flagOr("use_sliding_window", false));
  LATHE_ASSIGN_OR_RETURN(const std::vector<std::string> kinds, config.strings("layer_types"));
  if (!kinds.empty() && static_cast<int64_t>(kinds.size()) != layers)
    return config.keyError(
        "layer_types",
        StrCat("has ", kinds.size(), " entries; it should have num_hidden_layers, ", layers));
  config.accept("sliding_window");
  config.accept("max_window_layers");
  int64_t window = 0, first = layers;
  if (windows) {
    LATHE_ASSIGN_OR_RETURN(window, config.integer("sliding_window", 1, 1'000'000'000));
  }
  if (windows && kinds.empty()) {
    LATHE_ASSIGN_OR_RETURN(first, config.integer("max_window_layers", 0, kMaxLayers));
  }
  for (int64_t i = 0; i < layers; ++i) {
    bool windowed = i >= first;
    if (!kinds.empty()) {
      LATHE_ASSIGN_OR_RETURN(windowed, isWindowed(keys, kinds[i], windows));
    }
    if (windowed)
      std::get<Gqa>(decoder.layers[i].attention).window = window;
  }
  return absl::OkStatus();
}

} // namespace lathe::models
