#include "frontend/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lathe::frontend {
namespace {

using testing::HasSubstr;

ConfigReader reader(const std::string &text) {
  auto config = ConfigReader::parse(text, "config.json");
  EXPECT_TRUE(config.ok()) << config.status();
  return *std::move(config);
}

template <typename T> std::string message(const absl::StatusOr<T> &result) {
  return std::string(result.status().message());
}

TEST(Config, readsEveryType) {
  ConfigReader config = reader(
      R"({"i":7,"n":1.5,"whole":2,"b":true,"s":"x","li":[1,2],"ln":[1,2.5],"ls":["a"],"o":{"k":1},"z":null})");
  EXPECT_EQ(*config.integer("i", 1, 7), 7);
  EXPECT_EQ(*config.number("n", 0, 2), 1.5);
  EXPECT_EQ(*config.number("whole", 0, 2), 2.0);
  EXPECT_EQ(*config.boolean("b"), true);
  EXPECT_EQ(*config.string("s"), "x");
  EXPECT_THAT(*config.integers("li", 0, 9), testing::ElementsAre(1, 2));
  EXPECT_THAT(*config.numbers("ln", 0, 9), testing::ElementsAre(1, 2.5));
  EXPECT_THAT(*config.strings("ls"), testing::ElementsAre("a"));
  EXPECT_EQ(*(*config.object("o"))->integer("k", 0, 1), 1);
  EXPECT_EQ(config.finish(), absl::OkStatus());
}

TEST(Config, takesDefaultsForAbsentAndNull) {
  ConfigReader config = reader(R"({"z":null})");
  for (const char *key : {"z", "absent"}) {
    EXPECT_EQ(*config.integerOr(key, 5, 0, 9), 5);
    EXPECT_EQ(*config.numberOr(key, 0.5, 0, 9), 0.5);
    EXPECT_EQ(*config.booleanOr(key, true), true);
    EXPECT_EQ(*config.stringOr(key, "d"), "d");
    EXPECT_EQ(*config.nullableInteger(key, 0, 9), std::nullopt);
    EXPECT_EQ(config.object(key)->has_value(), false);
    EXPECT_THAT(*config.integers(key, 0, 9), testing::IsEmpty());
  }
}

TEST(Config, saysKeyValueAndRange) {
  ConfigReader config = reader(R"({"num_hidden_layers":"abc"})");
  EXPECT_EQ(
      message(config.integer("num_hidden_layers", 1, 10000)),
      "config.json: key 'num_hidden_layers' is \"abc\"; it should be an integer from 1 to 10000");
  EXPECT_EQ(message(config.integer("vocab_size", 1, 10)),
            "config.json: key 'vocab_size' is missing; it should be an integer from 1 to 10");
}

TEST(Config, refusesNumbersOutOfRangeOrOfAnotherType) {
  for (const char *value : {"0", "-1", "11", "18446744073709551615", "99999999999999999999", "7.0",
                            "true", "\"7\"", "[7]", "{}", "null"})
    EXPECT_THAT(message(reader(std::string("{\"k\":") + value + "}").integer("k", 1, 10)),
                HasSubstr("it should be an integer from 1 to 10"))
        << value;
  for (const char *value : {"-0.5", "1e300", "false", "\"1\"", "null"})
    EXPECT_THAT(message(reader(std::string("{\"k\":") + value + "}").number("k", 0, 10)),
                HasSubstr("it should be a number from 0 to 10"))
        << value;
  for (const char *value : {"0", "-1", "1e31", "\"1\"", "null"})
    EXPECT_THAT(message(reader(std::string("{\"k\":") + value + "}").positiveNumber("k")),
                HasSubstr("a number above 0"))
        << value;
  EXPECT_THAT(message(reader(R"({"k":1})").boolean("k")), HasSubstr("it should be true or false"));
  EXPECT_THAT(message(reader(R"({"k":1})").string("k")), HasSubstr("it should be a string"));
  EXPECT_THAT(message(reader(R"({"k":1})").object("k")), HasSubstr("it should be an object"));
}

TEST(Config, refusesListsWithOneBadElement) {
  EXPECT_THAT(message(reader(R"({"k":[1,"2"]})").integers("k", 0, 9)),
              HasSubstr("a list of integers from 0 to 9"));
  EXPECT_THAT(message(reader(R"({"k":[1,null]})").numbers("k", 0, 9)),
              HasSubstr("a list of numbers"));
  EXPECT_THAT(message(reader(R"({"k":["a",1]})").strings("k")), HasSubstr("a list of strings"));
  EXPECT_THAT(message(reader(R"({"k":7})").strings("k")), HasSubstr("a list of strings"));
}

TEST(Config, refusesWhatIsNoObject) {
  EXPECT_THAT(message(ConfigReader::parse("[]", "config.json")),
              HasSubstr("it should be a JSON object"));
  EXPECT_THAT(message(ConfigReader::parse("", "config.json")), HasSubstr("not valid JSON"));
  EXPECT_THAT(message(ConfigReader::parse("{\"a\":1e999}", "config.json")),
              HasSubstr("config.json"));
  EXPECT_THAT(message(ConfigReader::parse(R"({"a":1,"a":2})", "config.json")),
              HasSubstr("stands twice"));
  EXPECT_THAT(message(ConfigReader::parse("{\"a\":" + std::string(100'000, '['), "config.json")),
              HasSubstr("config.json"));
  EXPECT_LT(
      message(ConfigReader::parse("{\"a\":\"" + std::string(100'000, 'x'), "config.json")).size(),
      500u);
}

TEST(Config, refusesKeysThatNobodyRead) {
  ConfigReader config = reader(R"({"hidden_size":1,"logit_scale":0.5,"torch_dtype":"bfloat16"})");
  ASSERT_TRUE(config.integer("hidden_size", 1, 9).ok());
  EXPECT_THAT(
      config.finish().message(),
      HasSubstr("not understood, and may change what the model computes: 'logit_scale' (0.5)"));
  config.accept("logit_scale");
  EXPECT_EQ(config.finish(), absl::OkStatus());
}

TEST(Config, refusesNestedKeysThatNobodyRead) {
  ConfigReader config = reader(R"({"rope_scaling":{"factor":2,"twist":1}})");
  ASSERT_TRUE((*config.object("rope_scaling"))->number("factor", 0, 9).ok());
  EXPECT_THAT(config.finish().message(), HasSubstr("'rope_scaling.twist' (1)"));
  ASSERT_TRUE((*config.object("rope_scaling"))->number("twist", 0, 9).ok());
  EXPECT_EQ(config.finish(), absl::OkStatus());
  EXPECT_THAT(message((*config.object("rope_scaling"))->number("factor", 5, 9)),
              HasSubstr("key 'rope_scaling.factor' is 2"));
}

TEST(Config, letsSwitchesStandOnlyWhileTheyAreOff) {
  EXPECT_EQ(
      reader(
          R"({"use_mrope":false,"mlp_only_layers":[],"num_nextn_predict_layers":0,"anything":null})")
          .finish(),
      absl::OkStatus());
  EXPECT_FALSE(reader(R"({"use_mrope":true})").finish().ok());
  EXPECT_FALSE(reader(R"({"mlp_only_layers":[1]})").finish().ok());
  EXPECT_EQ(reader(R"({"layer_types":["full_attention","full_attention"]})").finish(),
            absl::OkStatus());
  EXPECT_FALSE(reader(R"({"layer_types":["full_attention","sliding_attention"]})").finish().ok());
}

TEST(Config, readsOneArchitecture) {
  EXPECT_EQ(*readArchitecture(reader(R"({"architectures":["LlamaForCausalLM"]})")),
            "LlamaForCausalLM");
  EXPECT_THAT(message(readArchitecture(reader("{}"))),
              HasSubstr("key 'architectures' is missing or empty"));
  EXPECT_THAT(message(readArchitecture(reader(R"({"architectures":["A","B"]})"))),
              HasSubstr("names 2 classes"));
  EXPECT_THAT(message(readArchitecture(reader(R"({"architectures":"A"})"))),
              HasSubstr("a list of strings"));
}

} // namespace
} // namespace lathe::frontend
