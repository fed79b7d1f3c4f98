// What becomes of a file on its way: cut short, bits turned over, written by another version, or
// forged with digests that fit.
#include <cstring>
#include <functional>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "artifact/layout.h"
#include "artifact/manifest_generated.h"
#include "artifact/reader.h"
#include "artifact/serialize.h"
#include "tests/unit/artifact/sample.h"

namespace lathe::artifact {
namespace {

using testing::HasSubstr;

// The bytes of a file, aligned as a mapping is.
class Bytes {
public:
  explicit Bytes(const std::string &text) : words_(text.size() / 8 + 1), size_(text.size()) {
    std::memcpy(words_.data(), text.data(), text.size());
  }
  uint8_t *data() { return reinterpret_cast<uint8_t *>(words_.data()); }
  size_t size() const { return size_; }
  absl::Span<uint8_t> all() { return {data(), size_}; }
  absl::Status read(size_t size) { return readManifest(all().first(size), "a.lathe").status(); }
  absl::Status read() { return read(size_); }

  FileHeader header() {
    FileHeader header;
    std::memcpy(&header, data(), sizeof header);
    return header;
  }
  // Changes the header and makes its digest fit.
  void forge(const std::function<void(FileHeader &)> &edit) {
    FileHeader forged = header();
    edit(forged);
    forged.header_digest = digestOfHeader(forged);
    std::memcpy(data(), &forged, sizeof forged);
  }

private:
  std::vector<uint64_t> words_;
  size_t size_;
};

Bytes sampleBytes() {
  ScratchFolder folder;
  EXPECT_EQ(writeSample(folder / "a.lathe"), absl::OkStatus());
  return Bytes(folder.read("a.lathe"));
}

TEST(DamagedArtifact, isRefusedCutShortAnywhere) {
  Bytes bytes = sampleBytes();
  ASSERT_EQ(bytes.read(), absl::OkStatus());
  for (size_t size = 0; size < bytes.size(); ++size)
    ASSERT_FALSE(bytes.read(size).ok()) << size;
  EXPECT_THAT(bytes.read(0).message(), HasSubstr("not a lathe artifact"));
  EXPECT_THAT(bytes.read(63).message(), HasSubstr("holds 63 bytes; the header alone has 64"));
  EXPECT_THAT(bytes.read(64).message(), HasSubstr("holds 64 bytes but was written with"));
  EXPECT_EQ(bytes.read(bytes.size() - 1).code(), absl::StatusCode::kDataLoss);
}

TEST(DamagedArtifact, isRefusedWithABitTurnedInHeaderOrManifest) {
  Bytes bytes = sampleBytes();
  size_t manifest = bytes.header().manifest_offset;
  for (size_t at = 0; at < bytes.size(); at = at == 63 ? manifest : at + 1)
    for (int bit = 0; bit < 8; ++bit) {
      bytes.data()[at] ^= 1 << bit;
      ASSERT_FALSE(bytes.read().ok()) << "byte " << at << ", bit " << bit;
      bytes.data()[at] ^= 1 << bit;
    }
  EXPECT_EQ(bytes.read(), absl::OkStatus());
}

TEST(DamagedArtifact, saysWhichSectionHasABitTurned) {
  ScratchFolder folder;
  ASSERT_EQ(writeSample(folder / "a.lathe"), absl::OkStatus());
  std::string whole = folder.read("a.lathe");
  for (size_t at : {4096, 4105, 8192, 8192 + 4096}) {
    std::string damaged = whole;
    damaged[at] ^= 0x10;
    auto artifact = Artifact::open(folder.write("b.lathe", damaged));
    ASSERT_TRUE(artifact.ok()) << artifact.status();
    std::string guilty = at < 8192 ? "code.v3" : "weights.0";
    for (const char *name : {"code.v3", "weights.0", "empty"})
      EXPECT_EQ(artifact->verifySection(name).ok(), name != guilty) << at << " " << name;
    EXPECT_THAT(artifact->verifySection(guilty).message(),
                HasSubstr("section '" + guilty + "' of "));
    EXPECT_EQ(artifact->verifySection(guilty).code(), absl::StatusCode::kDataLoss);
  }
}

TEST(DamagedArtifact, isRefusedWithBytesAdded) {
  ScratchFolder folder;
  ASSERT_EQ(writeSample(folder / "a.lathe"), absl::OkStatus());
  auto longer = Artifact::open(folder.write("b.lathe", folder.read("a.lathe") + "x"));
  EXPECT_THAT(longer.status().message(), HasSubstr("it is cut short or was added to"));
}

TEST(ArtifactOfAnotherVersion, isRefusedWithBothVersionsAndTheWayOut) {
  Bytes bytes = sampleBytes();
  bytes.forge([](FileHeader &header) { header.format_major = 2, header.format_minor = 7; });
  EXPECT_EQ(bytes.read().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(
      bytes.read().message(),
      "a.lathe: has format 2.7, this program reads 1.x (up to 1.1 in full); use a newer lathe");
  bytes.forge([](FileHeader &header) { header.format_major = 0; });
  EXPECT_THAT(bytes.read().message(), HasSubstr("compile the model again"));
}

TEST(ArtifactOfAnotherVersion, isReadWhenOnlyTheMinorIsNewer) {
  Bytes bytes = sampleBytes();
  bytes.forge([](FileHeader &header) { header.format_minor = 9; });
  EXPECT_EQ(bytes.read(), absl::OkStatus());
}

TEST(ForgedArtifact, isRefusedWithAManifestElsewhere) {
  const uint64_t end = sampleBytes().header().manifest_offset;
  struct {
    uint64_t offset, size;
  } places[] = {{0, end},     {end + 8, 100}, {end + 4096, 0}, {~0ull - 4095, 4096},
                {end, ~0ull}, {4096, 100}};
  for (auto place : places) {
    Bytes bytes = sampleBytes();
    bytes.forge([&](FileHeader &header) {
      header.manifest_offset = place.offset, header.manifest_size = place.size;
    });
    EXPECT_THAT(bytes.read().message(), HasSubstr("they must end a file of")) << place.offset;
  }
}

TEST(ForgedArtifact, isRefusedWithAnotherSizeOrDigest) {
  Bytes bytes = sampleBytes();
  bytes.forge([](FileHeader &header) { header.manifest_digest[3] ^= 1; });
  EXPECT_THAT(bytes.read().message(), HasSubstr("the manifest's digest does not match"));
  bytes.forge([](FileHeader &header) { header.file_size = 1; });
  EXPECT_THAT(bytes.read().message(), HasSubstr("was written with 1"));
}

// The manifest replaced by any bytes, everything else in order.
absl::Status readWithManifest(const std::string &manifest) {
  std::string file(2 * kAlignment, '\0');
  Bytes bytes(file + manifest);
  FileHeader header;
  header.format_major = kFormatMajor;
  header.manifest_offset = 2 * kAlignment, header.manifest_size = manifest.size();
  header.manifest_digest = digestOf(bytes.all().subspan(2 * kAlignment));
  header.file_size = bytes.size();
  std::memcpy(bytes.data(), &header, sizeof header);
  bytes.forge([](FileHeader &) {});
  return bytes.read();
}

TEST(ForgedArtifact, isRefusedWithBytesThatAreNoManifest) {
  EXPECT_THAT(readWithManifest("").message(),
              HasSubstr("the manifest's 0 bytes are not a well-formed manifest"));
  EXPECT_THAT(readWithManifest(std::string(1000, '\xff')).message(),
              HasSubstr("not a well-formed manifest"));
}

TEST(ForgedArtifact, neverCrashesWhateverTheManifestSays) {
  Manifest manifest = sampleManifest();
  manifest.sections[1].offset = 4096 + 64, manifest.sections.resize(1);
  manifest.targets[0].weights_section = "code.v3";
  const std::string good = serializeManifest(manifest);
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string bad = good;
    for (int edits = 1 + random() % 4; edits > 0; --edits)
      bad[random() % bad.size()] = static_cast<char>(random() % 2 ? random() : random() % 4);
    (void)readWithManifest(bad);
  }
}

// Many entries whose names are one and the same text: a few bytes that would unpack into many.
TEST(ForgedArtifact, isRefusedWhenItUnpacksToMoreThanItHolds) {
  flatbuffers::FlatBufferBuilder builder;
  auto text = builder.CreateString(std::string(500, 'n'));
  std::vector<flatbuffers::Offset<file::StateEntry>> entries;
  for (int i = 0; i < 1000; ++i)
    entries.push_back(file::CreateStateEntry(builder, text, text));
  auto state = builder.CreateVector(entries);
  file::FinishManifestBuffer(builder,
                             file::CreateManifest(builder, text, text, text, text, 1, 1, 1, 1, 1, 0,
                                                  0, -1, 0, 0, 0, 0, 0, state, 0, text));
  std::string bytes(reinterpret_cast<const char *>(builder.GetBufferPointer()), builder.GetSize());
  EXPECT_THAT(readWithManifest(bytes).message(),
              HasSubstr("the manifest unpacks to more than its"));
}

} // namespace
} // namespace lathe::artifact
