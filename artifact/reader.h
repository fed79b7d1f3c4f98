// Opens an artifact. The file is hostile until checked: open() checks all but the sections'
// digests.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "artifact/manifest.h"
#include "base/file.h"

namespace lathe::artifact {

// The manifest of an artifact's bytes, checked: magic, versions, sizes, digests of header and
// manifest, and every field (validate.h). `bytes` must be 8-byte aligned, as a mapping is.
absl::StatusOr<Manifest> readManifest(absl::Span<const uint8_t> bytes, absl::string_view source);

// A mapped artifact. Movable; spans that it gives out live as long as it (or what it moved to)
// does. Thread-safe to read. The file must not shrink while it is open.
class Artifact {
public:
  static absl::StatusOr<Artifact> open(const std::string &path);

  const Manifest &manifest() const { return manifest_; }
  const std::string &path() const { return file_.path(); }
  uint64_t fileSize() const { return file_.bytes().size(); }

  // nullptr where there is no such section.
  const Section *findSection(absl::string_view name) const;
  // The section's bytes in the mapping, 4096-byte aligned; NOT_FOUND where there is none.
  absl::StatusOr<absl::Span<const uint8_t>> section(absl::string_view name) const;
  // Reads the whole section and compares its digest; DATA_LOSS where it differs.
  absl::Status verifySection(absl::string_view name) const;

private:
  Artifact(MappedFile file, Manifest manifest)
      : file_(std::move(file)), manifest_(std::move(manifest)) {}

  MappedFile file_;
  Manifest manifest_;
};

} // namespace lathe::artifact
