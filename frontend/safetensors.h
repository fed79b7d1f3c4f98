// The safetensors container: u64 header length, JSON header, data. Files are hostile until checked:
// https://github.com/huggingface/safetensors#format
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "base/file.h"
#include "frontend/tensor.h"

namespace lathe::frontend {

// What a header says, checked against the size of the data: every range lies in the file, ranges
// tile the data with no hole and no overlap, sizes agree with dtype and shape, names differ.
struct SafetensorsTable {
  std::vector<Tensor> tensors; // sorted by name
  std::map<std::string, std::string> metadata;
};

// Reads the table of a file whose content is `file`. `path` goes into errors and into Tensor::file,
// and must outlive the table, as must `file`.
absl::StatusOr<SafetensorsTable> readSafetensorsTable(absl::Span<const uint8_t> file,
                                                      absl::string_view path);

// A safetensors file, mapped. Movable; tensors stay valid over a move. Thread-safe to read.
class SafetensorsFile {
public:
  // Fails with NOT_FOUND (no such file) or INVALID_ARGUMENT / UNIMPLEMENTED (the content), naming
  // the file, and the tensor where one is at fault.
  static absl::StatusOr<SafetensorsFile> open(const std::string &path);

  const std::vector<Tensor> &tensors() const { return table_.tensors; } // sorted by name
  std::vector<Tensor> &&takeTensors() { return std::move(table_.tensors); }
  const Tensor *find(absl::string_view name) const; // nullptr: not in this file
  const std::map<std::string, std::string> &metadata() const { return table_.metadata; }
  const std::string &path() const { return file_->path(); }
  uint64_t size() const { return file_->bytes().size(); }

  // A hint that bytes [offset, offset + size) of the file are not needed soon.
  void release(uint64_t offset, uint64_t size) const { file_->release(offset, size); }

private:
  std::unique_ptr<MappedFile> file_; // a pointer, so that Tensor::file survives a move
  SafetensorsTable table_;
};

} // namespace lathe::frontend
