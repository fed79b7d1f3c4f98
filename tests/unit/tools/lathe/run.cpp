#include <cmath>
#include <filesystem>
#include <sys/resource.h>

#include <gmock/gmock.h>

#include "absl/strings/str_join.h"

#include "base/json.h"
#include "frontend/safetensors.h"
#include "tests/unit/scratch_folder.h"
#include "tests/unit/tools/lathe/program.h"
#include "tests/unit/tools/lathe/toy_model.h"

namespace lathe::cli {
namespace {

using Ids = std::vector<int32_t>;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class RunVerb : public testing::Test {
protected:
  RunVerb() { writeToyModel(toy); }

  static std::string list(const Ids &ids) { return absl::StrJoin(ids, ","); }
  static nlohmann::ordered_json json(const Ended &ended) { return *parseJson(ended.out, "out"); }

  ScratchFolder folder;
  std::string toy = folder / "toy.lathe";
};

TEST_F(RunVerb, printsNewIdsOnOneLine) {
  Ended ended = lathe({"run", toy, "--tokens", "1,5,9", "--print-tokens", "--max-new", "4"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(ended.out, list(toyGreedy({1, 5, 9}, 4)) + "\n");
  EXPECT_EQ(ended.err, "");
}

TEST_F(RunVerb, doesNotDependOnHowThePromptIsCut) {
  std::string prompt = "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20";
  std::string whole = lathe({"run", toy, "--tokens", prompt, "--print-tokens"}).out;
  for (const char *chunk : {"1", "3", "8"})
    EXPECT_EQ(
        lathe({"run", toy, "--tokens", prompt, "--print-tokens", "--prefill-chunk", chunk}).out,
        whole);
}

TEST_F(RunVerb, goesOnFromAPromptAndSaysOnlyWhatIsNew) {
  Ended text = lathe({"run", toy, "--prompt", "Once upon", "--max-new", "5"});
  EXPECT_EQ(text.status, 0) << text.err;
  auto object = json(lathe({"run", toy, "--prompt", "Once upon", "--max-new", "5", "--json"}));
  EXPECT_EQ(object["prompt_ids"].get<Ids>(), (Ids{1, 403, 407}));
  EXPECT_EQ(object["new_ids"].get<Ids>(), toyGreedy({1, 403, 407}, 5));
  EXPECT_EQ(object["text"].get<std::string>() + "\n", text.out);
  EXPECT_EQ(object["stop_reason"], "max_new");
  EXPECT_EQ(object["stats"]["prompt_tokens"], 3);
}

TEST_F(RunVerb, readsThePromptOutOfAFile) {
  std::string file = folder.write("prompt", "Once upon");
  Ended ended = lathe({"run", toy, "--prompt-file", file, "--max-new", "3", "--print-tokens"});
  EXPECT_EQ(ended.out, list(toyGreedy({1, 403, 407}, 3)) + "\n");
}

TEST_F(RunVerb, endsWithTheEndTokenWhichItDoesNotGiveOut) {
  ToyOptions options;
  options.eos = {toyGreedy({1, 5, 9}, 3)[2]};
  writeToyModel(toy, options);
  auto object = json(lathe({"run", toy, "--tokens", "1,5,9", "--json"}));
  EXPECT_EQ(object["new_ids"].get<Ids>(), toyGreedy({1, 5, 9}, 2));
  EXPECT_EQ(object["stop_reason"], "eos");
}

TEST_F(RunVerb, endsWhereAStopTextComesUp) {
  auto whole = json(lathe({"run", toy, "--prompt", "Once", "--max-new", "20", "--json"}));
  std::string text = whole["text"];
  std::string stop = text.substr(text.size() / 2, 2);
  Ended ended = lathe({"run", toy, "--prompt", "Once", "--max-new", "20", "--stop", stop});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(ended.out, text.substr(0, text.find(stop)) + "\n");
  auto object =
      json(lathe({"run", toy, "--prompt", "Once", "--max-new", "20", "--stop", stop, "--json"}));
  EXPECT_EQ(object["stop_reason"], "stop_text");
}

TEST_F(RunVerb, theSameSeedGivesTheSameTextAndAnotherAnother) {
  auto sample = [&](const char *seed) {
    return lathe({"run", toy, "--tokens", "1", "--print-tokens", "--max-new", "12", "--seed", seed})
        .out;
  };
  EXPECT_EQ(sample("5"), sample("5"));
  EXPECT_NE(sample("5"), sample("6"));
}

TEST_F(RunVerb, samplesWhereTheModelSaysSoUnlessToldOtherwise) {
  ToyOptions options;
  options.temperature = 1;
  writeToyModel(toy, options);
  std::string greedy = list(toyGreedy({1}, 12)) + "\n";
  std::vector<std::string> words = {"run",       toy, "--tokens", "1", "--print-tokens",
                                    "--max-new", "12"};
  EXPECT_NE(lathe(words).out, greedy);
  words.push_back("--greedy");
  EXPECT_EQ(lathe(words).out, greedy);
}

TEST_F(RunVerb, saysThatTheContextIsFull) {
  Ended ended = lathe({"run", toy, "--tokens", "1,5,9", "--print-tokens", "--max-new", "1000"});
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.out, list(toyGreedy({1, 5, 9}, 62)) + "\n"); // the last one need not be fed
  EXPECT_EQ(ended.err, "note: the context of 64 tokens is full\n");
}

TEST_F(RunVerb, refusesAPromptThatIsLongerThanTheContext) {
  Ended ended = lathe({"run", toy, "--tokens", list(Ids(65, 1))});
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.err, StartsWith("error: the prompt has 65 tokens, but the context holds 64"));
  EXPECT_EQ(lathe({"run", toy, "--tokens", list(Ids(64, 1)), "--max-new", "1"}).status, 0);
}

TEST_F(RunVerb, refusesAnIdBeyondTheVocabulary) {
  Ended ended = lathe({"run", toy, "--tokens", "1,512"});
  EXPECT_EQ(ended.status, 1);
  EXPECT_EQ(ended.err, "error: --tokens: id 512 at index 1 is not in the vocabulary of 512 tokens; "
                       "ids go from 0 to 511\n");
}

TEST_F(RunVerb, refusesAChunkThatNoStepTakes) {
  Ended ended = lathe({"run", toy, "--tokens", "1", "--prefill-chunk", "9"});
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.err, HasSubstr("--prefill-chunk 9: the artifact's steps take from 1 to 8"));
}

TEST_F(RunVerb, withoutATokenizerIdsStillRun) {
  ToyOptions options;
  options.tokenizer = false;
  writeToyModel(toy, options);
  EXPECT_EQ(lathe({"run", toy, "--tokens", "1", "--print-tokens"}).status, 0);
  Ended object = lathe({"run", toy, "--tokens", "1", "--json"});
  EXPECT_EQ(object.status, 0) << object.err;
  EXPECT_FALSE(json(object).contains("text"));
  Ended text = lathe({"run", toy, "--prompt", "Once"});
  EXPECT_EQ(text.status, 1);
  EXPECT_THAT(text.err, HasSubstr("has no tokenizer.json, so it takes and gives token ids only"));
}

TEST_F(RunVerb, printsStatsBesideTheText) {
  Ended ended = lathe({"run", toy, "--tokens", "1,2", "--print-tokens", "--stats"});
  EXPECT_THAT(ended.err, HasSubstr("prefill"));
  EXPECT_THAT(ended.err, HasSubstr("tok/s"));
}

TEST_F(RunVerb, refusesAFileForAnotherMachine) {
  ToyOptions options;
  options.compatibility = "arch=x86_64;features=none-has-this";
  writeToyModel(toy, options);
  Ended ended = lathe({"run", toy, "--tokens", "1"});
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.err, HasSubstr("none-has-this"));
}

// The rows that a dump should hold for these tokens.
void expectRows(const std::string &path, const Ids &fed) {
  auto file = frontend::SafetensorsFile::open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  const frontend::Tensor *ids = file->find("input_ids"), *logits = file->find("logits");
  ASSERT_TRUE(ids && logits);
  int64_t rows = static_cast<int64_t>(fed.size());
  ASSERT_EQ(logits->shape, (std::vector<int64_t>{rows, 512}));
  const auto *id = reinterpret_cast<const int64_t *>(ids->bytes.data());
  EXPECT_EQ(Ids(id, id + rows), fed);
  const auto *row = reinterpret_cast<const float *>(logits->bytes.data());
  for (int64_t i = 0; i < rows; ++i, row += 512)
    EXPECT_EQ(std::max_element(row, row + 512) - row, toyNext({fed.begin(), fed.begin() + i + 1}));
}

TEST_F(RunVerb, dumpsARowForEachTokenOfThePrompt) {
  std::string dump = folder / "out.safetensors";
  Ids prompt;
  for (int i = 0; i < 20; ++i) // several steps of prefill
    prompt.push_back(i * 3);
  Ended ended = lathe({"run", toy, "--tokens", list(prompt), "--dump-logits", dump});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(ended.out, "");
  expectRows(dump, prompt);
}

TEST_F(RunVerb, dumpsTheNewTokensThatWereFedToo) {
  std::string dump = folder / "out.safetensors";
  Ended ended = lathe(
      {"run", toy, "--tokens", "1,5,9", "--dump-logits", dump, "--max-new", "4", "--print-tokens"});
  EXPECT_EQ(ended.out, list(toyGreedy({1, 5, 9}, 4)) + "\n");
  Ids fed = {1, 5, 9};
  Ids fresh = toyGreedy(fed, 3); // nobody asks what follows the fourth
  fed.insert(fed.end(), fresh.begin(), fresh.end());
  expectRows(dump, fed);
}

TEST_F(RunVerb, saysWhenTheDiskIsFullAndLeavesNoDump) {
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit full = {30'000, before.rlim_max}; // of a file; the code needs less, 20 rows need more
  setrlimit(RLIMIT_FSIZE, &full);
  Ended ended = lathe(
      {"run", toy, "--tokens", list(Ids(20, 1)), "--dump-logits", folder / "out.safetensors"});
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.err, HasSubstr("cannot write: File too large"));
  EXPECT_EQ(folder.names(), std::vector<std::string>{"toy.lathe"});
}

TEST_F(RunVerb, ctrlCEndsItWithWhatThereIs) {
  ToyOptions options;
  options.context = 4096;
  options.microseconds = 2000;
  writeToyModel(toy, options);
  Program program({"run", toy, "--prompt", "Once", "--max-new", "4000"});
  program.waitForOutput();
  program.interrupt();
  Ended ended = program.end();
  EXPECT_EQ(ended.status, 130);
  EXPECT_THAT(ended.out, EndsWith("\n"));
  EXPECT_EQ(ended.err, "error: interrupted\n");
}

TEST_F(RunVerb, ctrlCLeavesNoDump) {
  ToyOptions options;
  options.context = 4096;
  options.microseconds = 2000;
  writeToyModel(toy, options);
  Program program({"run", toy, "--prompt", "Once", "--max-new", "4000", "--dump-logits",
                   folder / "out.safetensors"});
  program.waitForOutput();
  program.interrupt();
  EXPECT_EQ(program.end().status, 130);
  EXPECT_EQ(folder.names(), std::vector<std::string>{"toy.lathe"});
}

} // namespace
} // namespace lathe::cli
