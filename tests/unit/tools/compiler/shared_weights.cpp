// A second target that shares a layout costs its code: packed weights are there once.
#include "artifact/reader.h"
#include "tests/unit/scratch_folder.h"
#include "tests/unit/tools/compiler/compiling.h"

namespace lathe::compiler {
namespace {

struct Compiled {
  Compiled(const models::TinyCheckpoint &tiny, const std::vector<std::string> &targets,
           const std::string &weights) {
    CompileOptions options = optionsFor(tiny, folder / "m.lathe");
    options.targets = targets;
    options.weights = weights;
    const auto report = compile(options);
    EXPECT_TRUE(report.ok()) << report.status();
    packed_bytes = report.ok() ? report->packed_bytes : 0;
    artifact.emplace(*artifact::Artifact::open(options.output));
  }

  ScratchFolder folder;
  uint64_t packed_bytes = 0;
  std::optional<artifact::Artifact> artifact;
};

std::vector<std::string> placesOf(const artifact::Target &target) {
  std::vector<std::string> places;
  for (const artifact::PackedWeight &weight : target.weights)
    places.push_back(absl::StrCat(weight.name, " ", weight.layout, " ", weight.offset));
  return places;
}

void expectOneCopy(const nlohmann::ordered_json &config, const std::string &weights) {
  models::TinyCheckpoint tiny(config);
  ASSERT_TRUE(tiny.open().ok());
  const Compiled one(tiny, {"x86-64-v3"}, weights), all(tiny, {"x86"}, weights);
  EXPECT_EQ(one.packed_bytes, all.packed_bytes);
  EXPECT_EQ(one.artifact->findSection("weights.0")->digest,
            all.artifact->findSection("weights.0")->digest);
  EXPECT_EQ(all.artifact->findSection("weights.1"), nullptr);
  ASSERT_EQ(all.artifact->manifest().targets.size(), 3u);
  for (const artifact::Target &target : all.artifact->manifest().targets) {
    EXPECT_EQ(target.weights_section, "weights.0");
    EXPECT_EQ(placesOf(target), placesOf(one.artifact->manifest().targets[0]));
  }
}

TEST(SharedWeights, areThereOnceForAllLevels) { expectOneCopy(models::tinyDeepseekV3(), ""); }

TEST(SharedWeights, areThereOnceWhereTheyAreConverted) {
  expectOneCopy(models::tinyLlama(), "q8_0");
}

} // namespace
} // namespace lathe::compiler
