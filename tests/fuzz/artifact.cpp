// Any bytes as an artifact; as an artifact whose digests and sizes are put right, so that what
// comes behind them is reached; as its manifest alone; and as the code in it.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "artifact/layout.h"
#include "artifact/reader.h"
#include "artifact/serialize.h"
#include "artifact/validate.h"
#include "runtime/cpu/elf_check.h"

using namespace lathe::artifact;

static void require(bool holds) {
  if (!holds)
    std::abort();
}

// Aligned as a mapping is.
static std::vector<uint64_t> aligned(const uint8_t *data, size_t size) {
  std::vector<uint64_t> words(size / 8 + 1);
  if (size > 0)
    std::memcpy(words.data(), data, size);
  return words;
}

static absl::Span<uint8_t> bytesOf(std::vector<uint64_t> &words, size_t size) {
  return {reinterpret_cast<uint8_t *>(words.data()), size};
}

static void checkSections(const Manifest &manifest, uint64_t end) {
  for (const Section &section : manifest.sections)
    require(section.offset <= end && section.size <= end - section.offset);
}

static void readFile(absl::Span<const uint8_t> file) {
  auto manifest = readManifest(file, "fuzz.lathe");
  if (manifest.ok())
    checkSections(*manifest, file.size());
}

static void putRight(absl::Span<uint8_t> file) {
  FileHeader header;
  if (file.size() < sizeof header)
    return;
  std::memcpy(&header, file.data(), sizeof header);
  header.magic = kMagic;
  header.format_major = kFormatMajor;
  header.file_size = file.size();
  header.manifest_offset = file.size() / 2 / kAlignment * kAlignment;
  header.manifest_size = file.size() - header.manifest_offset;
  header.manifest_digest = digestOf(file.subspan(header.manifest_offset));
  header.header_digest = digestOfHeader(header);
  std::memcpy(file.data(), &header, sizeof header);
}

// What is taken must come back the same from what we write of it.
static void readManifestAlone(absl::Span<const uint8_t> bytes) {
  const uint64_t sections_end = 1 << 20;
  auto manifest = parseManifest(bytes, "fuzz.lathe");
  if (!manifest.ok() || !validateManifest(*manifest, sections_end).ok())
    return;
  checkSections(*manifest, sections_end);
  std::string written = serializeManifest(*manifest);
  auto words = aligned(reinterpret_cast<const uint8_t *>(written.data()), written.size());
  auto again = parseManifest(bytesOf(words, written.size()), "again");
  require(again.ok() && serializeManifest(*again) == written);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  auto words = aligned(data, size);
  absl::Span<uint8_t> bytes = bytesOf(words, size);
  readFile(bytes);
  readManifestAlone(bytes);
  (void)lathe::runtime::checkElf(bytes);
  putRight(bytes);
  readFile(bytes);
  return 0;
}
