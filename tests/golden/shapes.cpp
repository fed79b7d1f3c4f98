// Models of random shapes, compiled and held against the interpreter: odd head counts, one layer,
// one expert, blocks that are cut, vocabularies that are a multiple of nothing.
// LATHE_TEST_SHAPES=200 in the environment tries so many instead of the few that a build can wait
// for.
#include <cmath>
#include <cstdlib>

#include <gmock/gmock.h>

#include "runtime/cpu/features.h"
#include "tests/golden/compiled_model.h"
#include "tests/golden/interpreted_model.h"
#include "tests/unit/models/tiny_checkpoint.h"

namespace lathe::golden {
namespace {

using Json = nlohmann::ordered_json;

class RandomModel {
public:
  explicit RandomModel(int seed) : random_(seed), kind_(seed % 4) {}

  std::unique_ptr<models::TinyCheckpoint> make() {
    auto tiny = std::make_unique<models::TinyCheckpoint>(config());
    if (kind_ == 3)
      tiny->quantise("_proj");
    return tiny;
  }
  const char *activations() {
    static const char *const names[] = {"f32", "bf16", "w8a8"};
    return names[kind_ == 3 ? between(0, 2) : between(0, 3) == 0 ? 1 : 0];
  }
  std::string weights() { // as in the checkpoint for half of them
    static const char *const names[] = {"q8_0", "q4_0", "fp8", "bf16"};
    return between(0, 1) ? names[between(0, 3)] : "";
  }
  int64_t between(int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(random_);
  }

private:
  Json config() {
    Json config = kind_ == 0   ? models::tinyLlama()
                  : kind_ == 1 ? models::tinyDeepseekV2()
                               : models::tinyDeepseekV3();
    config.update(common());
    config.update(kind_ == 0 ? llama() : deepseek());
    return config;
  }
  Json common() {
    return {{"vocab_size", between(1, 70)},
            {"hidden_size", between(1, kind_ == 3 ? 300 : 90)},
            {"num_hidden_layers", between(1, 3)},
            {"intermediate_size", between(1, kind_ == 3 ? 290 : 70)},
            {"max_position_embeddings", between(12, 40)},
            {"tie_word_embeddings", between(0, 1) == 1}};
  }
  Json llama() {
    int64_t kv_heads = between(1, 3);
    return {{"num_key_value_heads", kv_heads},
            {"num_attention_heads", kv_heads * between(1, 3)},
            {"head_dim", 2 * between(1, 20)},
            {"attention_bias", between(0, 1) == 1},
            {"mlp_bias", between(0, 1) == 1}};
  }
  Json deepseek() {
    int64_t heads = between(1, 5), groups = between(1, 3), experts = groups * between(2, 4);
    int64_t kept = between(1, groups), top_k = between(1, kept * experts / groups);
    Json q_rank = kind_ == 1 && between(0, 1) ? Json(nullptr) : Json(between(1, 70));
    return {{"num_attention_heads", heads},
            {"num_key_value_heads", heads},
            {"q_lora_rank", q_rank},
            {"kv_lora_rank", between(1, kind_ == 3 ? 200 : 40)},
            {"qk_nope_head_dim", between(1, 40)},
            {"qk_rope_head_dim", 2 * between(1, 12)},
            {"v_head_dim", between(1, 40)},
            {"moe_intermediate_size", between(1, kind_ == 3 ? 150 : 40)},
            {"n_routed_experts", experts},
            {"n_group", kind_ == 1 ? 1 : groups},
            {"topk_group", kind_ == 1 ? 1 : kept},
            {"num_experts_per_tok", top_k},
            {"n_shared_experts", between(1, 2)},
            {"first_k_dense_replace", between(0, 1)}};
  }

  std::mt19937 random_;
  int kind_;
};

// Relative to the largest logit. Rounded activations may fall the other way where a sum is in
// between.
void expectClose(const std::vector<float> &got, const std::vector<float> &expected,
                 double tolerance) {
  ASSERT_EQ(got.size(), expected.size());
  double largest = 0, difference = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    largest = std::max<double>(largest, std::abs(expected[i]));
    difference = std::max(difference,
                          std::isnan(got[i]) ? INFINITY : std::abs(double(got[i]) - expected[i]));
  }
  EXPECT_LE(difference, tolerance * largest);
}

int count() {
  const char *asked = std::getenv("LATHE_TEST_SHAPES");
  return asked ? std::atoi(asked) : 12;
}

class RandomShapes : public testing::TestWithParam<int> {};

TEST_P(RandomShapes, giveTheInterpretersLogitsForEveryChunkAndNumberOfThreads) {
  RandomModel random(GetParam());
  std::unique_ptr<models::TinyCheckpoint> tiny = random.make();
  const std::string activations = random.activations();
  const std::string weights = random.weights();
  SCOPED_TRACE(tiny->config.dump() + " " + activations + " " + weights);
  ASSERT_TRUE(tiny->open().ok());
  CompiledModel model;
  ASSERT_NO_FATAL_FAILURE(
      model.compile(tiny->path(), {.activations = activations,
                                   .weights = weights,
                                   .levels = {runtime::CpuFeatures::ofThisMachine().levelName()}}));
  std::vector<int32_t> ids(random.between(2, 12));
  for (int32_t &id : ids)
    id = random.between(0, tiny->config["vocab_size"].get<int64_t>() - 1);
  const std::string target = model.targets()[0];
  const std::vector<float> one = model.logits(target, 1, 0, ids);
  InterpretedModel interpreted(tiny->path(), {.activations = activations, .weights = weights});
  expectClose(one, interpreted.logits(ids), activations == "f32" ? 1e-4 : 0.05);
  EXPECT_EQ(one, model.logits(target, 2, 0, ids)) << "two threads";
  if (activations == "f32")
    for (int chunk : {1, 3, 5})
      expectClose(model.logits(target, 2, chunk, ids), one, 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomShapes, testing::Range(0, count()));

} // namespace
} // namespace lathe::golden
