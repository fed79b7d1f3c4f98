#include "frontend/quantization_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lathe::frontend {
namespace {

using testing::HasSubstr;

absl::StatusOr<QuantizationConfig> read(const std::string &section) {
  auto config = ConfigReader::parse("{\"quantization_config\":" + section + "}", "config.json");
  if (!config.ok())
    return config.status();
  auto result = QuantizationConfig::read(*config);
  EXPECT_TRUE(!result.ok() || config->finish().ok()) << config->finish();
  return result;
}

std::string errorOf(const std::string &section) {
  return std::string(read(section).status().message());
}

std::string compressed(const std::string &weights, const std::string &more = "") {
  return R"({"quant_method":"compressed-tensors","format":"float-quantized","config_groups":{"group_0":{"targets":["Linear"],"weights":)" +
         weights + "}}" + more + "}";
}
const std::string kChannel =
    R"({"num_bits":8,"type":"float","strategy":"channel","dynamic":false,"symmetric":true})";

TEST(QuantizationConfig, isNoneWithoutTheKey) {
  auto config = read("null");
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->method(), QuantizationMethod::none);
  EXPECT_EQ(config->format("model.layers.0.mlp.up_proj").granularity, ScaleGranularity::none);
}

TEST(QuantizationConfig, readsDeepSeekBlocks) {
  auto config = read(
      R"({"quant_method":"fp8","fmt":"e4m3","activation_scheme":"dynamic","weight_block_size":[128,64],"scale_fmt":"ue8m0","modules_to_not_convert":["lm_head","mlp.gate"]})");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_TRUE(config->activationScalesArePowersOfTwo());
  WeightFormat format = config->format("model.layers.0.mlp.up_proj");
  EXPECT_EQ(format.granularity, ScaleGranularity::block);
  EXPECT_EQ(format.scale_name, "model.layers.0.mlp.up_proj.weight_scale_inv");
  EXPECT_EQ(format.block_rows, 128);
  EXPECT_EQ(format.block_columns, 64);
  EXPECT_EQ(config->format("lm_head").granularity, ScaleGranularity::none);
  EXPECT_EQ(config->format("model.layers.3.mlp.gate").granularity, ScaleGranularity::none);
  EXPECT_EQ(config->format("model.layers.3.mlp.gate_proj").granularity, ScaleGranularity::block);
  EXPECT_EQ(config->format("model.norm", "RMSNorm").granularity, ScaleGranularity::none);
}

TEST(QuantizationConfig, readsLegacyTensorScales) {
  auto config =
      read(R"({"quant_method":"fp8","activation_scheme":"static","ignored_layers":["lm_head"]})");
  ASSERT_TRUE(config.ok()) << config.status();
  WeightFormat format = config->format("a");
  EXPECT_EQ(format.granularity, ScaleGranularity::tensor);
  EXPECT_EQ(format.scale_name, "a.weight_scale");
  EXPECT_EQ(format.input_scale_name, "a.input_scale");
}

TEST(QuantizationConfig, readsCompressedTensors) {
  auto config = read(compressed(
      kChannel,
      R"(,"ignore":["lm_head","re:.*\\.gate$"],"quantization_status":"compressed","kv_cache_scheme":null,"sparsity_config":{},"version":"0.9")"));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->format("m.q_proj").granularity, ScaleGranularity::channel);
  EXPECT_EQ(config->format("m.q_proj").scale_name, "m.q_proj.weight_scale");
  EXPECT_EQ(config->format("lm_head").granularity, ScaleGranularity::none);
  EXPECT_EQ(config->format("m.mlp.gate").granularity, ScaleGranularity::none);
  EXPECT_EQ(config->format("m.mlp.gate_proj").granularity, ScaleGranularity::channel);
  EXPECT_EQ(config->format("m.embed", "Embedding").granularity, ScaleGranularity::none);
}

TEST(QuantizationConfig, readsBlockStructures) {
  for (const char *block : {"[128,128]", "\"128x128\""}) {
    auto config = read(compressed(
        std::string(R"({"num_bits":8,"type":"float","strategy":"block","block_structure":)") +
        block + "}"));
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_EQ(config->format("a").block_columns, 128);
  }
}

TEST(QuantizationConfig, matchesTargetsFromTheStartOfTheName) {
  auto config = read(
      R"({"quant_method":"compressed-tensors","config_groups":{"g":{"targets":["re:model\\.layers\\.0"],"weights":)" +
      kChannel + "}}}");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->format("model.layers.0.q").granularity, ScaleGranularity::channel);
  EXPECT_EQ(config->format("x.model.layers.0.q").granularity, ScaleGranularity::none);
}

TEST(QuantizationConfig, survivesExpressionsThatExplode) {
  auto config = read(compressed(kChannel, R"(,"ignore":["re:(a+)+$","re:((((a*)*)*)*)*b"])"));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->format(std::string(200, 'a') + "!").granularity, ScaleGranularity::channel);
}

// "ignore" with so many regular expressions.
std::string expressions(int count) {
  std::string list = R"("re:a")";
  for (int i = 1; i < count; ++i)
    list += R"(,"re:a")";
  return ",\"ignore\":[" + list + "]";
}

struct Refusal {
  std::string section;
  const char *message;
};
class QuantizationRefusal : public testing::TestWithParam<Refusal> {};
TEST_P(QuantizationRefusal, saysWhy) {
  EXPECT_THAT(errorOf(GetParam().section), HasSubstr(GetParam().message));
}
const Refusal kRefusals[] = {
    {R"({"quant_method":"gptq","bits":4})", "quantization method 'gptq' is not yet supported"},
    {R"({"quant_method":"awq"})", "method 'awq'"},
    {R"({"quant_method":"bitsandbytes"})", "method 'bitsandbytes'"},
    {R"({})", "key 'quantization_config.quant_method' is missing"},
    {R"({"quant_method":"fp8","fmt":"e5m2"})", "fp8 with fmt 'e5m2'"},
    {R"({"quant_method":"fp8","activation_scheme":"odd"})", "it should be dynamic or static"},
    {R"({"quant_method":"fp8","activation_scheme":"static","weight_block_size":[128,128]})",
     "static activation scales"},
    {R"({"quant_method":"fp8","weight_block_size":[128]})",
     "has 1 numbers; it should be [rows, columns]"},
    {R"({"quant_method":"fp8","weight_block_size":[0,128]})", "a list of integers from 1"},
    {R"({"quant_method":"fp8","weight_block_size":[128,128],"scale_fmt":"x"})", "scale_fmt 'x'"},
    {R"({"quant_method":"fp8","twist":1})", "'quantization_config.twist' (1)"},
    {R"({"quant_method":"compressed-tensors","format":"pack-quantized"})",
     "format 'pack-quantized'"},
    {R"({"quant_method":"compressed-tensors"})", "config_groups' is missing or empty"},
    {R"({"quant_method":"compressed-tensors","config_groups":{"g":null}})",
     "config_groups.g' is null"},
    {R"({"quant_method":"compressed-tensors","config_groups":{"g":{"targets":["Linear"]}}})",
     "activations only"},
    {R"({"quant_method":"compressed-tensors","kv_cache_scheme":{}, "config_groups":{}})",
     "kv_cache_scheme"},
    {compressed(R"({"num_bits":4,"type":"int","strategy":"group"})"), "4-bit 'int' weights"},
    {compressed(R"({"num_bits":8,"type":"float","strategy":"group"})"), "strategy 'group'"},
    {compressed(R"({"num_bits":8,"type":"float","strategy":"channel","symmetric":false})"),
     "asymmetric"},
    {compressed(R"({"num_bits":8,"type":"float","strategy":"block"})"), "has 0 numbers"},
    {compressed(kChannel, R"(,"ignore":["re:("])"),
     "the regular expression '(' is wrong at byte 1"},
    {compressed(kChannel, R"(,"ignore":["re:)" + std::string(5000, 'a') + "\"]"),
     "5000 bytes long"},
    {compressed(kChannel, expressions(65)), "key 'quantization_config.config_groups' and 'ignore' "
                                            "have 65 regular expressions; at most 64"},
    {compressed(kChannel, R"(,"sparsity_config":{"format":"sparse-24"})"), "with sparsity_config"},
    {compressed(kChannel, R"(,"transform_config":{"config_groups":{"a":1}})"),
     "with transform_config"},
};
INSTANTIATE_TEST_SUITE_P(Each, QuantizationRefusal, testing::ValuesIn(kRefusals));

} // namespace
} // namespace lathe::frontend
