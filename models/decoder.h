// What a recipe says about a model: a stack of decoder layers, as data. Blocks make IR of it
// (blocks/decoder.h), the fidelity report prints it. A new kind of layer is a new struct here.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "frontend/quantization_config.h"
#include "frontend/rope_config.h"

namespace lathe::models {

enum class RopeLayout { half, pairs };

// Grouped-query attention: `self_attn.{q,k,v,o}_proj`. Rope turns whole heads.
struct Gqa {
  int64_t num_heads = 0, kv_heads = 0, head_dim = 0;
  bool qkv_bias = false, output_bias = false;
  bool qk_norm = false;          // each query and key head is normed before rope
  std::optional<int64_t> window; // keys that a query sees, its own among them
};

// Multi-head latent attention (DeepSeek-V2 paper, section 2.1). `bias` is that of q_a, kv_a and o.
struct Mla {
  int64_t num_heads = 0, kv_lora_rank = 0;
  int64_t qk_nope_head_dim = 0, qk_rope_head_dim = 0, v_head_dim = 0;
  std::optional<int64_t> q_lora_rank; // none: queries come from one matrix, q_proj
  bool bias = false;
};

// `{gate,up,down}_proj`: down(silu(gate x) * up x).
struct Mlp {
  int64_t intermediate_size = 0;
  bool bias = false;
};

// Routed experts, and shared ones as one MLP of `shared_size` columns (0: none).
struct Moe {
  enum class Score { softmax, sigmoid };
  enum class GroupScore { max, top2_sum };
  int64_t num_experts = 0, top_k = 0, intermediate_size = 0, shared_size = 0;
  Score score = Score::softmax;
  bool selection_bias = false; // gate.e_score_correction_bias
  int64_t n_group = 1, topk_group = 1;
  GroupScore group_score = GroupScore::max;
  bool renormalize = false;
  double scale = 1;
};

struct Layer {
  std::variant<Gqa, Mla> attention;
  std::variant<Mlp, Moe> ffn;
};

// h = embedding_scale * embed(ids); each layer adds residual_scale * block(norm(h)) twice;
// logits = head(logits_scale * norm(h)).
struct Decoder {
  int64_t vocab_size = 0, hidden_size = 0;
  double norm_epsilon = 0;
  bool tied = false; // the head is the embedding
  double embedding_scale = 1, residual_scale = 1, logits_scale = 1;
  frontend::RopeConfig rope;
  RopeLayout rope_layout = RopeLayout::half;
  int64_t rotary_dim = 0;
  frontend::QuantizationConfig quantization;
  std::vector<Layer> layers;
  int64_t mtp_layers = 0; // layers of multi-token prediction that may follow in the file
};

} // namespace lathe::models
