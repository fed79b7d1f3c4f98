// Where things stand in an artifact: a header of 64 bytes, sections that begin at multiples of
// 4096 bytes, the manifest behind the last of them. Everything is little-endian.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"

namespace lathe::artifact {

inline constexpr uint64_t kAlignment = 4096; // of sections and manifest, so that all can be mapped
inline constexpr std::array<char, 8> kMagic = {'L', 'A', 'T', 'H', 'E', '\0', '\1', '\n'};

using Digest = std::array<uint8_t, 16>; // XXH3-128, low word first

// The file's first 64 bytes. `header_digest` is XXH3-64 of the 56 bytes before it.
struct FileHeader {
  std::array<char, 8> magic = kMagic;
  uint32_t format_major = 0, format_minor = 0;
  uint64_t manifest_offset = 0, manifest_size = 0;
  Digest manifest_digest{};
  uint64_t file_size = 0;
  uint64_t header_digest = 0;
};
static_assert(sizeof(FileHeader) == 64);
static_assert(offsetof(FileHeader, header_digest) == 56);

Digest digestOf(absl::Span<const uint8_t> bytes);
uint64_t digestOfHeader(const FileHeader &header);

} // namespace lathe::artifact
