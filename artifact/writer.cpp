#include "artifact/writer.h"

#include <cstring>
#include <xxhash.h>

#include "artifact/layout.h"
#include "artifact/serialize.h"
#include "artifact/validate.h"
#include "base/status.h"

namespace lathe::artifact {

struct ArtifactWriter::OpenSection {
  Section section;
  XXH3_state_t *hash = XXH3_createState(); // aligned as XXH3 wants it

  OpenSection() { XXH3_128bits_reset(hash); }
  OpenSection(const OpenSection &) = delete;
  ~OpenSection() { XXH3_freeState(hash); }

  Digest digest() const {
    XXH128_hash_t value = XXH3_128bits_digest(hash);
    Digest bytes;
    std::memcpy(bytes.data(), &value.low64, 8);
    std::memcpy(bytes.data() + 8, &value.high64, 8);
    return bytes;
  }
};

ArtifactWriter::ArtifactWriter(FileWriter file, std::string path)
    : file_(std::move(file)), path_(std::move(path)) {}
ArtifactWriter::ArtifactWriter(ArtifactWriter &&) noexcept = default;
ArtifactWriter::~ArtifactWriter() = default;

absl::StatusOr<ArtifactWriter> ArtifactWriter::create(const std::string &path) {
  LATHE_ASSIGN_OR_RETURN(FileWriter file, FileWriter::create(path));
  ArtifactWriter writer(std::move(file), path);
  FileHeader placeholder{};
  LATHE_RETURN_IF_ERROR(writer.file_.write(&placeholder, sizeof placeholder));
  return writer;
}

absl::Status ArtifactWriter::beginSection(absl::string_view name) {
  if (open_)
    return absl::FailedPreconditionError(absl::StrCat(
        path_, ": section '", name, "' is begun while '", open_->section.name, "' is open"));
  LATHE_RETURN_IF_ERROR(file_.padTo(kAlignment));
  open_ = std::make_unique<OpenSection>();
  open_->section.name = std::string(name);
  open_->section.offset = file_.position();
  return absl::OkStatus();
}

absl::Status ArtifactWriter::write(const void *data, size_t size) {
  if (!open_)
    return absl::FailedPreconditionError(absl::StrCat(path_, ": no section is open"));
  absl::Status status = file_.write(data, size);
  if (!status.ok())
    return absl::Status(status.code(),
                        absl::StrCat(status.message(), ", ", sectionSize(), " bytes into section '",
                                     open_->section.name, "'"));
  XXH3_128bits_update(open_->hash, data, size);
  return absl::OkStatus();
}

uint64_t ArtifactWriter::sectionSize() const {
  return open_ ? file_.position() - open_->section.offset : 0;
}

absl::StatusOr<Section> ArtifactWriter::endSection() {
  if (!open_)
    return absl::FailedPreconditionError(absl::StrCat(path_, ": no section is open"));
  open_->section.size = sectionSize();
  open_->section.digest = open_->digest();
  sections_.push_back(std::move(open_->section));
  open_.reset();
  return sections_.back();
}

absl::StatusOr<Section> ArtifactWriter::addSection(absl::string_view name,
                                                   absl::string_view bytes) {
  LATHE_RETURN_IF_ERROR(beginSection(name));
  LATHE_RETURN_IF_ERROR(write(bytes.data(), bytes.size()));
  return endSection();
}

absl::Status ArtifactWriter::writeManifest(const Manifest &manifest) {
  std::string bytes = serializeManifest(manifest);
  FileHeader header;
  header.format_major = kFormatMajor;
  header.format_minor = kFormatMinor;
  header.manifest_offset = file_.position();
  header.manifest_size = bytes.size();
  header.manifest_digest =
      digestOf({reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()});
  header.file_size = file_.position() + bytes.size();
  header.header_digest = digestOfHeader(header);
  LATHE_RETURN_IF_ERROR(file_.write(bytes.data(), bytes.size()));
  return file_.writeAt(0, &header, sizeof header);
}

absl::Status ArtifactWriter::finish(Manifest manifest) {
  if (open_)
    return absl::FailedPreconditionError(
        absl::StrCat(path_, ": section '", open_->section.name, "' is still open"));
  LATHE_RETURN_IF_ERROR(file_.padTo(kAlignment));
  manifest.sections = sections_;
  absl::Status valid = validateManifest(manifest, file_.position());
  if (!valid.ok())
    return prefixed(valid, absl::StrCat(path_, ": "));
  LATHE_RETURN_IF_ERROR(writeManifest(manifest));
  return file_.commit();
}

} // namespace lathe::artifact
