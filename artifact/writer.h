// Writes an artifact: sections in any order and in pieces of any size, then the manifest.
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

// Not thread-safe. Nothing stands under the final name before finish() has succeeded, and what was
// written is removed when the writer dies without it. Errors name the path; RESOURCE_EXHAUSTED says
// that the disk is full.
class ArtifactWriter {
public:
  static absl::StatusOr<ArtifactWriter> create(const std::string &path);
  ArtifactWriter(ArtifactWriter &&) noexcept;
  ~ArtifactWriter();

  // One section is open at a time; its digest is made while its bytes pass.
  absl::Status beginSection(absl::string_view name);
  absl::Status write(const void *data, size_t size);
  // Bytes written to the open section so far: the offset of what comes next in it.
  uint64_t sectionSize() const;
  absl::StatusOr<Section> endSection();

  // A whole section at once.
  absl::StatusOr<Section> addSection(absl::string_view name, absl::string_view bytes);

  // Adds the manifest (its `sections` are replaced by those that were written), then the header,
  // and gives the file its name. The manifest is validated first: what a reader would refuse is not
  // written.
  absl::Status finish(Manifest manifest);

private:
  struct OpenSection;
  explicit ArtifactWriter(FileWriter file, std::string path);
  absl::Status writeManifest(const Manifest &manifest);

  FileWriter file_;
  std::string path_;
  std::vector<Section> sections_;
  std::unique_ptr<OpenSection> open_;
};

} // namespace lathe::artifact
