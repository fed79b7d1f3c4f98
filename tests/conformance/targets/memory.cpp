#include "tests/conformance/targets/memory.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace lathe::conformance {
namespace {

constexpr uint64_t kGuard = 256;   // bytes
constexpr uint8_t kPattern = 0xff; // f32 NaN
constexpr uint8_t kGuardByte = 0xa5;

template <typename Element, typename Number>
std::vector<uint8_t> bytesOfValues(const std::vector<Number> &values) {
  std::vector<uint8_t> bytes(values.size() * sizeof(Element));
  for (size_t i = 0; i < values.size(); ++i) {
    const auto element = static_cast<Element>(values[i]);
    std::memcpy(bytes.data() + i * sizeof(Element), &element, sizeof(Element));
  }
  return bytes;
}

} // namespace

absl::StatusOr<GuardedBuffer> GuardedBuffer::make(runtime::Device &device, uint64_t size,
                                                  bool zeroed) {
  GuardedBuffer made;
  made.size_ = size;
  LATHE_ASSIGN_OR_RETURN(made.buffer_,
                         device.allocate(size + kGuard, zeroed ? LATHE_BUFFER_ZEROED : 0, 64));
  LATHE_ASSIGN_OR_RETURN(void *memory, made.buffer_.map(LATHE_MAP_WRITE | LATHE_MAP_READ));
  if (!zeroed)
    std::memset(memory, kPattern, size);
  std::memset(static_cast<uint8_t *>(memory) + size, kGuardByte, kGuard);
  LATHE_RETURN_IF_ERROR(made.buffer_.unmap());
  return made;
}

absl::Status GuardedBuffer::write(absl::Span<const uint8_t> bytes) {
  LATHE_ASSIGN_OR_RETURN(void *memory, buffer_.map(LATHE_MAP_WRITE));
  std::memcpy(memory, bytes.data(), std::min<uint64_t>(bytes.size(), size_));
  return buffer_.unmap();
}

absl::Status GuardedBuffer::read(absl::Span<uint8_t> bytes) {
  LATHE_ASSIGN_OR_RETURN(void *memory, buffer_.map(LATHE_MAP_READ));
  std::memcpy(bytes.data(), memory, std::min<uint64_t>(bytes.size(), size_));
  return buffer_.unmap();
}

absl::Status GuardedBuffer::spoil() {
  LATHE_ASSIGN_OR_RETURN(void *memory, buffer_.map(LATHE_MAP_WRITE));
  std::memset(memory, kPattern, size_);
  return buffer_.unmap();
}

absl::StatusOr<bool> GuardedBuffer::holds(uint8_t byte, uint64_t begin, uint64_t size) {
  LATHE_ASSIGN_OR_RETURN(void *memory, buffer_.map(LATHE_MAP_READ));
  const uint8_t *first = static_cast<const uint8_t *>(memory) + begin;
  const bool all = std::all_of(first, first + size, [byte](uint8_t b) { return b == byte; });
  LATHE_RETURN_IF_ERROR(buffer_.unmap());
  return all;
}

absl::Status GuardedBuffer::checkUnwritten(const std::string &name, uint64_t size) {
  LATHE_ASSIGN_OR_RETURN(const bool intact, holds(kPattern, size, size_ - size));
  return intact ? absl::OkStatus()
                : absl::InternalError(absl::StrCat("it writes behind the rows of ", name, ", ",
                                                   size, " bytes in this run"));
}

absl::Status GuardedBuffer::checkGuard(const std::string &name) {
  LATHE_ASSIGN_OR_RETURN(const bool intact, holds(kGuardByte, size_, kGuard));
  return intact ? absl::OkStatus()
                : absl::InternalError(
                      absl::StrCat("it writes beyond the end of ", name, ", ", size_, " bytes"));
}

std::vector<uint8_t> bytesOf(const reference::Value &value) {
  if (const auto *indices = reference::as<reference::Indices>(value))
    return bytesOfValues<int32_t>(indices->values);
  return bytesOfValues<float>(reference::as<reference::Tensor>(value)->values);
}

reference::Tensor tensorOf(absl::Span<const uint8_t> bytes, int64_t rows, int64_t columns,
                           bool is_indices) {
  reference::Tensor tensor({rows, columns});
  for (size_t i = 0; i < tensor.values.size(); ++i) {
    int32_t index;
    std::memcpy(is_indices ? static_cast<void *>(&index) : &tensor.values[i], bytes.data() + 4 * i,
                4);
    if (is_indices)
      tensor.values[i] = static_cast<float>(index);
  }
  return tensor;
}

} // namespace lathe::conformance
