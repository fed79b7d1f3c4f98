#include "artifact/layout.h"

#include <cstring>
#include <xxhash.h>

namespace lathe::artifact {

Digest digestOf(absl::Span<const uint8_t> bytes) {
  XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  Digest digest;
  std::memcpy(digest.data(), &hash.low64, 8);
  std::memcpy(digest.data() + 8, &hash.high64, 8);
  return digest;
}

uint64_t digestOfHeader(const FileHeader &header) {
  return XXH3_64bits(&header, offsetof(FileHeader, header_digest));
}

} // namespace lathe::artifact
