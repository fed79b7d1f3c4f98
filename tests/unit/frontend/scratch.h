// A folder that goes away with the test, and safetensors files written by hand.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

#include "absl/types/span.h"

namespace lathe::frontend {

class ScratchFolder {
public:
  ScratchFolder() {
    std::string path = (std::filesystem::temp_directory_path() / "lathe_XXXXXX").string();
    path_ = mkdtemp(path.data());
  }
  ~ScratchFolder() { std::filesystem::remove_all(path_); }
  ScratchFolder(const ScratchFolder &) = delete;

  const std::string &path() const { return path_; }
  std::string operator/(const std::string &name) const { return path_ + "/" + name; }
  std::string write(const std::string &name, const std::string &text) const {
    std::ofstream(path_ + "/" + name, std::ios::binary) << text;
    return path_ + "/" + name;
  }

private:
  std::string path_;
};

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
