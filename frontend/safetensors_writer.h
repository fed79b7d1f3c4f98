// Writes safetensors files, in one pass, for logits dumps and tests.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "base/file.h"
#include "frontend/dtype.h"

namespace lathe::frontend {

struct TensorSpec {
  std::string name;
  DType dtype = DType::f32;
  std::vector<int64_t> shape;
};

// Streams tensors of known types and shapes. The file appears under its name in commit() only.
class SafetensorsWriter {
public:
  // Refuses double names, negative extents, sizes that overflow.
  static absl::StatusOr<SafetensorsWriter>
  create(const std::string &path, const std::vector<TensorSpec> &tensors,
         const std::map<std::string, std::string> &metadata = {});

  // The tensors' bytes one after the other, in the order given to create(), in pieces of any size.
  absl::Status append(absl::Span<const uint8_t> bytes);
  // FAILED_PRECONDITION when bytes are missing.
  absl::Status commit();

private:
  SafetensorsWriter(FileWriter file, uint64_t expected)
      : file_(std::move(file)), missing_(expected) {}
  FileWriter file_;
  uint64_t missing_;
};

struct TensorData {
  TensorSpec spec;
  absl::Span<const uint8_t> bytes;
};

absl::Status writeSafetensors(const std::string &path, const std::vector<TensorData> &tensors,
                              const std::map<std::string, std::string> &metadata = {});

} // namespace lathe::frontend
