// The verbs that look at a model, over one that needs no compiler.
#include <cmath>

#include <gmock/gmock.h>

#include "base/json.h"
#include "tests/unit/scratch_folder.h"
#include "tests/unit/tools/lathe/program.h"
#include "tests/unit/tools/lathe/toy_model.h"

namespace lathe::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using Json = nlohmann::ordered_json;

class Verbs : public testing::Test {
protected:
  Verbs() { writeToyModel(toy); }
  Json json(const std::vector<std::string> &words) {
    Ended ended = lathe(words);
    EXPECT_EQ(ended.status, 0) << ended.err;
    return *parseJson(ended.out, "out");
  }
  void writeForAnotherMachine() {
    ToyOptions options;
    options.compatibility = "arch=x86_64;features=none-has-this";
    writeToyModel(toy, options);
  }
  void damageTheEndOf(const std::string &section) {
    Json sections = json({"inspect", toy, "--json"})["sections"];
    std::string bytes = folder.read("toy.lathe");
    for (const Json &entry : sections)
      if (entry["name"] == section)
        bytes[entry["offset"].get<size_t>() + entry["bytes"].get<size_t>() - 1] ^= 1;
    folder.write("toy.lathe", bytes);
  }

  ScratchFolder folder;
  std::string toy = folder / "toy.lathe";
};

TEST_F(Verbs, inspectShowsWhatIsInAFile) {
  Ended ended = lathe({"inspect", toy});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("counter (toy)"));
  EXPECT_THAT(ended.out, HasSubstr("4 bytes per token, 256 B for the whole context"));
  EXPECT_THAT(ended.out, HasSubstr("decode of 1 row: 64 B, prefill of 8 rows: 64 B"));
  EXPECT_THAT(ended.out, HasSubstr("tokenizer.json"));
}

TEST_F(Verbs, inspectGivesOneObject) {
  Json object = json({"inspect", toy, "--json"});
  EXPECT_EQ(object["max_context"], 64);
  EXPECT_EQ(object["state"]["bytes_per_token"], 4);
  EXPECT_EQ(object["targets"][0]["steps"][1]["arena_bytes"], 64);
  EXPECT_EQ(object["sections"][0]["digest"].get<std::string>().size(), 32u);
}

TEST_F(Verbs, inspectShowsProgramAndDecisions) {
  EXPECT_EQ(lathe({"inspect", toy, "--program"}).out, "the program of the toy\n");
  EXPECT_EQ(lathe({"inspect", toy, "--explain"}).out, "decode\n  model  toy  usleep\n");
  EXPECT_EQ(json({"inspect", toy, "--explain", "--json"})["explain"][0]["op"], "toy");
  writeForAnotherMachine();
  EXPECT_EQ(lathe({"inspect", toy, "--program"}).out, "the program of the toy\n");
}

TEST_F(Verbs, inspectSaysThatASectionIsMissing) {
  Ended ended = lathe({"inspect", toy, "--ir", "portable"});
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.err, HasSubstr("toy.lathe: has no section 'ir.portable'"));
}

TEST_F(Verbs, checkSaysThatAFileRunsHere) {
  Ended ended = lathe({"check", toy, "--deep"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("target 'toy' would run"));
  EXPECT_EQ(json({"check", toy, "--json"})["target"], "toy");
}

TEST_F(Verbs, checkSaysThatAFileIsForAnotherMachine) {
  writeForAnotherMachine();
  Ended ended = lathe({"check", toy});
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.out, StartsWith("RECOMPILE\n"));
  EXPECT_THAT(ended.out, HasSubstr("none-has-this"));
  EXPECT_THAT(ended.err, HasSubstr("does not run on cpu:0: RECOMPILE"));
}

TEST_F(Verbs, checkFindsDamagedWeightsOnlyWhenItLooksDeep) {
  damageTheEndOf("weights.0");
  EXPECT_EQ(lathe({"check", toy}).status, 0);
  Ended ended = lathe({"check", toy, "--deep"});
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.out, StartsWith("NO\n"));
  EXPECT_THAT(ended.out, HasSubstr("weights.0"));
}

TEST_F(Verbs, aDamagedTokenizerIsRefusedBeforeItIsRead) {
  damageTheEndOf("tokenizer.json");
  for (const std::vector<std::string> &words :
       {std::vector<std::string>{"tokenize", toy, "--text", "a"},
        {"run", toy, "--prompt", "a"},
        {"check", toy}})
    EXPECT_EQ(lathe(words).status, 1);
}

TEST_F(Verbs, aTruncatedFileIsRefusedByAll) {
  std::string bytes = folder.read("toy.lathe");
  folder.write("toy.lathe", bytes.substr(0, bytes.size() / 2));
  for (const char *verb : {"inspect", "check", "bench", "run", "tokenize", "eval"}) {
    std::vector<std::string> words = {verb, toy};
    if (words[0] == "run")
      words.insert(words.end(), {"--tokens", "1"});
    if (words[0] == "tokenize" || words[0] == "eval")
      words.insert(words.end(), {"--text", toy});
    Ended ended = lathe(words);
    EXPECT_EQ(ended.status, 1) << verb;
    EXPECT_THAT(ended.err, StartsWith("error: ")) << verb;
  }
}

TEST_F(Verbs, benchFitsItselfIntoASmallContext) {
  Json object = json({"bench", toy, "--json", "--repetitions", "2"});
  EXPECT_EQ(object["prompt_length"], 32);
  EXPECT_EQ(object["decode"], 16);
  EXPECT_EQ(object["decode_rates"].size(), 2u);
  EXPECT_GT(object["decode_tokens_per_second"], 0);
  EXPECT_GT(object["read_bandwidth_bytes_per_second"], 0);
  EXPECT_EQ(object["weight_bytes_per_token"], 4);
  EXPECT_FALSE(object.contains("decode_tokens_per_second_at_0"));
  EXPECT_FALSE(object.contains("peak_flops_per_second")) << "the toy's FLOPs are not known";
}

TEST_F(Verbs, benchComparesADepthWithTheStart) {
  std::vector<std::string> words = {"bench", toy, "--depth", "20", "--decode", "4"};
  Ended ended = lathe(words);
  EXPECT_THAT(ended.out, HasSubstr("of that at 0 is left at this depth"));
  EXPECT_THAT(ended.out, testing::Not(HasSubstr("FLOP")));
  words.push_back("--json");
  EXPECT_GT(json(words)["decode_tokens_per_second_at_0"], 0);
}

TEST_F(Verbs, benchRefusesMoreThanTheContextHolds) {
  Ended ended = lathe({"bench", toy, "--prompt-length", "60", "--decode", "5"});
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.err, HasSubstr("decode 5 do not fit: the context has 64 tokens"));
}

// The toy gives its best token e^3 of 511 + e^3, and each other one 1.
TEST_F(Verbs, evalIsTheMeanOverAllTokens) {
  std::string text = folder.write("text", "Once upon a time there was a girl");
  std::vector<int32_t> ids =
      json({"tokenize", toy, "--no-special", "--text", "Once upon a time there was a girl"})
          .get<std::vector<int32_t>>();
  double all = std::log(511 + std::exp(3.0)), sum = 0;
  for (size_t begin = 0; begin < ids.size(); begin += 4) {
    std::vector<int32_t> seen = {1};
    for (size_t i = begin; i < std::min(ids.size(), begin + 4); ++i) {
      sum += all - (toyNext(seen) == ids[i] ? 3 : 0);
      seen.push_back(ids[i]);
    }
  }
  Json object = json({"eval", toy, "--text", text, "--window", "5", "--json"});
  EXPECT_EQ(object["tokens"], ids.size());
  EXPECT_NEAR(object["mean_nll"].get<double>(), sum / ids.size(), 1e-6);
  EXPECT_NEAR(object["perplexity"].get<double>(), std::exp(sum / ids.size()), 1e-3);
}

TEST_F(Verbs, tokenizeReadsAFileAsItReadsAFolder) {
  std::vector<std::string> words = {"tokenize", toy, "--text", "Once upon a time"};
  EXPECT_EQ(lathe(words).out, "[1,403,407,261,378]\n");
  std::string chat = folder.write("chat.json", R"({"messages": [{"role": "user", "content": "Hi"}],
                                                   "add_generation_prompt": true})");
  EXPECT_THAT(lathe({"tokenize", toy, "--chat", chat}).out,
              StartsWith("\"<user>Hi\\n<assistant>\"\n["));
}

TEST_F(Verbs, compileNeedsTheCompilerOnlyAfterItsFlagsAreRight) {
  Ended ended = lathe({"compile", folder / "absent", "-o", folder / "new.lathe"});
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.err, HasSubstr("absent: there is no such folder"));
}

} // namespace
} // namespace lathe::cli
