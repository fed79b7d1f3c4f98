// Configs as they were published, whole (but for MiniCPM3's lists of factors): nothing in them is
// refused, and the recipe reads the model that is known by that name.
#include <gtest/gtest.h>

#include "models/recipe.h"

namespace lathe::models {
namespace {

Decoder describe(const char *text, absl::string_view family) {
  const auto config = frontend::ConfigReader::parse(text, "config.json");
  EXPECT_TRUE(config.ok()) << config.status();
  const auto recipe = findRecipe(*config);
  EXPECT_TRUE(recipe.ok()) << recipe.status();
  EXPECT_EQ((*recipe)->family, family);
  Keys keys(*config);
  const auto decoder = (*recipe)->describe(keys);
  EXPECT_TRUE(decoder.ok()) << decoder.status();
  EXPECT_EQ(config->finish(), absl::OkStatus());
  return decoder.ok() ? *decoder : Decoder();
}

TEST(Published, DeepSeekV3) {
  const Decoder model = describe(R"({
    "architectures": ["DeepseekV3ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
    "auto_map": {"AutoConfig": "configuration_deepseek.DeepseekV3Config"},
    "aux_loss_alpha": 0.001, "bos_token_id": 0, "eos_token_id": 1, "ep_size": 1,
    "first_k_dense_replace": 3, "hidden_act": "silu", "hidden_size": 7168,
    "initializer_range": 0.02, "intermediate_size": 18432, "kv_lora_rank": 512,
    "max_position_embeddings": 163840, "model_type": "deepseek_v3", "moe_intermediate_size": 2048,
    "moe_layer_freq": 1, "n_group": 8, "n_routed_experts": 256, "n_shared_experts": 1,
    "norm_topk_prob": true, "num_attention_heads": 128, "num_experts_per_tok": 8,
    "num_hidden_layers": 61, "num_key_value_heads": 128, "num_nextn_predict_layers": 1,
    "pretraining_tp": 1, "q_lora_rank": 1536, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64,
    "quantization_config": {"activation_scheme": "dynamic", "fmt": "e4m3", "quant_method": "fp8",
                            "weight_block_size": [128, 128]},
    "rms_norm_eps": 1e-06,
    "rope_scaling": {"beta_fast": 32, "beta_slow": 1, "factor": 40, "mscale": 1.0,
                     "mscale_all_dim": 1.0, "original_max_position_embeddings": 4096,
                     "type": "yarn"},
    "rope_theta": 10000, "routed_scaling_factor": 2.5, "scoring_func": "sigmoid", "seq_aux": true,
    "tie_word_embeddings": false, "topk_group": 4, "topk_method": "noaux_tc",
    "torch_dtype": "bfloat16", "transformers_version": "4.33.1", "use_cache": true,
    "v_head_dim": 128, "vocab_size": 129280})",
                                 "deepseek_v3");
  ASSERT_EQ(model.layers.size(), 61u);
  EXPECT_TRUE(std::holds_alternative<Mlp>(model.layers[2].ffn));
  const Moe experts = std::get<Moe>(model.layers[3].ffn);
  EXPECT_EQ(experts.n_group, 8);
  EXPECT_TRUE(experts.selection_bias && experts.renormalize);
  EXPECT_EQ(std::get<Mla>(model.layers[0].attention).q_lora_rank, 1536);
  EXPECT_NEAR(model.rope.softmaxScaleFactor(), 1.87385, 1e-5);
  EXPECT_EQ(model.rope_layout, RopeLayout::pairs);
  EXPECT_EQ(model.mtp_layers, 1);
}

TEST(Published, KimiK2) {
  const Decoder model = describe(R"({
    "architectures": ["DeepseekV3ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
    "aux_loss_alpha": 0.001, "bos_token_id": 163584, "eos_token_id": 163585,
    "first_k_dense_replace": 1, "hidden_act": "silu", "hidden_size": 7168,
    "initializer_range": 0.02, "intermediate_size": 18432, "kv_lora_rank": 512,
    "max_position_embeddings": 131072, "model_type": "kimi_k2", "moe_intermediate_size": 2048,
    "moe_layer_freq": 1, "n_group": 1, "n_routed_experts": 384, "n_shared_experts": 1,
    "norm_topk_prob": true, "num_attention_heads": 64, "num_experts_per_tok": 8,
    "num_hidden_layers": 61, "num_key_value_heads": 64, "num_nextn_predict_layers": 0,
    "pretraining_tp": 1, "q_lora_rank": 1536, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64,
    "quantization_config": {"activation_scheme": "dynamic", "fmt": "e4m3", "quant_method": "fp8",
                            "weight_block_size": [128, 128]},
    "rms_norm_eps": 1e-06,
    "rope_scaling": {"beta_fast": 1.0, "beta_slow": 1.0, "factor": 32.0, "mscale": 1.0,
                     "mscale_all_dim": 1.0, "original_max_position_embeddings": 4096,
                     "type": "yarn"},
    "rope_theta": 50000.0, "routed_scaling_factor": 2.827, "scoring_func": "sigmoid",
    "seq_aux": true, "tie_word_embeddings": false, "topk_group": 1, "topk_method": "noaux_tc",
    "torch_dtype": "bfloat16", "transformers_version": "4.48.3", "use_cache": true,
    "v_head_dim": 128, "vocab_size": 163840})",
                                 "deepseek_v3");
  EXPECT_TRUE(std::holds_alternative<Moe>(model.layers[1].ffn));
  EXPECT_NEAR(model.rope.softmaxScaleFactor(), 1.81326, 1e-5);
}

TEST(Published, DeepSeekV2Lite) {
  const Decoder model = describe(R"({
    "architectures": ["DeepseekV2ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
    "aux_loss_alpha": 0.001, "bos_token_id": 100000, "eos_token_id": 100001,
    "first_k_dense_replace": 1, "hidden_act": "silu", "hidden_size": 2048,
    "initializer_range": 0.02, "intermediate_size": 10944, "kv_lora_rank": 512,
    "max_position_embeddings": 163840, "model_type": "deepseek_v2", "moe_intermediate_size": 1408,
    "moe_layer_freq": 1, "n_group": 1, "n_routed_experts": 64, "n_shared_experts": 2,
    "norm_topk_prob": false, "num_attention_heads": 16, "num_experts_per_tok": 6,
    "num_hidden_layers": 27, "num_key_value_heads": 16, "pretraining_tp": 1, "q_lora_rank": null,
    "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "rms_norm_eps": 1e-06,
    "rope_scaling": {"beta_fast": 32, "beta_slow": 1, "factor": 40, "mscale": 0.707,
                     "mscale_all_dim": 0.707, "original_max_position_embeddings": 4096,
                     "type": "yarn"},
    "rope_theta": 10000, "routed_scaling_factor": 1.0, "scoring_func": "softmax", "seq_aux": true,
    "tie_word_embeddings": false, "topk_group": 1, "topk_method": "greedy",
    "torch_dtype": "bfloat16", "transformers_version": "4.33.1", "use_cache": true,
    "v_head_dim": 128, "vocab_size": 102400})",
                                 "deepseek_v2");
  EXPECT_FALSE(std::get<Mla>(model.layers[0].attention).q_lora_rank.has_value());
  EXPECT_EQ(std::get<Moe>(model.layers[1].ffn).shared_size, 2816);
  EXPECT_FALSE(std::get<Moe>(model.layers[1].ffn).renormalize);
  EXPECT_NEAR(model.rope.softmaxScaleFactor(), 1.58963, 1e-5);
}

TEST(Published, MiniCpm3) {
  const Decoder model = describe(R"({
    "architectures": ["MiniCPM3ForCausalLM"], "bos_token_id": 1, "eos_token_id": [2, 73440],
    "hidden_act": "silu", "initializer_range": 0.1, "hidden_size": 2560, "num_hidden_layers": 62,
    "intermediate_size": 6400, "max_position_embeddings": 32768, "model_type": "minicpm3",
    "num_attention_heads": 40, "num_key_value_heads": 40, "qk_nope_head_dim": 64,
    "qk_rope_head_dim": 32, "q_lora_rank": 768, "kv_lora_rank": 256, "rms_norm_eps": 1e-05,
    "rope_scaling": {"type": "longrope",
                     "long_factor": [1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3],
                     "short_factor": [1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3],
                     "original_max_position_embeddings": 32768},
    "torch_dtype": "bfloat16", "transformers_version": "4.41.0", "use_cache": true,
    "vocab_size": 73448, "scale_emb": 12, "dim_model_base": 256, "scale_depth": 1.4})",
                                 "minicpm3");
  EXPECT_TRUE(model.tied);
  EXPECT_EQ(std::get<Mla>(model.layers[0].attention).v_head_dim, 64);
  EXPECT_TRUE(model.rope.table(model.rotary_dim, 32768).ok());
  EXPECT_NEAR(model.residual_scale, 0.1778, 1e-4);
  EXPECT_EQ(model.rope_layout, RopeLayout::half);
}

TEST(Published, Llama31) {
  const Decoder model = describe(R"({
    "architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
    "bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009], "hidden_act": "silu",
    "hidden_size": 4096, "initializer_range": 0.02, "intermediate_size": 14336,
    "max_position_embeddings": 131072, "mlp_bias": false, "model_type": "llama",
    "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8,
    "pretraining_tp": 1, "rms_norm_eps": 1e-05,
    "rope_scaling": {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                     "original_max_position_embeddings": 8192, "rope_type": "llama3"},
    "rope_theta": 500000.0, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
    "transformers_version": "4.42.3", "use_cache": true, "vocab_size": 128256})",
                                 "llama");
  EXPECT_EQ(std::get<Gqa>(model.layers[31].attention).head_dim, 128);
}

TEST(Published, InternLm3) {
  const Decoder model = describe(R"({
    "architectures": ["InternLM3ForCausalLM"], "attention_dropout": 0.0, "bias": false,
    "bos_token_id": 1, "eos_token_id": 2, "head_dim": 128, "hidden_act": "silu",
    "hidden_size": 4096, "initializer_range": 0.02, "intermediate_size": 10240,
    "max_position_embeddings": 32768, "model_type": "internlm3", "num_attention_heads": 32,
    "num_hidden_layers": 48, "num_key_value_heads": 2, "pad_token_id": 2, "qkv_bias": false,
    "rms_norm_eps": 1e-05, "rope_scaling": {"factor": 6.0, "rope_type": "dynamic"},
    "rope_theta": 50000000, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
    "transformers_version": "4.47.1", "use_cache": true, "vocab_size": 128512})",
                                 "internlm3");
  EXPECT_EQ(std::get<Gqa>(model.layers[0].attention).kv_heads, 2);
}

TEST(Published, Qwen25) {
  const Decoder model = describe(R"({
    "architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 151643,
    "eos_token_id": 151645, "hidden_act": "silu", "hidden_size": 3584, "initializer_range": 0.02,
    "intermediate_size": 18944, "max_position_embeddings": 32768, "max_window_layers": 28,
    "model_type": "qwen2", "num_attention_heads": 28, "num_hidden_layers": 28,
    "num_key_value_heads": 4, "rms_norm_eps": 1e-06, "rope_theta": 1000000.0,
    "sliding_window": 131072, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
    "transformers_version": "4.43.1", "use_cache": true, "use_sliding_window": false,
    "vocab_size": 152064})",
                                 "qwen2");
  const Gqa attention = std::get<Gqa>(model.layers[27].attention);
  EXPECT_TRUE(attention.qkv_bias && !attention.output_bias);
  EXPECT_FALSE(attention.window.has_value());
}

TEST(Published, Qwen3) {
  const Decoder model = describe(R"({
    "architectures": ["Qwen3ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
    "bos_token_id": 151643, "eos_token_id": 151645, "head_dim": 128, "hidden_act": "silu",
    "hidden_size": 1024, "initializer_range": 0.02, "intermediate_size": 3072,
    "max_position_embeddings": 40960, "max_window_layers": 28, "model_type": "qwen3",
    "num_attention_heads": 16, "num_hidden_layers": 28, "num_key_value_heads": 8,
    "rms_norm_eps": 1e-06, "rope_scaling": null, "rope_theta": 1000000, "sliding_window": null,
    "tie_word_embeddings": true, "torch_dtype": "bfloat16", "transformers_version": "4.51.0",
    "use_cache": true, "use_sliding_window": false, "vocab_size": 151936})",
                                 "qwen3");
  const Gqa attention = std::get<Gqa>(model.layers[0].attention);
  EXPECT_TRUE(attention.qk_norm && !attention.qkv_bias);
  EXPECT_EQ(model.rotary_dim, 128);
}

} // namespace
} // namespace lathe::models
