#include "frontend/weight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/strip.h"

#include "frontend/safetensors_writer.h"
#include "tests/unit/frontend/scratch.h"

namespace lathe::frontend {
namespace {

using testing::HasSubstr;

constexpr char kBlocks[] =
    R"({"quantization_config":{"quant_method":"fp8","weight_block_size":[128,128]}})";
constexpr char kChannels[] =
    R"({"quantization_config":{"quant_method":"compressed-tensors","config_groups":{"g":{"targets":["Linear"],"weights":{"num_bits":8,"type":"float","strategy":"channel"}}}}})";
constexpr char kLegacy[] = R"({"quantization_config":{"quant_method":"fp8"}})";

// findWeight on module "m" of a folder with this config and these tensors (zeros).
struct Result {
  std::string message;
  ScaleGranularity granularity = ScaleGranularity::none;
};
Result find(const std::string &config, const std::vector<TensorSpec> &specs) {
  ScratchFolder folder;
  folder.write("config.json", config);
  std::vector<uint8_t> zeros(1 << 20);
  std::vector<TensorData> tensors;
  for (const TensorSpec &spec : specs) {
    size_t size = bytesPerElement(spec.dtype);
    for (int64_t extent : spec.shape)
      size *= extent;
    tensors.push_back({spec, absl::MakeConstSpan(zeros).first(size)});
  }
  EXPECT_TRUE(writeSafetensors(folder / "model.safetensors", tensors).ok());
  auto checkpoint = Checkpoint::open(folder.path());
  EXPECT_TRUE(checkpoint.ok()) << checkpoint.status();
  auto quantization = QuantizationConfig::read(*checkpoint->config());
  EXPECT_TRUE(quantization.ok()) << quantization.status();
  auto weight = findWeight(*checkpoint, *quantization, "m");
  return {std::string(weight.status().message()),
          weight.ok() ? weight->granularity : ScaleGranularity::none};
}

TensorSpec fp8(std::vector<int64_t> shape) {
  return {"m.weight", DType::f8_e4m3, std::move(shape)};
}

TEST(FindWeight, takesScalesOfEachGranularity) {
  EXPECT_EQ(
      find(kBlocks, {fp8({130, 256}), {"m.weight_scale_inv", DType::f32, {2, 2}}}).granularity,
      ScaleGranularity::block);
  EXPECT_EQ(
      find(kBlocks, {fp8({130, 256}), {"m.weight_scale_inv", DType::f8_e8m0, {2, 2}}}).granularity,
      ScaleGranularity::block);
  EXPECT_EQ(find(kChannels, {fp8({6, 4}), {"m.weight_scale", DType::bf16, {6, 1}}}).granularity,
            ScaleGranularity::channel);
  EXPECT_EQ(find(kChannels, {fp8({6, 4}), {"m.weight_scale", DType::f32, {6}}}).granularity,
            ScaleGranularity::channel);
  EXPECT_EQ(find(kLegacy, {fp8({6, 4}), {"m.weight_scale", DType::f32, {}}}).granularity,
            ScaleGranularity::tensor);
}

TEST(FindWeight, letsTheFileDecideWhatIsQuantised) {
  Result plain = find(kBlocks, {{"m.weight", DType::bf16, {6, 4}}});
  EXPECT_EQ(plain.message, "");
  EXPECT_EQ(plain.granularity, ScaleGranularity::none);
}

TEST(FindWeight, refusesDisagreements) {
  EXPECT_THAT(find("{}", {}).message, HasSubstr("tensor 'm.weight' is missing"));
  EXPECT_THAT(find("{}", {fp8({6, 4})}).message,
              HasSubstr("is F8_E4M3 but config.json's quantization_config does not cover it"));
  EXPECT_THAT(find(kBlocks, {fp8({6, 4})}).message,
              HasSubstr("its scale 'm.weight_scale_inv' is missing"));
  EXPECT_THAT(
      find("{}", {{"m.weight", DType::bf16, {6, 4}}, {"m.weight_scale", DType::f32, {1}}}).message,
      HasSubstr("by config.json this module has none of that name"));
  EXPECT_THAT(
      find(kBlocks, {{"m.weight", DType::bf16, {6, 4}}, {"m.weight_scale_inv", DType::f32, {1, 1}}})
          .message,
      HasSubstr("is BF16 but has a scale, 'm.weight_scale_inv'; it should be F8_E4M3"));
  EXPECT_THAT(
      find(kBlocks, {fp8({130, 256}), {"m.weight_scale_inv", DType::f32, {1, 2}}}).message,
      HasSubstr("has shape [1, 2]; for 'm.weight' of shape [130, 256] it should be [2, 2]"));
  EXPECT_THAT(find(kBlocks, {fp8({6, 4}), {"m.weight_scale_inv", DType::u8, {1, 1}}}).message,
              HasSubstr("is U8; a scale should be"));
  EXPECT_THAT(find(kChannels, {fp8({6, 4}), {"m.weight_scale", DType::f32, {4, 1}}}).message,
              HasSubstr("it should be [6, 1]"));
  EXPECT_THAT(find("{}", {{"m.weight", DType::i8, {6, 4}}}).message,
              HasSubstr("is I8; a weight should be a float"));
  EXPECT_THAT(find("{}", {{"m.weight", DType::f32, {6}}}).message,
              HasSubstr("it should be [out, in]"));
}

TEST(FindWeight, findsAllQuantisedWeightsOfTheGoldens) {
  for (const char *folder : {"/tests/data/golden/v3_fp8_block", "/tests/data/golden/v3_fp8_ue8m0",
                             "/tests/data/golden/llama_fp8_channel",
                             "/tests/data/golden/llama_fp8_tensor", "/models/stories_mla_fp8"}) {
    auto checkpoint = Checkpoint::open(std::string(LATHE_SOURCE_DIR) + folder);
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
    auto quantization = QuantizationConfig::read(*checkpoint->config());
    ASSERT_TRUE(quantization.ok()) << quantization.status();
    int quantised = 0;
    for (const Tensor &tensor : checkpoint->tensors()) {
      absl::string_view module = tensor.name;
      if (!absl::ConsumeSuffix(&module, ".weight") || tensor.shape.size() != 2)
        continue;
      auto weight = findWeight(*checkpoint, *quantization, module);
      ASSERT_TRUE(weight.ok()) << weight.status();
      EXPECT_EQ(weight->scale != nullptr, tensor.dtype == DType::f8_e4m3);
      if (weight->scale) {
        EXPECT_EQ(checkpoint->checkScales(*weight->scale), absl::OkStatus());
        ++quantised;
      }
    }
    EXPECT_GE(quantised, 10) << folder;
  }
}

} // namespace
} // namespace lathe::frontend
