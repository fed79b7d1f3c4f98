// What Checkpoint says about the bytes of one tensor: its hash, and whether scales are sane.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "absl/strings/escaping.h"
#include <xxhash.h>

#include "base/float_formats.h"
#include "base/status.h"
#include "frontend/checkpoint.h"
#include "frontend/quote.h"

namespace lathe::frontend {
namespace {

constexpr uint64_t kWindow = 4u << 20; // bytes hashed between two releases of pages
constexpr uint64_t kPage = 4096;

void updateU64(XXH3_state_t *state, uint64_t value) {
  uint8_t bytes[8];
  for (int i = 0; i < 8; ++i)
    bytes[i] = static_cast<uint8_t>(value >> (8 * i));
  XXH3_128bits_update(state, bytes, sizeof bytes);
}

struct StateDeleter {
  void operator()(XXH3_state_t *state) const { XXH3_freeState(state); }
};

template <typename T> T load(const uint8_t *bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

float scaleAt(const Tensor &scale, size_t index) {
  const uint8_t *at = scale.bytes.data() + index * bytesPerElement(scale.dtype);
  switch (scale.dtype) {
  case DType::f32: return load<float>(at);
  case DType::bf16: return f32FromBf16(load<uint16_t>(at));
  case DType::f16: return f32FromF16(load<uint16_t>(at));
  default: return f32FromE8m0(*at);
  }
}

} // namespace

bool isScaleType(DType dtype) {
  return dtype == DType::f32 || dtype == DType::bf16 || dtype == DType::f16 ||
         dtype == DType::f8_e8m0;
}

ContentHash Checkpoint::contentHash(const Tensor &tensor) const {
  std::unique_ptr<XXH3_state_t, StateDeleter> state(XXH3_createState());
  XXH3_128bits_reset(state.get());
  absl::string_view dtype = frontend::name(tensor.dtype);
  updateU64(state.get(), dtype.size());
  XXH3_128bits_update(state.get(), dtype.data(), dtype.size());
  updateU64(state.get(), tensor.shape.size());
  for (int64_t extent : tensor.shape)
    updateU64(state.get(), static_cast<uint64_t>(extent));
  for (uint64_t at = 0; at < tensor.bytes.size(); at += kWindow) {
    uint64_t size = std::min<uint64_t>(kWindow, tensor.bytes.size() - at);
    XXH3_128bits_update(state.get(), tensor.bytes.data() + at, size);
    // A page earlier, because release() leaves the page that two windows share.
    uint64_t from = at < kPage ? 0 : at - kPage;
    release(tensor, from, at + size - from);
  }
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state.get()));
  ContentHash hash;
  std::copy(std::begin(canonical.digest), std::end(canonical.digest), hash.begin());
  return hash;
}

std::string hexText(const ContentHash &hash) {
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char *>(hash.data()), hash.size()));
}

absl::Status Checkpoint::checkScales(const Tensor &scale) const {
  if (!isScaleType(scale.dtype))
    return absl::InvalidArgumentError(absl::StrCat(scale.file, ": tensor ", quotedName(scale.name),
                                                   ": scales are ", frontend::name(scale.dtype),
                                                   "; they should be F32, BF16, F16 or F8_E8M0"));
  size_t count = scale.bytes.size() / bytesPerElement(scale.dtype);
  for (size_t i = 0; i < count; ++i) {
    float value = scaleAt(scale, i);
    if (!std::isfinite(value) || value <= 0)
      return absl::InvalidArgumentError(
          absl::StrCat(scale.file, ": tensor ", quotedName(scale.name), ": scale ", i, " is ",
                       value, "; it should be finite and above zero"));
  }
  return absl::OkStatus();
}

} // namespace lathe::frontend
