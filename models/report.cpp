#include "models/report.h"

#include "base/status.h"
#include "models/import.h"

namespace lathe::models {

namespace {

using Json = nlohmann::ordered_json;

Json described(const Gqa &gqa) {
  Json json = {{"kind", "grouped_query"},  {"num_heads", gqa.num_heads},
               {"kv_heads", gqa.kv_heads}, {"head_dim", gqa.head_dim},
               {"qkv_bias", gqa.qkv_bias}, {"output_bias", gqa.output_bias},
               {"qk_norm", gqa.qk_norm}};
  if (gqa.window)
    json["window"] = *gqa.window;
  return json;
}

Json described(const Mla &mla) {
  Json json = {{"kind", "latent"}, {"num_heads", mla.num_heads}};
  if (mla.q_lora_rank)
    json["q_lora_rank"] = *mla.q_lora_rank;
  json["kv_lora_rank"] = mla.kv_lora_rank;
  json["qk_nope_head_dim"] = mla.qk_nope_head_dim;
  json["qk_rope_head_dim"] = mla.qk_rope_head_dim;
  json["v_head_dim"] = mla.v_head_dim;
  json["bias"] = mla.bias;
  return json;
}

Json described(const Mlp &mlp) {
  return {{"kind", "dense"}, {"intermediate_size", mlp.intermediate_size}, {"bias", mlp.bias}};
}

Json described(const Moe &moe) {
  Json json = {{"kind", "experts"},
               {"num_experts", moe.num_experts},
               {"top_k", moe.top_k},
               {"intermediate_size", moe.intermediate_size},
               {"shared_size", moe.shared_size},
               {"score", moe.score == Moe::Score::sigmoid ? "sigmoid" : "softmax"},
               {"selection_bias", moe.selection_bias},
               {"n_group", moe.n_group}};
  if (moe.n_group > 1) {
    json["topk_group"] = moe.topk_group;
    json["group_score"] = moe.group_score == Moe::GroupScore::max ? "max" : "top2_sum";
  }
  json["renormalize"] = moe.renormalize;
  json["scale"] = moe.scale;
  return json;
}

Json described(const Layer &layer) {
  const auto describe = [](const auto &part) { return described(part); };
  return {{"attention", std::visit(describe, layer.attention)},
          {"feed_forward", std::visit(describe, layer.ffn)}};
}

Json described(const frontend::RopeConfig &rope, const Decoder &decoder) {
  Json json = {{"kind", std::string(frontend::name(rope.kind))},
               {"theta", rope.theta},
               {"rotary_dim", decoder.rotary_dim},
               {"layout", decoder.rope_layout == RopeLayout::pairs ? "pairs" : "half"}};
  if (rope.kind != frontend::RopeKind::plain) {
    json["factor"] = rope.factor;
    json["original_max_position_embeddings"] = rope.original_max_position_embeddings;
  }
  if (std::holds_alternative<Mla>(decoder.layers.front().attention))
    json["softmax_scale_factor"] = rope.softmaxScaleFactor();
  return json;
}

Json describedScales(const Decoder &decoder) {
  return {{"embedding", decoder.embedding_scale},
          {"residual", decoder.residual_scale},
          {"logits", decoder.logits_scale}};
}

std::string rangeText(size_t first, size_t last) {
  return first == last ? std::to_string(first) : absl::StrCat(first, "-", last);
}

// Equal neighbours are one entry.
Json layerRuns(const Decoder &decoder) {
  Json runs = Json::array();
  for (size_t first = 0, next; first < decoder.layers.size(); first = next) {
    const Json layer = described(decoder.layers[first]);
    for (next = first + 1; next < decoder.layers.size(); ++next)
      if (described(decoder.layers[next]) != layer)
        break;
    Json run = {{"layers", rangeText(first, next - 1)}};
    run.update(layer);
    runs.push_back(std::move(run));
  }
  return runs;
}

int64_t stateColumns(const Gqa &gqa) { return 2 * gqa.kv_heads * gqa.head_dim; }
int64_t stateColumns(const Mla &mla) { return mla.kv_lora_rank + mla.qk_rope_head_dim; }

int64_t stateBytesPerToken(const Decoder &decoder) {
  int64_t columns = 0;
  for (const Layer &layer : decoder.layers)
    columns += std::visit([](const auto &kind) { return stateColumns(kind); }, layer.attention);
  return columns * static_cast<int64_t>(sizeof(float));
}

Json amountOf(const char *key, const std::string &what, const StoredAmount &amount) {
  return {{key, what}, {"tensors", amount.tensors}, {"bytes", amount.bytes}};
}

} // namespace

absl::StatusOr<nlohmann::ordered_json> fidelityReport(const frontend::Checkpoint &checkpoint) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  LATHE_ASSIGN_OR_RETURN(const Imported imported,
                         importWithFindings(context, checkpoint, {.hash = false}));
  const Decoder &decoder = imported.decoder;
  Json json = {{"model", checkpoint.name()},
               {"family", imported.family},
               {"architecture", imported.architecture},
               {"model_type", imported.model_type},
               {"parameters", imported.parameters},
               {"vocab_size", decoder.vocab_size},
               {"hidden_size", decoder.hidden_size},
               {"num_layers", decoder.layers.size()},
               {"max_context", imported.max_context},
               {"state_bytes_per_token", stateBytesPerToken(decoder)},
               {"rope", described(decoder.rope, decoder)},
               {"head", decoder.tied ? "tied to the embedding" : "lm_head.weight"}};
  if (describedScales(decoder) != describedScales(Decoder()))
    json["scales"] = describedScales(decoder);
  json["layers"] = layerRuns(decoder);
  json["weights"] = Json::array();
  for (const auto &[format, amount] : imported.formats)
    json["weights"].push_back(amountOf("format", format, amount));
  json["assumed"] = imported.assumed;
  json["left_aside"] = Json::array();
  for (const LeftAside &left : imported.left_aside)
    json["left_aside"].push_back(amountOf("what", left.what, left.amount));
  return json;
}

} // namespace lathe::models
