#include "frontend/rope_config.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"
#include "frontend/checkpoint.h"

namespace lathe::frontend {
namespace {

using testing::HasSubstr;

absl::StatusOr<RopeConfig> read(const std::string &text) {
  auto config = ConfigReader::parse(text, "config.json");
  if (!config.ok())
    return config.status();
  auto rope = RopeConfig::read(*config);
  absl::Status finished = config->finish();
  return rope.ok() && !finished.ok() ? finished : rope;
}

// A config whose rope_scaling is `scaling`.
absl::StatusOr<RopeConfig> scaled(const std::string &scaling, int max_positions = 4096,
                                  double theta = 10000) {
  return read("{\"max_position_embeddings\":" + std::to_string(max_positions) +
              ",\"rope_theta\":" + std::to_string(theta) + ",\"rope_scaling\":" + scaling + "}");
}

std::string errorOf(const std::string &scaling) {
  return std::string(scaled(scaling).status().message());
}

struct Golden {
  const char *name;
  const char *scaling;
  int max_positions;
  double theta;
  int64_t dim, max_context;
  double tolerance = 3e-7; // relative: two or three roundings of f32
};

const Golden kGoldens[] = {
    {"default_llama2_b10000_d128", "null", 4096, 1e4, 128, 4096},
    {"deepseek_v2_lite",
     R"({"type":"yarn","factor":40,"original_max_position_embeddings":4096,"beta_fast":32,"beta_slow":1,"mscale":0.707,"mscale_all_dim":0.707})",
     163840, 1e4, 64, 163840},
    {"deepseek_v3",
     R"({"type":"yarn","factor":40,"original_max_position_embeddings":4096,"beta_fast":32,"beta_slow":1,"mscale":1.0,"mscale_all_dim":1.0})",
     163840, 1e4, 64, 163840},
    {"kimi_k2_f32_beta1_1",
     R"({"type":"yarn","factor":32,"original_max_position_embeddings":4096,"beta_fast":1,"beta_slow":1,"mscale":1.0,"mscale_all_dim":1.0})",
     131072, 5e4, 64, 131072},
    {"qwen2_5_yarn_f4_orig32768_b1e6_d128",
     R"({"type":"yarn","factor":4.0,"original_max_position_embeddings":32768})", 131072, 1e6, 128,
     131072},
    {"llama3_1_f8",
     R"({"rope_type":"llama3","factor":8,"low_freq_factor":1,"high_freq_factor":4,"original_max_position_embeddings":8192})",
     131072, 5e5, 128, 131072, 6e-7},
    {"llama3_2_f32_d64",
     R"({"rope_type":"llama3","factor":32,"low_freq_factor":1,"high_freq_factor":4,"original_max_position_embeddings":8192})",
     131072, 5e5, 64, 131072, 6e-7},
    {"internlm3_dynamic_f6_L4096", R"({"rope_type":"dynamic","factor":6.0})", 32768, 5e7, 128,
     4096},
    // 80 is no power of two: the exponents i/80 are rounded, too
    {"hunyuan_alpha1000_d80", R"({"type":"dynamic","alpha":1000.0,"factor":1.0})", 32768, 1e4, 80,
     32768, 1e-6},
    {"qwen3_next_partial_b1e7_d64", "null", 32768, 1e7, 64, 32768},
};

class RopeGolden : public testing::TestWithParam<Golden> {};

TEST_P(RopeGolden, agreesWithTheTable) {
  const Golden &golden = GetParam();
  auto file = readTextFile(LATHE_TEST_DATA "/golden_rope.json");
  auto all = parseJson(*file, "golden_rope.json");
  const auto &expected = (*all)[golden.name];
  auto rope = scaled(golden.scaling, golden.max_positions, golden.theta);
  ASSERT_TRUE(rope.ok()) << rope.status();
  auto table = rope->table(golden.dim, golden.max_context);
  ASSERT_TRUE(table.ok()) << table.status();
  ASSERT_EQ(table->inverse_frequencies.size(), expected["inv_freq"].size());
  for (size_t i = 0; i < table->inverse_frequencies.size(); ++i) {
    double wanted = expected["inv_freq"][i].get<double>();
    EXPECT_NEAR(table->inverse_frequencies[i], wanted, golden.tolerance * wanted) << "at " << i;
  }
  EXPECT_NEAR(table->attention_factor, expected.value("cos_sin_scale", 1.0), 1e-7);
  EXPECT_NEAR(rope->softmaxScaleFactor(), expected.value("softmax_mult", 1.0), 1e-12);
}
INSTANTIATE_TEST_SUITE_P(Each, RopeGolden, testing::ValuesIn(kGoldens),
                         [](const auto &info) { return std::string(info.param.name); });

TEST(RopeConfig, readsBothGenerationsAlike) {
  auto old_keys = scaled(R"({"type":"yarn","factor":8.0,"original_max_position_embeddings":32})");
  auto new_keys = read(
      R"({"max_position_embeddings":4096,"rope_parameters":{"rope_theta":10000.0,"rope_type":"yarn","factor":8.0,"original_max_position_embeddings":32}})");
  ASSERT_TRUE(old_keys.ok() && new_keys.ok()) << new_keys.status();
  EXPECT_EQ(old_keys->table(64, 4096)->inverse_frequencies,
            new_keys->table(64, 4096)->inverse_frequencies);
  EXPECT_EQ(new_keys->theta, 10000);
}

TEST(RopeConfig, takesTheAttentionFactorFromTheRatioOfTheTwoScales) {
  auto rope = scaled(R"({"type":"yarn","factor":8,"mscale":1.0,"mscale_all_dim":0.8})");
  double gain = 0.1 * std::log(8.0);
  EXPECT_NEAR(rope->table(64, 1)->attention_factor, (1 + gain) / (1 + 0.8 * gain), 1e-7);
  EXPECT_NEAR(rope->softmaxScaleFactor(), std::pow(1 + 0.8 * gain, 2), 1e-12);
  EXPECT_EQ(scaled(R"({"type":"yarn","factor":8,"attention_factor":1.5})")
                ->table(64, 1)
                ->attention_factor,
            1.5f);
}

TEST(RopeConfig, dividesByALinearFactor) {
  auto rope = scaled(R"({"type":"linear","factor":4})");
  EXPECT_EQ(rope->table(4, 1)->inverse_frequencies, (std::vector<float>{0.25f, 0.0025f}));
}

TEST(RopeConfig, choosesLongFactorsOnlyBeyondTheOriginalLength) {
  auto rope = scaled(
      R"({"type":"longrope","short_factor":[1,2],"long_factor":[4,8],"original_max_position_embeddings":512})",
      1024);
  ASSERT_TRUE(rope.ok()) << rope.status();
  EXPECT_EQ(rope->defaultMaxContext(), 512);
  EXPECT_EQ(rope->table(4, 512)->inverse_frequencies, (std::vector<float>{1, 0.005f}));
  EXPECT_EQ(rope->table(4, 513)->inverse_frequencies, (std::vector<float>{0.25f, 0.00125f}));
  EXPECT_NEAR(rope->table(4, 512)->attention_factor, std::sqrt(1 + std::log(2.0) / std::log(512.0)),
              1e-7);
  EXPECT_THAT(rope->table(8, 512).status().message(),
              HasSubstr("short_factor has 2 numbers; it should have 4"));
}

TEST(RopeConfig, refusesDynamicBeyondItsRange) {
  auto rope = scaled(R"({"rope_type":"dynamic","factor":6})", 32768);
  EXPECT_EQ(rope->defaultMaxContext(), 32768);
  EXPECT_TRUE(rope->table(64, 32768).ok());
  EXPECT_THAT(rope->table(64, 65536).status().message(),
              HasSubstr("choose a max context of at most that, not 65536"));
}

TEST(RopeConfig, guardsEqualYarnBounds) {
  auto rope = scaled(R"({"type":"yarn","factor":32,"beta_fast":1,"beta_slow":1,"truncate":false})");
  auto table = rope->table(64, 4096);
  ASSERT_TRUE(table.ok()) << table.status();
  for (float frequency : table->inverse_frequencies)
    EXPECT_TRUE(std::isfinite(frequency));
}

TEST(RopeConfig, prefersTheOriginalLengthAtTheTop) {
  auto rope = read(
      R"({"max_position_embeddings":4096,"original_max_position_embeddings":128,"rope_scaling":{"type":"yarn","factor":4,"original_max_position_embeddings":64}})");
  EXPECT_EQ(rope->original_max_position_embeddings, 128);
  EXPECT_EQ(scaled(R"({"type":"yarn","factor":4})")->original_max_position_embeddings, 4096);
}

TEST(RopeConfig, namesKindsThatAreNotSupported) {
  EXPECT_THAT(errorOf(R"({"type":"mrope","mrope_section":[1,1,2]})"),
              HasSubstr("rope type 'mrope' is not yet supported"));
  EXPECT_THAT(errorOf(R"({"full_attention":{"rope_type":"default"}})"),
              HasSubstr("differ from layer to layer"));
}

struct Refusal {
  const char *scaling, *message;
};
class RopeRefusal : public testing::TestWithParam<Refusal> {};
TEST_P(RopeRefusal, saysWhy) {
  EXPECT_THAT(errorOf(GetParam().scaling), HasSubstr(GetParam().message));
}
const Refusal kRefusals[] = {
    {"7", "it should be an object"},
    {R"({"factor":2})", "key 'rope_scaling.rope_type' is missing"},
    {R"({"type":"yarn","rope_type":"linear","factor":2})", "is 'linear', but 'type' is 'yarn'"},
    {R"({"type":"yarn"})", "key 'rope_scaling.factor' is missing"},
    {R"({"type":"linear","factor":0})", "a number above 0"},
    {R"({"type":"linear","factor":-2})", "a number above 0"},
    {R"({"type":"linear","factor":1e30})", "at most 1000000"},
    {R"({"type":"linear","factor":"2"})", "is \"2\"; it should be a number"},
    {R"({"type":"linear","factor":2,"twist":1})", "'rope_scaling.twist' (1)"},
    {R"({"type":"default","factor":2})", "'rope_scaling.factor' (2)"},
    {R"({"type":"yarn","factor":2,"beta_fast":0})", "a number above 0"},
    {R"({"type":"yarn","factor":2,"mscale":-1})", "it should be a number from 0"},
    {R"({"type":"yarn","factor":2,"original_max_position_embeddings":0})", "an integer from 1"},
    {R"({"type":"llama3","factor":8,"low_freq_factor":4,"high_freq_factor":4})",
     "it should be above low_freq_factor, 4"},
    {R"({"type":"llama3","factor":8,"high_freq_factor":4})",
     "'rope_scaling.low_freq_factor' is missing"},
    {R"({"type":"longrope","short_factor":[1]})", "'rope_scaling.long_factor' is missing or empty"},
    {R"({"type":"longrope","short_factor":[1,0],"long_factor":[1,1]})", "a list of numbers"},
    {R"({"type":"linear","factor":2,"rope_theta":5})", "is 5, but 10000 at the top"},
};
INSTANTIATE_TEST_SUITE_P(Each, RopeRefusal, testing::ValuesIn(kRefusals));

TEST(RopeConfig, refusesAbsurdTopLevelKeys) {
  auto error = [](const char *text) { return std::string(read(text).status().message()); };
  EXPECT_THAT(error("{}"), HasSubstr("key 'max_position_embeddings' is missing"));
  EXPECT_THAT(error(R"({"max_position_embeddings":0})"),
              HasSubstr("an integer from 1 to 1000000000"));
  EXPECT_THAT(error(R"({"max_position_embeddings":9,"rope_theta":0})"),
              HasSubstr("key 'rope_theta' is 0"));
  EXPECT_THAT(error(R"({"max_position_embeddings":9,"rope_theta":-1})"),
              HasSubstr("key 'rope_theta' is -1"));
  EXPECT_THAT(
      error(
          R"({"max_position_embeddings":9,"rope_scaling":{"type":"linear","factor":2},"rope_parameters":{}})"),
      HasSubstr("stands beside rope_scaling"));
}

TEST(RopeConfig, refusesOddDimensionsAndContexts) {
  auto rope = scaled("null");
  for (int64_t dim : {-2, 0, 1, 3, 1 << 20})
    EXPECT_THAT(rope->table(dim, 1).status().message(), HasSubstr("it should be even")) << dim;
  EXPECT_THAT(rope->table(2, 0).status().message(), HasSubstr("it should be at least 1"));
  EXPECT_THAT(scaled(R"({"type":"dynamic","alpha":1e30})")->table(4, 1).status().message(),
              HasSubstr("not positive numbers"));
}

} // namespace
} // namespace lathe::frontend
