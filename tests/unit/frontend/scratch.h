// A folder that goes away with the test, and safetensors files written by hand.
#pragma once

#include <cstdint>
#include <string>

#include "absl/types/span.h"
#include "tests/unit/scratch_folder.h"

namespace lathe::frontend {

// A safetensors file as text: length, header, `data_size` zero bytes.
inline std::string safetensorsText(const std::string &header, size_t data_size) {
  uint64_t length = header.size();
  std::string text(reinterpret_cast<const char *>(&length), sizeof length);
  return text + header + std::string(data_size, '\0');
}

inline absl::Span<const uint8_t> bytesOf(const std::string &text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

} // namespace lathe::frontend
