// Weights that do not fit the config: the error names file and tensor, what it is, what it should
// be.
#include <cmath>

#include "tests/unit/models/importing.h"

namespace lathe::models {
namespace {

using frontend::DType;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char *kQuery = "model.layers.1.self_attn.q_proj.weight";
constexpr const char *kExpert = "model.layers.1.mlp.experts.3.up_proj.weight";

TEST(RefusedTensor, isOneThatIsMissing) {
  TinyCheckpoint tiny(tinyLlama());
  tiny.tensors.erase(kQuery);
  EXPECT_THAT(refusal(tiny),
              AllOf(HasSubstr(tiny.path()), HasSubstr(kQuery), HasSubstr("is missing")));
}

TEST(RefusedTensor, isAnExpertThatIsMissing) {
  TinyCheckpoint tiny(tinyDeepseekV3());
  tiny.tensors.erase(kExpert);
  EXPECT_THAT(refusal(tiny), AllOf(HasSubstr(kExpert), HasSubstr("is missing")));
}

TEST(RefusedTensor, isOneOfAnotherShape) {
  TinyCheckpoint tiny(tinyLlama());
  tiny.add(kQuery, {16, 20});
  EXPECT_THAT(refusal(tiny),
              AllOf(HasSubstr("model.safetensors"), HasSubstr(kQuery),
                    HasSubstr("has shape [16, 20]"), HasSubstr("should be [16, 16]")));
}

TEST(RefusedTensor, isAnExpertOfAnotherShape) {
  TinyCheckpoint tiny(tinyDeepseekV3());
  tiny.add(kExpert, {16, 10});
  EXPECT_THAT(refusal(tiny), AllOf(HasSubstr(kExpert), HasSubstr("has shape [16, 10]"),
                                   HasSubstr("should be [10, 16]")));
}

TEST(RefusedTensor, isOneOfAnotherRank) {
  TinyCheckpoint tiny(tinyLlama());
  tiny.add("model.norm.weight", {1, 16});
  EXPECT_THAT(refusal(tiny), AllOf(HasSubstr("has shape [1, 16]"), HasSubstr("should be [16]")));
}

TEST(RefusedTensor, isOneOfIntegersOrDoubles) {
  for (DType dtype : {DType::i64, DType::f64}) {
    TinyCheckpoint tiny(tinyLlama());
    tiny.tensors[kQuery].dtype = dtype;
    EXPECT_THAT(refusal(tiny), AllOf(HasSubstr(kQuery), HasSubstr(std::string(name(dtype)))));
  }
}

TEST(RefusedTensor, isACodeWithoutScale) {
  TinyCheckpoint tiny(tinyLlama());
  tiny.quantise("q_proj");
  tiny.tensors.erase(std::string(kQuery) + "_scale_inv");
  EXPECT_THAT(refusal(tiny), AllOf(HasSubstr(kQuery), HasSubstr("scale"), HasSubstr("missing")));
}

TEST(RefusedTensor, isAnEmbeddingOfCodes) {
  TinyCheckpoint tiny(tinyLlama());
  tiny.tensors["model.embed_tokens.weight"].dtype = DType::f8_e4m3;
  EXPECT_THAT(refusal(tiny), AllOf(HasSubstr("embed_tokens"), HasSubstr("is F8_E4M3"),
                                   HasSubstr("should be F32, BF16 or F16")));
}

TEST(RefusedTensor, isAScaleThatIsNoNumberOrNotAboveZero) {
  for (float scale : {NAN, INFINITY, 0.0f, -1.0f}) {
    TinyCheckpoint tiny(tinyLlama());
    tiny.quantise("q_proj");
    tiny.setFloats(std::string(kQuery) + "_scale_inv", {scale});
    EXPECT_THAT(refusal(tiny), AllOf(HasSubstr("q_proj.weight_scale_inv"), HasSubstr("scale 0 is"),
                                     HasSubstr("finite and above zero")));
  }
}

TEST(RefusedTensor, isAnExpertStoredInAnotherWayThanTheFirst) {
  TinyCheckpoint tiny(tinyDeepseekV3());
  tiny.quantise("experts.2.down_proj");
  EXPECT_THAT(refusal(tiny),
              AllOf(HasSubstr("experts.2.down_proj.weight"), HasSubstr("in another way than"),
                    HasSubstr("experts.0.down_proj")));
}

TEST(RefusedTensor, isAGateStoredInAnotherWayThanItsUp) {
  TinyCheckpoint tiny(tinyDeepseekV3());
  for (int e = 0; e < 4; ++e)
    tiny.quantise(absl::StrCat("experts.", e, ".gate_proj"));
  EXPECT_THAT(refusal(tiny), AllOf(HasSubstr("layers.1.mlp.experts"),
                                   HasSubstr("gate_proj and up_proj"), HasSubstr("two ways")));
}

TEST(RefusedTensor, isAFusedStackOfCodes) {
  TinyCheckpoint tiny(tinyDeepseekV3());
  tiny.fuseExperts(1);
  tiny.tensors["model.layers.1.mlp.experts.gate_up_proj"].dtype = DType::f8_e4m3;
  EXPECT_THAT(refusal(tiny), AllOf(HasSubstr("gate_up_proj"), HasSubstr("is F8_E4M3"),
                                   HasSubstr("a tensor each")));
}

TEST(ExtraTensors, areNamedUpToFive) {
  TinyCheckpoint tiny(tinyLlama());
  tiny.add("model.layers.0.self_attn.q_norm.weight", {4});
  EXPECT_THAT(refusal(tiny),
              AllOf(HasSubstr("1 tensor is not part of the model"),
                    HasSubstr("'model.layers.0.self_attn.q_norm.weight'"), Not(HasSubstr("..."))));
  for (int i = 0; i < 8; ++i)
    tiny.add(absl::StrCat("extra.", i), {4});
  EXPECT_THAT(refusal(tiny), AllOf(HasSubstr("9 tensors are"), HasSubstr("'extra.4'"),
                                   HasSubstr(", ..."), Not(HasSubstr("'extra.5'"))));
}

// Fewer layers in the config than in the file is a mistake, not a draft head.
TEST(ExtraTensors, areLayersBeyondTheLastThatTheConfigDoesNotAnnounce) {
  TinyCheckpoint tiny(tinyDeepseekV3());
  tiny.config["num_hidden_layers"] = 1;
  EXPECT_THAT(refusal(tiny), HasSubstr("model.layers.1."));
  tiny.config["num_hidden_layers"] = 2;
  tiny.config["num_nextn_predict_layers"] = 1;
  tiny.add("model.layers.3.enorm.weight", {16});
  EXPECT_THAT(refusal(tiny), HasSubstr("'model.layers.3.enorm.weight'"));
}

TEST(ExtraTensors, areBiasesThatTheConfigDoesNotAnnounce) {
  TinyCheckpoint tiny(tinyLlama());
  tiny.add("model.layers.0.self_attn.q_proj.bias", {16});
  EXPECT_THAT(refusal(tiny), HasSubstr("q_proj.bias"));
}

TEST(ExtraTensors, areHeadsOfAnotherKind) {
  TinyCheckpoint tiny(tinyLlama(), {{"tie_word_embeddings", true}});
  tiny.add("lm_head.bias", {24});
  EXPECT_THAT(refusal(tiny), HasSubstr("'lm_head.bias'"));
}

} // namespace
} // namespace lathe::models
