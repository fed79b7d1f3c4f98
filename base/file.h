// Files as this project uses them: read by mapping, written whole or not at all.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace lathe {

// A file mapped read-only. Pages come in when they are read; nothing is copied.
// Movable, not copyable; bytes() is valid as long as the object lives. Thread-safe to read.
class MappedFile {
public:
  // Fails with NOT_FOUND or FAILED_PRECONDITION (a folder, no permission), naming the path.
  static absl::StatusOr<MappedFile> open(const std::string &path);

  MappedFile() = default;
  MappedFile(MappedFile &&other) noexcept;
  MappedFile &operator=(MappedFile &&other) noexcept;
  ~MappedFile();

  absl::Span<const uint8_t> bytes() const { return {data_, size_}; }
  absl::string_view text() const { return {reinterpret_cast<const char *>(data_), size_}; }
  const std::string &path() const { return path_; }

  // Asks the kernel for large pages where the file is not in memory yet: fewer misses of the TLB
  // for a file that is read all over. To be called before anything is read. A hint: never fails.
  void preferLargePages() const;

  // Tells the kernel that [offset, offset + size) is not needed soon, so that streaming through a
  // large file keeps the resident set small. A hint: never fails.
  void release(uint64_t offset, uint64_t size) const;

private:
  const uint8_t *data_ = nullptr;
  size_t size_ = 0;
  std::string path_;
};

// The whole of a small text file (configs, tokenizers). Refuses files over `limit` bytes.
absl::StatusOr<std::string> readTextFile(const std::string &path, uint64_t limit = 256u << 20);

bool fileExists(const std::string &path);

// Writes PATH.partial, and moves it to PATH in commit(). Without a commit nothing is left behind.
// Bytes go to the kernel in pieces of a large page, from one such border to the next, so that a
// file system with large folios keeps the file in large pages for those who map it next.
class FileWriter {
public:
  static absl::StatusOr<FileWriter> create(const std::string &path);
  FileWriter(FileWriter &&other) noexcept;
  FileWriter &operator=(FileWriter &&) = delete;
  ~FileWriter();

  absl::Status write(const void *data, size_t size);
  // Overwrites bytes that were written before.
  absl::Status writeAt(uint64_t offset, const void *data, size_t size);
  absl::Status padTo(uint64_t alignment);
  absl::Status commit();
  // What was written so far, for reading; what is written afterwards is not part of it.
  absl::StatusOr<MappedFile> written();

  uint64_t position() const { return position_; }
  const std::string &partialPath() const { return partial_; }

private:
  FileWriter() = default;
  absl::Status flush();
  absl::Status pass(uint64_t offset, const char *bytes, size_t size); // to the kernel

  int descriptor_ = -1;
  uint64_t position_ = 0;     // behind all that was written
  std::vector<char> waiting_; // the last bytes before position_, not yet given to the kernel
  std::string path_, partial_;
};

} // namespace lathe
