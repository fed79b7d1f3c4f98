#include "frontend/weight_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/frontend/scratch.h"

namespace lathe::frontend {
namespace {

using testing::HasSubstr;

std::string errorOf(const std::string &text) {
  return std::string(parseWeightIndex(text, "index.json").status().message());
}

TEST(WeightIndex, sortsShardsAndTensors) {
  auto index = parseWeightIndex(
      R"({"metadata":{"total_size":12,"more":[{"a":null}]},"weight_map":{"c":"2.safetensors","a":"2.safetensors","b":"1.safetensors"}})",
      "index.json");
  ASSERT_TRUE(index.ok()) << index.status();
  EXPECT_THAT(index->files, testing::ElementsAre("1.safetensors", "2.safetensors"));
  EXPECT_THAT(index->tensors,
              testing::ElementsAre(std::pair("a", 1u), std::pair("b", 0u), std::pair("c", 1u)));
}

TEST(WeightIndex, refusesShardsThatLeaveTheFolder) {
  for (const char *shard : {"../x.safetensors", "/etc/x.safetensors", "a/b.safetensors", "..", ".",
                            "a\\\\b.safetensors", "a\\u0000.safetensors"})
    EXPECT_THAT(errorOf(std::string(R"({"weight_map":{"t":")") + shard + "\"}}"),
                HasSubstr("should be the plain name of a file"))
        << shard;
  EXPECT_THAT(errorOf(R"({"weight_map":{"t":"x.bin"}})"),
              HasSubstr("should be a .safetensors file"));
  EXPECT_THAT(errorOf(R"({"weight_map":{"t":""}})"), HasSubstr("should be a .safetensors file"));
}

TEST(WeightIndex, refusesOtherShapes) {
  EXPECT_THAT(errorOf("{}"), HasSubstr("lacks the object 'weight_map'"));
  EXPECT_THAT(errorOf(R"({"weight_map":{}})"), HasSubstr("names no tensor"));
  EXPECT_THAT(errorOf(R"({"weight_map":[]})"), HasSubstr("a list in an unexpected place"));
  EXPECT_THAT(errorOf(R"({"weight_map":{"t":1}})"),
              HasSubstr("a number in an unexpected place, after 't'"));
  EXPECT_THAT(errorOf(R"({"weight_map":{"t":null}})"), HasSubstr("null in an unexpected place"));
  EXPECT_THAT(errorOf(R"({"weight_map":{"t":{}}})"), HasSubstr("an object in an unexpected place"));
  EXPECT_THAT(errorOf(R"({"weight_map":"t"})"), HasSubstr("a string in an unexpected place"));
  EXPECT_THAT(errorOf("[]"), HasSubstr("a list"));
  EXPECT_THAT(errorOf("7"), HasSubstr("a number"));
  EXPECT_THAT(errorOf(""), HasSubstr("not valid JSON"));
  EXPECT_THAT(errorOf(R"({"metadata":)" + std::string(100'000, '[')),
              HasSubstr("nested deeper than 16"));
}

TEST(WeightIndex, refusesDoubles) {
  EXPECT_THAT(errorOf(R"({"weight_map":{"t":"1.safetensors","t":"2.safetensors"}})"),
              HasSubstr("tensor 't' stands twice"));
  EXPECT_THAT(errorOf(R"({"weight_map":{"t":"1.safetensors"},"weight_map":{}})"),
              HasSubstr("'weight_map' stands twice"));
}

TEST(FindWeights, refusesAnIndexBesideAnUnnamedSingleFile) {
  ScratchFolder folder;
  folder.write("model.safetensors", "");
  folder.write("model.safetensors.index.json", R"({"weight_map":{"t":"1.safetensors"}})");
  EXPECT_THAT(findWeights(folder.path()).status().message(), HasSubstr("remove one of the two"));
}

TEST(FindWeights, takesASingleFile) {
  ScratchFolder folder;
  folder.write("model.safetensors", "");
  auto index = findWeights(folder.path());
  ASSERT_TRUE(index.ok());
  EXPECT_THAT(index->files, testing::ElementsAre("model.safetensors"));
  EXPECT_FALSE(index->sharded);
}

} // namespace
} // namespace lathe::frontend
