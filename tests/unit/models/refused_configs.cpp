// A config that means another model than the recipe knows, or none at all, is an error that names
// the key, what stands there and what should.
#include "tests/unit/models/importing.h"

namespace lathe::models {
namespace {

using Json = nlohmann::ordered_json;
using testing::AllOf;
using testing::HasSubstr;

struct Case {
  const char *name;
  Json base, changes;
  std::vector<std::string> message; // parts
};

Json qwen2() {
  Json config = tinyLlama();
  config.update({{"architectures", {"Qwen2ForCausalLM"}}, {"model_type", "qwen2"}});
  return config;
}

Json miniCpm3() {
  Json config = tinyDeepseekV3();
  for (const char *key :
       {"moe_intermediate_size", "n_routed_experts", "num_experts_per_tok", "n_shared_experts",
        "first_k_dense_replace", "moe_layer_freq", "routed_scaling_factor", "norm_topk_prob",
        "scoring_func", "topk_method", "n_group", "topk_group"})
    config.erase(key);
  config.update({{"architectures", {"MiniCPM3ForCausalLM"}},
                 {"model_type", "minicpm3"},
                 {"scale_emb", 12},
                 {"scale_depth", 1.4},
                 {"dim_model_base", 8}});
  return config;
}

const std::vector<Case> &cases() {
  static const auto *all = new std::vector<Case>{
      // which model it is
      {"unknown_architecture",
       tinyLlama(),
       {{"architectures", {"LamaForCausalLM"}}},
       {"'LamaForCausalLM'", "not supported", "nearest that is supported is LlamaForCausalLM",
        "DeepseekV3ForCausalLM"}},
      {"unknown_model_type",
       tinyLlama(),
       {{"architectures", nullptr}, {"model_type", "qwen22"}},
       {"'model_type' names 'qwen22'", "nearest that is supported is qwen2", "kimi_k2"}},
      {"no_name_at_all",
       tinyLlama(),
       {{"architectures", nullptr}, {"model_type", nullptr}},
       {"'architectures' is missing"}},
      {"type_of_another_family",
       tinyLlama(),
       {{"model_type", "mistral"}},
       {"'model_type' is 'mistral'", "LlamaForCausalLM", "should be llama"}},
      // numbers
      {"missing", tinyLlama(), {{"hidden_size", nullptr}}, {"'hidden_size'", "missing"}},
      {"zero",
       tinyLlama(),
       {{"num_hidden_layers", 0}},
       {"'num_hidden_layers' is 0", "from 1 to 10000"}},
      {"negative", tinyLlama(), {{"vocab_size", -5}}, {"'vocab_size' is -5", "from 1 to"}},
      {"huge",
       tinyLlama(),
       {{"intermediate_size", 4000000000}},
       {"'intermediate_size' is 4000000000", "from 1 to 1048576"}},
      {"wrong_type",
       tinyLlama(),
       {{"num_attention_heads", "four"}},
       {"'num_attention_heads' is \"four\"", "an integer"}},
      {"fraction", tinyLlama(), {{"hidden_size", 16.5}}, {"'hidden_size' is 16.5", "an integer"}},
      {"epsilon_zero", tinyLlama(), {{"rms_norm_eps", 0}}, {"'rms_norm_eps' is 0", "from 1e-12"}},
      {"no_context",
       tinyLlama(),
       {{"max_position_embeddings", nullptr}},
       {"'max_position_embeddings'", "missing"}},
      // what the family does not have
      {"unknown_key",
       tinyLlama(),
       {{"logit_scale", 0.5}},
       {"'logit_scale' (0.5)", "not understood"}},
      {"other_activation",
       tinyLlama(),
       {{"hidden_act", "gelu"}},
       {"'hidden_act' is 'gelu'", "should be 'silu'"}},
      {"partial_rope",
       tinyLlama(),
       {{"partial_rotary_factor", 0.5}},
       {"'partial_rotary_factor' is 0.5", "should be 1"}},
      {"unsupported_rope",
       tinyLlama(),
       {{"rope_scaling", {{"rope_type", "mrope"}}}},
       {"rope type 'mrope' is not yet supported"}},
      {"unsupported_quantisation",
       tinyLlama(),
       {{"quantization_config", {{"quant_method", "gptq"}}}},
       {"gptq"}},
      {"biases_where_there_are_none", qwen2(), {{"attention_bias", true}}, {"'attention_bias'"}},
      {"scores_of_v2_in_v3",
       tinyDeepseekV3(),
       {{"scoring_func", "softmax"}},
       {"'scoring_func' is 'softmax'", "should be 'sigmoid'"}},
      {"choice_of_v3_in_v2",
       tinyDeepseekV2(),
       {{"topk_method", "noaux_tc"}},
       {"'topk_method' is 'noaux_tc'", "greedy or group_limited_greedy"}},
      {"renormalised_v2",
       tinyDeepseekV2(),
       {{"norm_topk_prob", true}},
       {"'norm_topk_prob' is true", "should be false"}},
      {"experts_in_every_second_layer",
       tinyDeepseekV3(),
       {{"moe_layer_freq", 2}},
       {"'moe_layer_freq' is 2"}},
      // keys that do not fit each other
      {"heads_and_kv_heads",
       tinyLlama(),
       {{"num_key_value_heads", 3}},
       {"'num_key_value_heads' is 3", "divide num_attention_heads, 4"}},
      {"hidden_and_heads",
       tinyLlama(),
       {{"hidden_size", 18}},
       {"'hidden_size' is 18", "multiple of num_attention_heads, which is 4"}},
      {"odd_heads", tinyLlama(), {{"head_dim", 5}}, {"'head_dim'", "heads of 5", "even"}},
      {"odd_heads_by_division",
       tinyLlama(),
       {{"hidden_size", 12}},
       {"'head_dim'", "heads of 3", "even"}},
      {"odd_rope", tinyDeepseekV3(), {{"qk_rope_head_dim", 3}}, {"'qk_rope_head_dim'", "even"}},
      {"kv_heads_of_latent_attention",
       tinyDeepseekV3(),
       {{"num_key_value_heads", 2}},
       {"'num_key_value_heads' is 2", "num_attention_heads, 4"}},
      {"head_dim_of_latent_attention",
       tinyDeepseekV3(),
       {{"head_dim", 10}},
       {"'head_dim' is 10", "qk_rope_head_dim, 4"}},
      {"query_rank_unsaid",
       tinyDeepseekV3(),
       {{"q_lora_rank", nullptr}},
       {"'q_lora_rank' is missing", "null where"}},
      {"more_choices_than_experts",
       tinyDeepseekV3(),
       {{"num_experts_per_tok", 5}},
       {"'num_experts_per_tok' is 5", "from 1 to 4"}},
      {"groups_that_do_not_divide",
       tinyDeepseekV3(),
       {{"n_group", 3}},
       {"'n_group' is 3", "divide n_routed_experts, 4"}},
      {"more_kept_than_groups",
       tinyDeepseekV3(),
       {{"topk_group", 3}},
       {"'topk_group' is 3", "from 1 to 2"}},
      {"groups_that_do_not_suffice",
       tinyDeepseekV3(),
       {{"num_experts_per_tok", 3}},
       {"'topk_group' is 1", "keeps 2", "num_experts_per_tok, 3"}},
      {"groups_of_one",
       tinyDeepseekV3(),
       {{"n_group", 4}, {"topk_group", 2}},
       {"'n_group' is 4", "groups of one expert"}},
      {"more_dense_layers_than_layers",
       tinyDeepseekV3(),
       {{"first_k_dense_replace", 3}},
       {"'first_k_dense_replace' is 3", "from 0 to 2"}},
      {"windows_switched_on_without_a_width",
       qwen2(),
       {{"use_sliding_window", true}},
       {"'sliding_window'", "missing"}},
      {"too_few_layer_types",
       qwen2(),
       {{"layer_types", {"full_attention"}}},
       {"'layer_types' has 1 entries", "num_hidden_layers, 2"}},
      {"unknown_layer_type",
       qwen2(),
       {{"layer_types", {"full_attention", "linear_attention"}}},
       {"'layer_types' names 'linear_attention'"}},
      {"windows_that_are_switched_off",
       qwen2(),
       {{"layer_types", {"full_attention", "sliding_attention"}}},
       {"'layer_types' names sliding_attention", "use_sliding_window"}},
      {"scales_of_minicpm3_missing",
       miniCpm3(),
       {{"scale_depth", nullptr}},
       {"'scale_depth'", "missing"}},
  };
  return *all;
}

class RefusedConfig : public testing::TestWithParam<Case> {};

TEST_P(RefusedConfig, isNamed) {
  TinyCheckpoint tiny(GetParam().base);
  tiny.config.merge_patch(GetParam().changes);
  const std::string message = refusal(tiny);
  EXPECT_THAT(message, HasSubstr("config.json"));
  for (const std::string &part : GetParam().message)
    EXPECT_THAT(message, HasSubstr(part));
}

INSTANTIATE_TEST_SUITE_P(Each, RefusedConfig, testing::ValuesIn(cases()),
                         [](const auto &info) { return std::string(info.param.name); });

// Whatever stands in place of a value: the model is refused, or what comes out is valid IR.
class SpoiledConfig : public testing::TestWithParam<Case> {};

TEST_P(SpoiledConfig, isRefusedOrStillValid) {
  const Json values[] = {0,  1,   2,  3,   -1,         7.5,  1e300,   INT64_MAX, true,
                         "", "x", {}, {1}, {{"a", 1}}, 4096, 1048576, 16777216};
  TinyCheckpoint tiny(GetParam().base);
  ASSERT_TRUE(tiny.open().ok());
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  for (const auto &[key, unused] : GetParam().base.items())
    for (const Json &value : values) {
      tiny.config = GetParam().base;
      tiny.config[key] = value;
      const auto checkpoint = tiny.reopen();
      ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
      const auto module = importCheckpoint(context, *checkpoint, {.hash = false});
      EXPECT_NE(module.status().code(), absl::StatusCode::kInternal)
          << key << " = " << value << ": " << module.status();
    }
}

INSTANTIATE_TEST_SUITE_P(Each, SpoiledConfig,
                         testing::Values(Case{"llama", tinyLlama()}, Case{"qwen2", qwen2()},
                                         Case{"minicpm3", miniCpm3()},
                                         Case{"deepseek_v2", tinyDeepseekV2()},
                                         Case{"deepseek_v3", tinyDeepseekV3()}),
                         [](const auto &info) { return std::string(info.param.name); });

TEST(RefusedContext, isOneThatTheModelWasNotMadeFor) {
  TinyCheckpoint tiny(tinyLlama());
  EXPECT_THAT(refusal(tiny, {.max_context = 65, .hash = false}),
              AllOf(HasSubstr("a context of 65"), HasSubstr("from 1 to 64")));
  EXPECT_THAT(refusal(tiny, {.max_context = -1, .hash = false}), HasSubstr("a context of -1"));
}

} // namespace
} // namespace lathe::models
