// What a checkpoint becomes.
#include "backends/reference/model_runner.h"
#include "tests/unit/models/importing.h"
#include "tools/lathe-interpret/checkpoint_weights.h"

namespace lathe::models {
namespace {

using Json = nlohmann::ordered_json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(Import, givesAStepWithACacheALayerAndAnAttributeOfTheModel) {
  TinyCheckpoint tiny(tinyDeepseekV3());
  const std::string text = importedText(tiny);
  EXPECT_THAT(text,
              HasSubstr("activation_scales = \"f32\", family = \"deepseek_v3\", hidden_size = 16"));
  EXPECT_THAT(text, HasSubstr("max_context = 64 : i64"));
  EXPECT_THAT(text, HasSubstr("{lathe.name = \"layers.0.latent\"}"));
  EXPECT_THAT(text, HasSubstr("{lathe.name = \"layers.1.latent\"}"));
  EXPECT_EQ(occurrences(text, "form = unspecified"), 2);
  EXPECT_EQ(occurrences(text, "lathe.moe_dispatch"), 1);
}

TEST(Import, namesThePlaceOfEachOp) {
  TinyCheckpoint tiny(tinyLlama());
  const std::string text = importedText(tiny, {.hash = false}, /*locations=*/true);
  for (const char *place :
       {"loc(\"layers.1.self_attn\")", "loc(\"layers.0.mlp\")", "loc(\"lm_head\")",
        "loc(\"layers.0.input_layernorm\")", "loc(\"embed_tokens\")"})
    EXPECT_THAT(text, HasSubstr(place));
}

TEST(Import, selectsRowsBeforeTheFinalNorm) {
  TinyCheckpoint tiny(tinyLlama());
  const std::string text = importedText(tiny);
  EXPECT_LT(text.find("lathe.select_rows"), text.find("\"model.norm.weight\""));
}

TEST(Import, takesTheContextThatWasAskedFor) {
  TinyCheckpoint tiny(tinyLlama());
  EXPECT_THAT(
      importedText(tiny, {.max_context = 7, .hash = false}),
      AllOf(HasSubstr("max_context = 7 : i64"), HasSubstr("max_context = 7, kv_heads = 2")));
}

TEST(Import, givesEveryCacheTheElementThatWasAskedFor) {
  for (const nlohmann::ordered_json &config : {tinyLlama(), tinyDeepseekV3()}) {
    TinyCheckpoint tiny(config);
    EXPECT_THAT(importedText(tiny), AllOf(HasSubstr("_cache<"), HasSubstr("element = f32>"),
                                          Not(HasSubstr("element = bf16>"))));
    EXPECT_THAT(importedText(tiny, {.cache = CacheElement::bf16, .hash = false}),
                AllOf(HasSubstr("element = bf16>"), Not(HasSubstr("element = f32>"))));
  }
}

// Its owner stretched the rope, so the model reaches as far as that.
TEST(Import, reachesAsFarAsStretchedRope) {
  TinyCheckpoint tiny(
      tinyLlama(),
      {{"rope_scaling",
        {{"type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 64}}}});
  importedText(tiny, {.max_context = 256, .hash = false});
  EXPECT_THAT(refusal(tiny, {.max_context = 257, .hash = false}), HasSubstr("from 1 to 256"));
}

TEST(Import, knowsAModelByItsTypeWhereThereIsNoArchitecture) {
  TinyCheckpoint tiny(tinyLlama(), {{"architectures", nullptr}});
  EXPECT_THAT(importedText(tiny), HasSubstr("family = \"llama\""));
}

TEST(Import, hashesOnlyWhenAskedAndChangesNothingElse) {
  TinyCheckpoint tiny(tinyDeepseekV3());
  tiny.quantise("experts");
  std::string with = importedText(tiny, {.hash = true});
  const std::string without = importedText(tiny, {.hash = false});
  EXPECT_NE(with, without);
  for (size_t at; (at = with.find("\", \"")) != std::string::npos;)
    with.erase(at + 1, 36); // , "32 hex digits"
  EXPECT_EQ(with, without);
}

TEST(Import, givesEqualTensorsEqualHashes) {
  TinyCheckpoint tiny(tinyLlama());
  tiny.tensors["lm_head.weight"].bytes = std::string(24 * 16 * 2, 'a');
  tiny.tensors["model.embed_tokens.weight"].bytes = std::string(24 * 16 * 2, 'a');
  const std::string text = importedText(tiny, {.hash = true});
  const std::string mark = "#lathe.tensor_ref<\"lm_head.weight\", ";
  const size_t at = text.find(mark);
  ASSERT_NE(at, std::string::npos) << text;
  EXPECT_EQ(occurrences(text, text.substr(at + mark.size(), 34)), 2);
}

TEST(Import, tellsProgressOfHashingAndStopsWhenToldTo) {
  TinyCheckpoint tiny(tinyLlama());
  uint64_t last = 0, total = 0;
  const auto record = [&](uint64_t done, uint64_t of) {
    EXPECT_GE(done, last);
    last = done, total = of;
    return true;
  };
  importedText(tiny, {.progress = record});
  EXPECT_GT(total, 0u);
  EXPECT_EQ(last, total);
  EXPECT_THAT(refusal(tiny, {.progress = [](uint64_t, uint64_t) { return false; }}),
              HasSubstr("cancelled"));
}

TEST(Import, usesTheEmbeddingAsHeadWhereTied) {
  TinyCheckpoint tiny(tinyLlama(), {{"tie_word_embeddings", true}});
  EXPECT_EQ(occurrences(importedText(tiny), "#lathe.tensor_ref<\"model.embed_tokens.weight\">"), 1);
  tiny.add("lm_head.weight", {24, 16});
  EXPECT_THAT(importedText(tiny), Not(HasSubstr("lm_head.weight")));
}

TEST(Import, usesTheEmbeddingAsHeadWhereThereIsNone) {
  TinyCheckpoint tiny(tinyLlama());
  tiny.tensors.erase("lm_head.weight");
  EXPECT_THAT(importedText(tiny), Not(HasSubstr("lm_head.weight")));
}

TEST(Import, leavesLayersOfMultiTokenPredictionAside) {
  TinyCheckpoint tiny(tinyDeepseekV3(), {{"num_nextn_predict_layers", 1}});
  tiny.add("model.layers.2.enorm.weight", {16});
  tiny.add("model.layers.2.shared_head.head.weight", {24, 16});
  EXPECT_THAT(importedText(tiny), Not(HasSubstr("layers.2.")));
}

TEST(Import, leavesFrequenciesAside) {
  TinyCheckpoint tiny(tinyLlama());
  tiny.add("model.layers.0.self_attn.rotary_emb.inv_freq", {2}, frontend::DType::f32);
  EXPECT_THAT(importedText(tiny), Not(HasSubstr("inv_freq")));
}

// A scale of activations that belongs to no weight of codes is refused like any other tensor.
TEST(Import, leavesStaticScalesOfActivationsAside) {
  TinyCheckpoint tiny(tinyLlama(), {{"quantization_config",
                                     {{"quant_method", "fp8"}, {"activation_scheme", "static"}}}});
  const std::string module = "model.layers.0.self_attn.q_proj";
  tiny.tensors[module + ".weight"].dtype = frontend::DType::f8_e4m3;
  tiny.add(module + ".weight_scale", {1}, frontend::DType::f32);
  tiny.add(module + ".input_scale", {1}, frontend::DType::f32);
  EXPECT_THAT(importedText(tiny),
              AllOf(HasSubstr("f8E4M3FN, block<16x16xf32>"), Not(HasSubstr("input_scale"))));
  tiny.add("model.layers.0.mlp.input_scale", {1}, frontend::DType::f32);
  EXPECT_THAT(refusal(tiny), HasSubstr("'model.layers.0.mlp.input_scale'"));
}

TEST(Import, readsFusedExpertsByRows) {
  TinyCheckpoint tiny(tinyDeepseekV3());
  tiny.fuseExperts(1);
  EXPECT_THAT(importedText(tiny), AllOf(HasSubstr("rows = [0, 10]"), HasSubstr("rows = [10, 20]")));
}

TEST(Import, keepsCodesAsTheyAreStored) {
  TinyCheckpoint tiny(tinyDeepseekV3());
  tiny.quantise("experts");
  EXPECT_THAT(importedText(tiny),
              AllOf(HasSubstr("!lathe.quantized<4x10x16xf8E4M3FN, block<128x128xf32>>"),
                    HasSubstr("lathe.scaled_matmul")));
}

TEST(Import, saysThatActivationScalesArePowersOfTwo) {
  TinyCheckpoint tiny(tinyDeepseekV3());
  tiny.quantise("experts");
  tiny.config["quantization_config"]["scale_fmt"] = "ue8m0";
  EXPECT_THAT(importedText(tiny), HasSubstr("activation_scales = \"ue8m0\""));
}

// Layer kinds that are spelt out win over max_window_layers.
TEST(Import, givesWindowsToTheLayersThatLayerTypesNames) {
  Json qwen = tinyLlama();
  qwen.update({{"architectures", {"Qwen3ForCausalLM"}},
               {"model_type", "qwen3"},
               {"head_dim", 4},
               {"use_sliding_window", true},
               {"sliding_window", 8},
               {"max_window_layers", 0},
               {"layer_types", {"full_attention", "sliding_attention"}}});
  TinyCheckpoint tiny(qwen);
  for (int layer : {0, 1})
    for (const char *kind : {"q", "k"})
      tiny.add(absl::StrCat("model.layers.", layer, ".self_attn.", kind, "_norm.weight"), {4});
  EXPECT_EQ(occurrences(importedText(tiny), "window = 8"), 1);
}

struct Shape {
  const char *name;
  Json base, changes;
};

class OddShape : public testing::TestWithParam<Shape> {};

TEST_P(OddShape, isImportedAndRuns) {
  TinyCheckpoint tiny(GetParam().base, GetParam().changes);
  const auto checkpoint = tiny.open();
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  const auto module = importCheckpoint(context, *checkpoint, {.hash = false});
  ASSERT_TRUE(module.ok()) << module.status();
  reference::CheckpointWeights weights(*checkpoint);
  auto runner = reference::ModelRunner::create(**module, weights);
  ASSERT_TRUE(mlir::succeeded(runner));
  const auto logits = runner->feed({1, 2, 3});
  ASSERT_TRUE(mlir::succeeded(logits));
  for (float logit : logits->values)
    ASSERT_TRUE(std::isfinite(logit));
}

INSTANTIATE_TEST_SUITE_P(
    Each, OddShape,
    testing::Values(Shape{"one_layer", tinyLlama(), {{"num_hidden_layers", 1}}},
                    Shape{"one_expert",
                          tinyDeepseekV3(),
                          {{"n_routed_experts", 1},
                           {"num_experts_per_tok", 1},
                           {"n_group", 1},
                           {"first_k_dense_replace", 0}}},
                    Shape{"no_shared_expert", tinyDeepseekV2(), {{"n_shared_experts", 0}}},
                    Shape{
                        "three_heads_on_one",
                        tinyLlama(),
                        {{"num_attention_heads", 3}, {"num_key_value_heads", 1}, {"head_dim", 2}}},
                    Shape{"five_latent_heads",
                          tinyDeepseekV3(),
                          {{"num_attention_heads", 5}, {"num_key_value_heads", 5}}},
                    Shape{"one_of_everything",
                          tinyLlama(),
                          {{"vocab_size", 4},
                           {"hidden_size", 1},
                           {"num_attention_heads", 1},
                           {"num_key_value_heads", 1},
                           {"head_dim", 2},
                           {"intermediate_size", 1},
                           {"num_hidden_layers", 1}}}),
    [](const auto &info) { return std::string(info.param.name); });

} // namespace
} // namespace lathe::models
