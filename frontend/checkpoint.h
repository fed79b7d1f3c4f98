// A Hugging Face checkpoint folder: its weights, mapped and indexed by name, and its small files.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "frontend/config.h"
#include "frontend/safetensors.h"

namespace lathe::frontend {

using ContentHash = std::array<uint8_t, 16>; // XXH3-128, canonical (big-endian) order

// Movable, not copyable. Tensors, and pointers to them, live as long as the object (moves keep
// them). Thread-safe to read.
class Checkpoint {
public:
  // `folder` holds config.json and *.safetensors. Headers are read and checked, weights are not.
  // A .gguf, .onnx or .xml path is UNIMPLEMENTED ("not yet supported"). Other errors name the file.
  static absl::StatusOr<Checkpoint> open(const std::string &folder);

  const std::string &folder() const { return folder_; }
  const std::string &name() const { return name_; } // the folder's last path component

  // A fresh reader of config.json: each has its own memory of what was read.
  absl::StatusOr<ConfigReader> config() const;
  const std::string &configText() const { return config_text_; }

  // Texts of files that need not be there.
  const std::optional<std::string> &tokenizer() const { return tokenizer_; } // tokenizer.json
  const std::optional<std::string> &tokenizerConfig() const {
    return tokenizer_config_;
  } // tokenizer_config.json
  const std::optional<std::string> &chatTemplate() const {
    return chat_template_;
  } // chat_template.jinja
  const std::optional<std::string> &generationConfig() const { return generation_config_; }

  const std::vector<Tensor> &tensors() const { return tensors_; } // sorted by name
  std::vector<absl::string_view> names() const;                   // sorted
  const Tensor *find(absl::string_view name) const;               // nullptr: not there
  // NOT_FOUND with the nearest thing we can say: "FOLDER: tensor 'X' is missing".
  absl::StatusOr<const Tensor *> require(absl::string_view name) const;
  uint64_t totalBytes() const { return total_bytes_; } // of tensors

  // XXH3-128 over dtype, shape and bytes: equal tensors hash alike whatever their name and file.
  // Streams, and releases the pages behind it, so the resident set stays small. Not cached.
  ContentHash contentHash(const Tensor &tensor) const;

  // A hint that bytes [offset, offset + size) of the tensor are not needed soon.
  void release(const Tensor &tensor, uint64_t offset, uint64_t size) const;

  // OK if every element of a scale tensor (F32, BF16, F16 or F8_E8M0) is finite and above zero;
  // otherwise INVALID_ARGUMENT with tensor, index and value.
  absl::Status checkScales(const Tensor &scale) const;

private:
  absl::Status openWeights();
  absl::Status readSmallFiles();
  absl::Status indexTensors();

  std::string folder_, name_, config_text_;
  std::optional<std::string> tokenizer_, tokenizer_config_, chat_template_, generation_config_;
  std::vector<SafetensorsFile> files_;
  std::vector<Tensor> tensors_;
  uint64_t total_bytes_ = 0;
};

// The types that scales may have: F32, BF16, F16, F8_E8M0.
bool isScaleType(DType dtype);

std::string hexText(const ContentHash &hash);

} // namespace lathe::frontend
