#include "base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lathe {
namespace {

using testing::HasSubstr;

std::string errorOf(const std::string &text) {
  return std::string(parseJson(text, "a.json").status().message());
}

std::string objectOf(size_t keys) {
  std::string text = "{";
  for (size_t i = 0; i < keys; ++i)
    text += (i ? ",\"" : "\"") + std::to_string(i) + "\":0";
  return text + "}";
}

TEST(ParseJson, keepsTheOrderOfKeys) {
  auto json = parseJson(R"({"b":1,"a":[true,null,"x"]})", "a.json");
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(json->dump(), R"({"b":1,"a":[true,null,"x"]})");
}

TEST(ParseJson, refusesDepth) {
  EXPECT_EQ(errorOf(std::string(64, '[') + std::string(64, ']')), "");
  EXPECT_EQ(errorOf(std::string(65, '[') + std::string(65, ']')),
            "a.json: nested deeper than 64 levels");
  std::string deep;
  for (int i = 0; i < 100'000; ++i)
    deep += "{\"a\":";
  EXPECT_NE(errorOf(deep), "");
}

TEST(ParseJson, refusesKeysThatStandTwice) {
  EXPECT_EQ(errorOf(R"({"a":{"b":1},"b":[{"b":1},{"b":1}]})"), "");
  EXPECT_EQ(errorOf(R"({"a":1,"a":2})"), "a.json: the key 'a' stands twice in one object");
}

TEST(ParseJson, refusesObjectsSoLargeThatTheirKeysTakeLongToFind) {
  EXPECT_EQ(errorOf(objectOf(kMaxJsonKeys)), "");
  EXPECT_EQ(errorOf(objectOf(kMaxJsonKeys + 1)), "a.json: an object has more than 10000 keys");
  EXPECT_EQ(errorOf(objectOf(1'000'000)), "a.json: an object has more than 10000 keys"); // and soon
}

TEST(ParseJson, quotesLittleOfAStrangersText) {
  std::string key(100'000, 'k');
  EXPECT_LT(errorOf("{\"" + key + "\":1,\"" + key + "\":2}").size(), 300u);
  EXPECT_LT(errorOf("[\"" + key).size(), 500u);
  EXPECT_THAT(errorOf(R"({"\u001b[2J":1,"\u001b[2J":2})"), HasSubstr("the key '\\x1b[2J'"));
}

TEST(ParseJson, refusesWhatIsNoJson) {
  for (const char *text :
       {"", "{", "[1,]", "{\"a\"}", "nul", "1e999", "\"\xff\"", "[1] 2", "{'a':1}"})
    EXPECT_THAT(errorOf(text), HasSubstr("a.json: not valid JSON")) << text;
}

} // namespace
} // namespace lathe
