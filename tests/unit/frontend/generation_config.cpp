#include "frontend/generation_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/frontend/scratch.h"

namespace lathe::frontend {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

absl::StatusOr<GenerationConfig> read(const std::string &config,
                                      const std::string &generation = "") {
  ScratchFolder folder;
  folder.write("config.json", config);
  folder.write("model.safetensors", safetensorsText("{}", 0));
  if (!generation.empty())
    folder.write("generation_config.json", generation);
  auto checkpoint = Checkpoint::open(folder.path());
  EXPECT_TRUE(checkpoint.ok()) << checkpoint.status();
  return readGenerationConfig(*checkpoint, *checkpoint->config(), 100);
}

TEST(GenerationConfig, takesOneEndOrSeveral) {
  EXPECT_THAT(read(R"({"eos_token_id":5,"bos_token_id":1})")->eos_ids, ElementsAre(5));
  EXPECT_THAT(read(R"({"eos_token_id":[5,7]})")->eos_ids, ElementsAre(5, 7));
  EXPECT_THAT(read(R"({"eos_token_id":null})")->eos_ids, ElementsAre());
  EXPECT_EQ(read(R"({"bos_token_id":1})")->bos_id, 1);
}

TEST(GenerationConfig, letsItsOwnFileWin) {
  auto config = read(
      R"({"eos_token_id":5,"bos_token_id":1})",
      R"({"eos_token_id":[6,7],"do_sample":true,"temperature":0.6,"top_p":0.95,"top_k":20,"repetition_penalty":1.05})");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(config->eos_ids, ElementsAre(6, 7));
  EXPECT_EQ(config->bos_id, 1);
  EXPECT_TRUE(config->do_sample);
  EXPECT_EQ(config->temperature, 0.6);
  EXPECT_EQ(config->top_p, 0.95);
  EXPECT_EQ(config->top_k, 20);
}

TEST(GenerationConfig, ignoresPaddingThatIsNoToken) {
  EXPECT_EQ(read(R"({"pad_token_id":-1})")->pad_id, std::nullopt);
  EXPECT_EQ(read(R"({"pad_token_id":3})")->pad_id, 3);
}

TEST(GenerationConfig, refusesAbsurdValues) {
  auto error = [](const char *config, const char *generation) {
    return std::string(read(config, generation).status().message());
  };
  EXPECT_THAT(error(R"({"eos_token_id":100})", ""),
              HasSubstr("key 'eos_token_id' is 100; it should be an integer from 0 to 99"));
  EXPECT_THAT(error(R"({"eos_token_id":[1,-1]})", ""),
              HasSubstr("a list of integers from 0 to 99"));
  EXPECT_THAT(error(R"({"eos_token_id":"</s>"})", ""), HasSubstr("it should be an integer"));
  EXPECT_THAT(error("{}", R"({"temperature":-1})"),
              HasSubstr("generation_config.json: key 'temperature' is -1"));
  EXPECT_THAT(error("{}", R"({"top_p":2})"), HasSubstr("it should be a number from 0 to 1"));
  EXPECT_THAT(error("{}", R"({"do_sample":1})"), HasSubstr("true or false"));
  EXPECT_THAT(error("{}", "[1]"), HasSubstr("it should be a JSON object"));
}

} // namespace
} // namespace lathe::frontend
