// Checkpoints of any shape, made of a config and random weights that fit it, in a folder that goes
// away with the object. A test takes one, spoils it, and opens it.
#pragma once

#include <map>
#include <random>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

#include "frontend/checkpoint.h"
#include "frontend/safetensors_writer.h"
#include "tests/unit/frontend/scratch.h"

namespace lathe::models {

class TinyCheckpoint {
public:
  using Json = nlohmann::ordered_json;
  struct Stored {
    frontend::DType dtype = frontend::DType::bf16;
    std::vector<int64_t> shape;
    std::string bytes; // empty: random
  };

  // `config` with `changes` applied (null takes a key away), and every tensor that it asks for.
  explicit TinyCheckpoint(Json config, const Json &changes = Json::object())
      : config(std::move(config)) {
    this->config.merge_patch(changes);
    addTensors();
  }

  Json config;
  std::map<std::string, Stored> tensors;

  void add(const std::string &name, std::vector<int64_t> shape,
           frontend::DType dtype = frontend::DType::bf16) {
    tensors[name] = {dtype, std::move(shape), {}};
  }
  // The linear weights whose name holds `part`, as e4m3 codes with an f32 scale a block of 128x128.
  void quantise(const std::string &part) {
    config["quantization_config"] = {{"quant_method", "fp8"},
                                     {"fmt", "e4m3"},
                                     {"activation_scheme", "dynamic"},
                                     {"weight_block_size", {128, 128}}};
    for (auto &[name, stored] : std::map<std::string, Stored>(tensors)) {
      if (name.find(part) == std::string::npos || stored.shape.size() != 2)
        continue;
      tensors[name].dtype = frontend::DType::f8_e4m3;
      add(name + "_scale_inv", {(stored.shape[0] + 127) / 128, (stored.shape[1] + 127) / 128},
          frontend::DType::f32);
    }
  }
  void setFloats(const std::string &name, const std::vector<float> &values) {
    tensors[name].bytes.assign(reinterpret_cast<const char *>(values.data()),
                               values.size() * sizeof(float));
  }
  // The experts of a layer in two tensors, as newer versions of transformers write them.
  void fuseExperts(int64_t layer) {
    const std::string experts = absl::StrCat("model.layers.", layer, ".mlp.experts.");
    std::erase_if(tensors, [&](const auto &entry) { return entry.first.starts_with(experts); });
    const int64_t count = value("n_routed_experts"), inner = value("moe_intermediate_size");
    add(experts + "gate_up_proj", {count, 2 * inner, value("hidden_size")});
    add(experts + "down_proj", {count, value("hidden_size"), inner});
  }

  absl::StatusOr<frontend::Checkpoint> open() {
    std::vector<frontend::TensorData> data;
    for (auto &[name, stored] : tensors)
      data.push_back({{name, stored.dtype, stored.shape}, frontend::bytesOf(filled(stored))});
    absl::Status status = frontend::writeSafetensors(folder_ / "model.safetensors", data);
    return status.ok() ? reopen() : status;
  }
  // After open(): another config for the weights that are already in the folder.
  absl::StatusOr<frontend::Checkpoint> reopen() {
    std::filesystem::remove(folder_ / "config.json"); // writing over a file waits for the disk
    folder_.write("config.json", config.dump());
    return frontend::Checkpoint::open(folder_.path());
  }
  // All weights zero, in a file that takes no room on the disk.
  absl::StatusOr<frontend::Checkpoint> openSparse() {
    Json header = Json::object();
    uint64_t offset = 0;
    for (const auto &[name, stored] : tensors) {
      const uint64_t end = offset + bytesOf(stored);
      header[name] = {{"dtype", std::string(frontend::name(stored.dtype))},
                      {"shape", stored.shape},
                      {"data_offsets", {offset, end}}};
      offset = end;
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    const std::string path = folder_.write("model.safetensors", frontend::safetensorsText(text, 0));
    std::filesystem::resize_file(path, 8 + text.size() + offset);
    return reopen();
  }
  const std::string &path() const { return folder_.path(); }

private:
  int64_t value(const char *key) const {
    auto at = config.find(key);
    return at == config.end() || !at->is_number_integer() ? 0 : at->get<int64_t>();
  }
  bool flag(const char *key) const {
    auto at = config.find(key);
    return at != config.end() && at->is_boolean() && at->get<bool>();
  }
  static uint64_t bytesOf(const Stored &stored) {
    uint64_t bytes = frontend::bytesPerElement(stored.dtype);
    for (int64_t extent : stored.shape)
      bytes *= extent;
    return bytes;
  }

  void addLinear(const std::string &module, int64_t out, int64_t in, bool bias = false) {
    add(module + ".weight", {out, in});
    if (bias)
      add(module + ".bias", {out});
  }
  void addMlp(const std::string &module, int64_t inner) {
    const bool bias = flag("mlp_bias");
    addLinear(module + ".gate_proj", inner, value("hidden_size"), bias);
    addLinear(module + ".up_proj", inner, value("hidden_size"), bias);
    addLinear(module + ".down_proj", value("hidden_size"), inner, bias);
  }
  void addExperts(const std::string &module) {
    const int64_t experts = value("n_routed_experts"), inner = value("moe_intermediate_size");
    add(module + ".gate.weight", {experts, value("hidden_size")});
    if (config["scoring_func"] == "sigmoid")
      add(module + ".gate.e_score_correction_bias", {experts}, frontend::DType::f32);
    for (int64_t e = 0; e < experts; ++e)
      addMlp(absl::StrCat(module, ".experts.", e), inner);
    if (value("n_shared_experts"))
      addMlp(module + ".shared_experts", inner * value("n_shared_experts"));
  }
  void addLatentAttention(const std::string &module) {
    const int64_t hidden = value("hidden_size"), heads = value("num_attention_heads"),
                  rank = value("kv_lora_rank"), rope = value("qk_rope_head_dim"),
                  nope = value("qk_nope_head_dim"), out = value("v_head_dim");
    const int64_t query = heads * (nope + rope);
    if (const int64_t q_rank = value("q_lora_rank")) {
      addLinear(module + ".q_a_proj", q_rank, hidden);
      add(module + ".q_a_layernorm.weight", {q_rank});
      addLinear(module + ".q_b_proj", query, q_rank);
    } else {
      addLinear(module + ".q_proj", query, hidden);
    }
    addLinear(module + ".kv_a_proj_with_mqa", rank + rope, hidden);
    add(module + ".kv_a_layernorm.weight", {rank});
    addLinear(module + ".kv_b_proj", heads * (nope + out), rank);
    addLinear(module + ".o_proj", hidden, heads * out);
  }
  void addAttention(const std::string &module) {
    const int64_t hidden = value("hidden_size"), heads = value("num_attention_heads"),
                  kv_heads = value("num_key_value_heads");
    const int64_t dim = value("head_dim") ? value("head_dim") : hidden / heads;
    const bool bias = flag("attention_bias");
    addLinear(module + ".q_proj", heads * dim, hidden, bias);
    addLinear(module + ".k_proj", kv_heads * dim, hidden, bias);
    addLinear(module + ".v_proj", kv_heads * dim, hidden, bias);
    addLinear(module + ".o_proj", hidden, heads * dim, bias);
  }
  void addLayer(int64_t index) {
    const std::string layer = absl::StrCat("model.layers.", index);
    add(layer + ".input_layernorm.weight", {value("hidden_size")});
    add(layer + ".post_attention_layernorm.weight", {value("hidden_size")});
    if (value("kv_lora_rank"))
      addLatentAttention(layer + ".self_attn");
    else
      addAttention(layer + ".self_attn");
    if (value("n_routed_experts") && index >= value("first_k_dense_replace"))
      addExperts(layer + ".mlp");
    else
      addMlp(layer + ".mlp", value("intermediate_size"));
  }
  void addTensors() {
    add("model.embed_tokens.weight", {value("vocab_size"), value("hidden_size")});
    add("model.norm.weight", {value("hidden_size")});
    if (!flag("tie_word_embeddings"))
      add("lm_head.weight", {value("vocab_size"), value("hidden_size")});
    for (int64_t i = 0; i < value("num_hidden_layers"); ++i)
      addLayer(i);
  }

  // Small numbers of either sign; scales and biases of routers (f32) are above zero.
  const std::string &filled(Stored &stored) {
    stored.bytes.resize(bytesOf(stored) == stored.bytes.size() ? stored.bytes.size() : 0);
    while (stored.bytes.size() < bytesOf(stored))
      appendRandom(stored);
    return stored.bytes;
  }
  void appendRandom(Stored &stored) {
    if (stored.dtype == frontend::DType::f8_e4m3) {
      stored.bytes.push_back(static_cast<char>(random_() % 0x40)); // codes below 2
      return;
    }
    const float value = std::uniform_real_distribution<float>(-0.2f, 0.2f)(random_);
    const float number = stored.dtype == frontend::DType::f32 ? 0.01f + std::abs(value) : value;
    const int size = frontend::bytesPerElement(stored.dtype); // the high half of an f32 is a bf16
    const char *bytes = reinterpret_cast<const char *>(&number);
    stored.bytes.append(size == 4 ? bytes : bytes + 2, size == 4 ? 4 : size);
  }

  ScratchFolder folder_;
  std::mt19937 random_{7};
};

inline nlohmann::ordered_json tinyLlama() {
  return {{"architectures", {"LlamaForCausalLM"}},
          {"model_type", "llama"},
          {"vocab_size", 24},
          {"hidden_size", 16},
          {"num_hidden_layers", 2},
          {"num_attention_heads", 4},
          {"num_key_value_heads", 2},
          {"intermediate_size", 20},
          {"hidden_act", "silu"},
          {"rms_norm_eps", 1e-5},
          {"rope_theta", 10000.0},
          {"max_position_embeddings", 64},
          {"tie_word_embeddings", false}};
}

// Layer 0 dense, layer 1 with experts.
inline nlohmann::ordered_json tinyDeepseekV3() {
  nlohmann::ordered_json config = tinyLlama();
  config.update({{"architectures", {"DeepseekV3ForCausalLM"}},
                 {"model_type", "deepseek_v3"},
                 {"num_key_value_heads", 4},
                 {"q_lora_rank", 12},
                 {"kv_lora_rank", 8},
                 {"qk_nope_head_dim", 6},
                 {"qk_rope_head_dim", 4},
                 {"v_head_dim", 5},
                 {"moe_intermediate_size", 10},
                 {"n_routed_experts", 4},
                 {"num_experts_per_tok", 2},
                 {"n_shared_experts", 1},
                 {"first_k_dense_replace", 1},
                 {"moe_layer_freq", 1},
                 {"routed_scaling_factor", 2.5},
                 {"norm_topk_prob", true},
                 {"scoring_func", "sigmoid"},
                 {"topk_method", "noaux_tc"},
                 {"n_group", 2},
                 {"topk_group", 1}});
  return config;
}

inline nlohmann::ordered_json tinyDeepseekV2() {
  nlohmann::ordered_json config = tinyDeepseekV3();
  config.update({{"architectures", {"DeepseekV2ForCausalLM"}},
                 {"model_type", "deepseek_v2"},
                 {"q_lora_rank", nullptr},
                 {"routed_scaling_factor", 1.0},
                 {"norm_topk_prob", false},
                 {"scoring_func", "softmax"},
                 {"topk_method", "greedy"}});
  return config;
}

} // namespace lathe::models
