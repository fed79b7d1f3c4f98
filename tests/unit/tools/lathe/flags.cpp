#include "tools/lathe/flags.h"

#include <gmock/gmock.h>

#include "CLI/CLI.hpp"

namespace lathe::cli {
namespace {

using testing::ElementsAre;

struct FlagsTest : testing::Test {
  FlagsTest() {
    addArgument(app, "FILE", file, "");
    addText(app, "--prompt", prompt, "T", "");
    addTexts(app, "--stop", stops, "T", "");
    addWhole(app, "-n,--number", number, {1, 10}, "");
    addReal(app, "--real", real, "");
    addChoice(app, "--ir", choice, {"portable", "optimised"}, "IR", "");
  }

  // Empty, or what was wrong.
  std::string parse(std::vector<std::string> words) {
    std::reverse(words.begin(), words.end());
    try {
      app.parse(words);
    } catch (const CLI::ParseError &error) {
      return error.what();
    }
    return "";
  }

  CLI::App app;
  std::string file;
  std::optional<std::string> prompt, choice;
  std::vector<std::string> stops;
  std::optional<int64_t> number;
  std::optional<double> real;
};

TEST_F(FlagsTest, keepWhatTheyHaveWhereTheyAreNotGiven) {
  EXPECT_EQ(parse({"f"}), "");
  EXPECT_FALSE(prompt || number || real || choice);
}

TEST_F(FlagsTest, takeTextsAsTheyAre) {
  EXPECT_EQ(parse({"--prompt", "--stop", "f"}), "");
  EXPECT_EQ(prompt, "--stop");
  EXPECT_EQ(parse({"--prompt", "", "f"}), "");
  EXPECT_EQ(prompt, "");
  EXPECT_EQ(parse({"--prompt", "[a,b]", "f"}), "");
  EXPECT_EQ(prompt, "[a,b]");
}

TEST_F(FlagsTest, repeatableOnesTakeOneValueEachTime) {
  EXPECT_EQ(parse({"--stop", "[a,b]", "--stop", "", "f"}), "");
  EXPECT_THAT(stops, ElementsAre("[a,b]", ""));
  EXPECT_EQ(file, "f");
}

TEST_F(FlagsTest, numbersAreWholeAndInTheirRange) {
  EXPECT_EQ(parse({"-n", "10", "f"}), "");
  EXPECT_EQ(number, 10);
  for (const char *wrong : {"0", "11", "010x", "1.5", "", "99999999999999999999"})
    EXPECT_EQ(parse({"-n", wrong, "f"}),
              "--number " + std::string(wrong) + ": must be a whole number, from 1 to 10");
}

TEST_F(FlagsTest, realNumbersAreFinite) {
  EXPECT_EQ(parse({"--real", "-1.5e3", "f"}), "");
  EXPECT_EQ(real, -1500);
  EXPECT_EQ(parse({"--real", "nan", "f"}), "--real nan: must be a number");
  EXPECT_EQ(parse({"--real", "1,5", "f"}), "--real 1,5: must be a number");
}

TEST_F(FlagsTest, choicesNameAllAndTheNearest) {
  EXPECT_EQ(parse({"--ir", "optimised", "f"}), "");
  EXPECT_EQ(choice, "optimised");
  EXPECT_EQ(parse({"--ir", "optimized", "f"}),
            "--ir optimized: must be one of portable, optimised; did you mean optimised?");
}

} // namespace
} // namespace lathe::cli
