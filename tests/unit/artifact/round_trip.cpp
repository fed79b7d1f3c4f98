#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "artifact/layout.h"
#include "artifact/reader.h"
#include "artifact/serialize.h"
#include "base/file.h"
#include "tests/unit/artifact/sample.h"

namespace lathe::artifact {
namespace {

using testing::HasSubstr;

TEST(Artifact, givesBackEveryFieldThatWasWritten) {
  ScratchFolder folder;
  ASSERT_EQ(writeSample(folder / "a.lathe"), absl::OkStatus());
  auto artifact = Artifact::open(folder / "a.lathe");
  ASSERT_TRUE(artifact.ok()) << artifact.status();
  Manifest expected = sampleManifest();
  for (Section &section : expected.sections)
    section.digest = artifact->findSection(section.name)->digest;
  EXPECT_EQ(serializeManifest(artifact->manifest()), serializeManifest(expected));
  EXPECT_EQ(artifact->manifest().targets[0].steps[1].calls[1].waits, std::vector<uint32_t>{0});
  EXPECT_EQ(artifact->fileSize(), std::filesystem::file_size(folder / "a.lathe"));
}

// Written before there were numbers of FLOPs, windows, and models on several devices.
TEST(Manifest, isReadFromTheFirstMinorVersion) {
  auto bytes = readTextFile(LATHE_TEST_DATA "/artifact/manifest_1_0");
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  auto manifest = parseManifest({reinterpret_cast<const uint8_t *>(bytes->data()), bytes->size()},
                                "manifest_1_0");
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  Manifest expected = sampleManifest();
  expected.decode_flops = 0;
  for (StateEntry &entry : expected.state)
    entry.flops_per_key = entry.window = 0;
  expected.targets[0].parts.clear();
  for (Step &step : expected.targets[0].steps) {
    step.buffers.pop_back();
    step.calls.pop_back();
  }
  EXPECT_EQ(serializeManifest(*manifest), serializeManifest(expected));
}

TEST(Artifact, givesSectionsWhereTheyCanBeMapped) {
  ScratchFolder folder;
  ASSERT_EQ(writeSample(folder / "a.lathe"), absl::OkStatus());
  auto artifact = Artifact::open(folder / "a.lathe");
  ASSERT_TRUE(artifact.ok()) << artifact.status();
  for (const auto &[name, size] :
       {std::pair("code.v3", 10u), {"weights.0", 4097u}, {"empty", 0u}}) {
    auto bytes = artifact->section(name);
    ASSERT_TRUE(bytes.ok());
    EXPECT_EQ(reinterpret_cast<uintptr_t>(bytes->data()) % kAlignment, 0u);
    EXPECT_EQ(*bytes, std::vector<uint8_t>(size, 'x'));
    EXPECT_EQ(artifact->verifySection(name), absl::OkStatus());
  }
  EXPECT_EQ(artifact->findSection("other"), nullptr);
  EXPECT_EQ(artifact->section("other").status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(artifact->verifySection("other").message(), HasSubstr("has no section 'other'"));
}

TEST(Artifact, staysValidWhenMoved) {
  ScratchFolder folder;
  ASSERT_EQ(writeSample(folder / "a.lathe"), absl::OkStatus());
  auto artifact = Artifact::open(folder / "a.lathe");
  ASSERT_TRUE(artifact.ok());
  auto before = *artifact->section("weights.0");
  Artifact moved = *std::move(artifact);
  EXPECT_EQ(moved.section("weights.0")->data(), before.data());
  EXPECT_EQ(moved.verifySection("weights.0"), absl::OkStatus());
}

TEST(Artifact, readsManifestsWithNothingOptional) {
  ScratchFolder folder;
  Manifest manifest;
  manifest.vocab_size = manifest.hidden_size = manifest.num_layers = manifest.max_context = 1;
  auto writer = ArtifactWriter::create(folder / "a.lathe");
  ASSERT_TRUE(writer.ok());
  ASSERT_EQ(writer->finish(manifest), absl::OkStatus());
  auto artifact = Artifact::open(folder / "a.lathe");
  ASSERT_TRUE(artifact.ok()) << artifact.status();
  EXPECT_EQ(artifact->manifest().bos_token_id, -1);
  EXPECT_TRUE(artifact->manifest().targets.empty());
}

TEST(ArtifactWriter, makesTheSameDigestOfPiecesAsOfTheWhole) {
  ScratchFolder folder;
  auto writer = ArtifactWriter::create(folder / "a.lathe");
  ASSERT_TRUE(writer.ok());
  std::string bytes(10'000, 'q');
  auto whole = writer->addSection("whole", bytes);
  ASSERT_EQ(writer->beginSection("pieces"), absl::OkStatus());
  for (size_t at = 0; at < bytes.size(); at += 7) {
    EXPECT_EQ(writer->sectionSize(), at);
    ASSERT_EQ(writer->write(bytes.data() + at, std::min<size_t>(7, bytes.size() - at)),
              absl::OkStatus());
  }
  auto pieces = writer->endSection();
  ASSERT_TRUE(whole.ok() && pieces.ok());
  EXPECT_EQ(whole->digest, pieces->digest);
  EXPECT_EQ(pieces->size, bytes.size());
  EXPECT_EQ(pieces->offset % kAlignment, 0u);
}

TEST(ArtifactWriter, refusesCallsOutOfOrder) {
  ScratchFolder folder;
  auto writer = ArtifactWriter::create(folder / "a.lathe");
  ASSERT_TRUE(writer.ok());
  EXPECT_THAT(writer->write("x", 1).message(), HasSubstr("no section is open"));
  EXPECT_THAT(writer->endSection().status().message(), HasSubstr("no section is open"));
  EXPECT_EQ(writer->sectionSize(), 0u);
  ASSERT_EQ(writer->beginSection("a"), absl::OkStatus());
  EXPECT_THAT(writer->beginSection("b").message(),
              HasSubstr("section 'b' is begun while 'a' is open"));
  EXPECT_THAT(writer->finish(sampleManifest()).message(), HasSubstr("section 'a' is still open"));
}

TEST(ArtifactWriter, doesNotWriteWhatAReaderWouldRefuse) {
  ScratchFolder folder;
  Manifest manifest = sampleManifest();
  manifest.vocab_size = 0;
  EXPECT_THAT(writeSample(folder / "a.lathe", manifest).message(),
              HasSubstr("a.lathe: vocab_size is 0"));
  EXPECT_THAT(folder.names(), testing::IsEmpty());
}

TEST(ArtifactWriter, refusesTwoSectionsOfOneName) {
  ScratchFolder folder;
  auto writer = ArtifactWriter::create(folder / "a.lathe");
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE(writer->addSection("a", "1").ok());
  ASSERT_TRUE(writer->addSection("a", "2").ok());
  Manifest manifest = sampleManifest();
  EXPECT_THAT(writer->finish(manifest).message(), HasSubstr("section 'a' stands twice"));
}

} // namespace
} // namespace lathe::artifact
