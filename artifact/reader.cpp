#include "artifact/reader.h"

#include <algorithm>
#include <cstring>

#include "artifact/layout.h"
#include "artifact/serialize.h"
#include "artifact/validate.h"
#include "base/status.h"

namespace lathe::artifact {
namespace {

absl::StatusOr<FileHeader> readHeader(absl::Span<const uint8_t> bytes, absl::string_view source) {
  if (bytes.size() < kMagic.size() || std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0)
    return absl::InvalidArgumentError(
        absl::StrCat(source, ": not a lathe artifact; make one with lathe compile"));
  if (bytes.size() < sizeof(FileHeader))
    return absl::InvalidArgumentError(absl::StrCat(
        source, ": holds ", bytes.size(), " bytes; the header alone has ", sizeof(FileHeader)));
  FileHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  return header;
}

// Before the digest: another major may lay out its header in another way.
absl::Status checkVersion(const FileHeader &header, absl::string_view source) {
  if (header.format_major == kFormatMajor)
    return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      source, ": has format ", header.format_major, ".", header.format_minor,
      ", this program reads ", kFormatMajor, ".x (up to ", kFormatMajor, ".", kFormatMinor,
      " in full); ",
      header.format_major > kFormatMajor ? "use a newer lathe" : "compile the model again"));
}

absl::Status checkSizes(const FileHeader &header, uint64_t size, absl::string_view source) {
  if (header.file_size != size)
    return absl::DataLossError(absl::StrCat(source, ": holds ", size,
                                            " bytes but was written with ", header.file_size,
                                            "; it is cut short or was added to"));
  bool inside = header.manifest_offset % kAlignment == 0 && header.manifest_offset >= kAlignment &&
                header.manifest_offset <= size &&
                header.manifest_size == size - header.manifest_offset;
  if (!inside)
    return absl::InvalidArgumentError(
        absl::StrCat(source, ": the header puts ", header.manifest_size, " bytes of manifest at ",
                     header.manifest_offset, "; they must end a file of ", size, " bytes"));
  return absl::OkStatus();
}

} // namespace

absl::StatusOr<Manifest> readManifest(absl::Span<const uint8_t> bytes, absl::string_view source) {
  LATHE_ASSIGN_OR_RETURN(FileHeader header, readHeader(bytes, source));
  LATHE_RETURN_IF_ERROR(checkVersion(header, source));
  if (header.header_digest != digestOfHeader(header))
    return absl::DataLossError(absl::StrCat(source, ": the header's digest does not match; the "
                                                    "file is damaged, copy it again"));
  LATHE_RETURN_IF_ERROR(checkSizes(header, bytes.size(), source));
  auto manifest_bytes = bytes.subspan(header.manifest_offset, header.manifest_size);
  if (digestOf(manifest_bytes) != header.manifest_digest)
    return absl::DataLossError(absl::StrCat(source, ": the manifest's digest does not match; the "
                                                    "file is damaged, copy it again"));
  LATHE_ASSIGN_OR_RETURN(Manifest manifest, parseManifest(manifest_bytes, source));
  absl::Status valid = validateManifest(manifest, header.manifest_offset);
  if (!valid.ok())
    return prefixed(valid, absl::StrCat(source, ": "));
  return manifest;
}

absl::StatusOr<Artifact> Artifact::open(const std::string &path) {
  LATHE_ASSIGN_OR_RETURN(MappedFile file, MappedFile::open(path));
  file.preferLargePages();
  LATHE_ASSIGN_OR_RETURN(Manifest manifest, readManifest(file.bytes(), path));
  return Artifact(std::move(file), std::move(manifest));
}

const Section *Artifact::findSection(absl::string_view name) const {
  auto found = std::find_if(manifest_.sections.begin(), manifest_.sections.end(),
                            [&](const Section &section) { return section.name == name; });
  return found == manifest_.sections.end() ? nullptr : &*found;
}

absl::StatusOr<absl::Span<const uint8_t>> Artifact::section(absl::string_view name) const {
  const Section *section = findSection(name);
  if (!section)
    return absl::NotFoundError(absl::StrCat(path(), ": has no section '", name, "'"));
  return file_.bytes().subspan(section->offset, section->size);
}

absl::Status Artifact::verifySection(absl::string_view name) const {
  LATHE_ASSIGN_OR_RETURN(absl::Span<const uint8_t> bytes, section(name));
  if (digestOf(bytes) != findSection(name)->digest)
    return absl::DataLossError(absl::StrCat(path(), ": section '", name, "' of ", bytes.size(),
                                            " bytes does not match its digest; the file is "
                                            "damaged, copy it again"));
  return absl::OkStatus();
}

} // namespace lathe::artifact
