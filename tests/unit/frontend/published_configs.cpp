// Top-level keys as published configs have them, less what every recipe reads: finish() must not
// refuse a model for a key that changes nothing.
#include "frontend/config.h"

#include <gtest/gtest.h>

namespace lathe::frontend {
namespace {

struct Published {
  const char *model;
  const char *text;
};

const Published kPublished[] = {
    {"DeepSeek_V3",
     R"({"architectures":["DeepseekV3ForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"auto_map":{"AutoConfig":"configuration_deepseek.DeepseekV3Config"},"aux_loss_alpha":0.001,"bos_token_id":0,"eos_token_id":1,"ep_size":1,"initializer_range":0.02,"model_type":"deepseek_v3","pretraining_tp":1,"seq_aux":true,"torch_dtype":"bfloat16","transformers_version":"4.33.1","use_cache":true})"},
    {"Llama_3_2",
     R"({"architectures":["LlamaForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"bos_token_id":128000,"eos_token_id":[128001,128008,128009],"initializer_range":0.02,"mlp_bias":false,"model_type":"llama","pretraining_tp":1,"torch_dtype":"bfloat16","transformers_version":"4.43.0.dev0","use_cache":true})"},
    {"SmolLM",
     R"({"_name_or_path":"x","architectures":["LlamaForCausalLM"],"attention_dropout":0.0,"is_llama_config":true,"model_type":"llama","pad_token_id":2,"rope_interleaved":false,"transformers.js_config":{"kv_cache_dtype":{"q4f16":"float16"}},"use_cache":true})"},
    {"R1_Distill_Qwen",
     R"({"architectures":["Qwen2ForCausalLM"],"attention_dropout":0.0,"model_type":"qwen2","sliding_window":null,"use_mrope":false,"use_sliding_window":false,"torch_dtype":"bfloat16"})"},
    {"written_by_old_transformers",
     R"({"return_dict":true,"output_hidden_states":false,"torchscript":false,"pruned_heads":{},"chunk_size_feed_forward":0,"is_encoder_decoder":false,"is_decoder":false,"cross_attention_hidden_size":null,"add_cross_attention":false,"tie_encoder_decoder":false,"max_length":20,"do_sample":false,"id2label":{"0":"LABEL_0"},"label2id":{"LABEL_0":0},"problem_type":null,"_commit_hash":null})"},
};

class PublishedConfig : public testing::TestWithParam<Published> {};

TEST_P(PublishedConfig, hasNoKeyLeftOver) {
  auto config = ConfigReader::parse(GetParam().text, "config.json");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->finish(), absl::OkStatus());
}
INSTANTIATE_TEST_SUITE_P(Each, PublishedConfig, testing::ValuesIn(kPublished),
                         [](const auto &info) { return std::string(info.param.model); });

} // namespace
} // namespace lathe::frontend
