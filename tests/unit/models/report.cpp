#include "models/report.h"

#include "tests/unit/models/importing.h"

namespace lathe::models {
namespace {

using Json = nlohmann::ordered_json;
using testing::HasSubstr;

Json reportOf(TinyCheckpoint &tiny) {
  const auto checkpoint = tiny.open();
  EXPECT_TRUE(checkpoint.ok()) << checkpoint.status();
  const auto report = fidelityReport(*checkpoint);
  EXPECT_TRUE(report.ok()) << report.status();
  return report.ok() ? *report : Json();
}

TEST(FidelityReport, saysWhatWasRecognised) {
  TinyCheckpoint tiny(tinyDeepseekV3(), {{"num_hidden_layers", 3}});
  const Json report = reportOf(tiny);
  EXPECT_EQ(report["family"], "deepseek_v3");
  EXPECT_EQ(report["num_layers"], 3);
  EXPECT_EQ(report["head"], "lm_head.weight");
  EXPECT_EQ(report["state_bytes_per_token"], 3 * (8 + 4) * 4);
  ASSERT_EQ(report["layers"].size(), 2u);
  EXPECT_EQ(report["layers"][0]["layers"], "0");
  EXPECT_EQ(report["layers"][0]["feed_forward"]["kind"], "dense");
  EXPECT_EQ(report["layers"][1]["layers"], "1-2");
  EXPECT_EQ(report["layers"][1]["feed_forward"]["group_score"], "top2_sum");
  EXPECT_EQ(report["rope"]["softmax_scale_factor"], 1.0);
  EXPECT_FALSE(report.contains("scales"));
}

TEST(FidelityReport, countsWeightsByFormat) {
  TinyCheckpoint tiny(tinyLlama());
  tiny.quantise("q_proj");
  const Json report = reportOf(tiny);
  ASSERT_EQ(report["weights"].size(), 2u);
  EXPECT_EQ(report["weights"][0]["format"], "BF16");
  EXPECT_EQ(report["weights"][1]["format"], "F8_E4M3 with F32 scales for blocks of 128x128");
  EXPECT_EQ(report["weights"][1]["tensors"], 2);
  EXPECT_EQ(report["weights"][1]["bytes"], 2 * (16 * 16 + 4));
}

TEST(FidelityReport, saysWhatWasAssumed) {
  TinyCheckpoint tiny(tinyLlama(), {{"rms_norm_eps", nullptr}});
  tiny.tensors.erase("lm_head.weight");
  const Json report = reportOf(tiny);
  EXPECT_THAT(report["assumed"].dump(), HasSubstr("rms_norm_eps = 1e-06"));
  EXPECT_THAT(report["assumed"].dump(), HasSubstr("lm_head.weight is not in the file"));
  EXPECT_EQ(report["head"], "tied to the embedding");
}

TEST(FidelityReport, saysWhatIsLeftAside) {
  TinyCheckpoint tiny(tinyDeepseekV3(), {{"num_nextn_predict_layers", 1}});
  tiny.add("model.layers.2.enorm.weight", {16});
  tiny.add("model.layers.2.hnorm.weight", {16});
  const Json report = reportOf(tiny);
  ASSERT_EQ(report["left_aside"].size(), 1u);
  EXPECT_THAT(report["left_aside"][0]["what"].get<std::string>(),
              HasSubstr("multi-token prediction"));
  EXPECT_EQ(report["left_aside"][0]["tensors"], 2);
  EXPECT_EQ(report["left_aside"][0]["bytes"], 64);
}

TEST(FidelityReport, failsAsTheImportWould) {
  TinyCheckpoint tiny(tinyLlama());
  tiny.tensors.erase("model.norm.weight");
  const auto checkpoint = tiny.open();
  ASSERT_TRUE(checkpoint.ok());
  EXPECT_THAT(std::string(fidelityReport(*checkpoint).status().message()),
              HasSubstr("'model.norm.weight' is missing"));
}

} // namespace
} // namespace lathe::models
