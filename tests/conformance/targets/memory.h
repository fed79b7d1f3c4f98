// Buffers of a device that notice what is not written and what is written beyond them.
#pragma once

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "backends/reference/value.h"
#include "runtime/device/device.h"

namespace lathe::conformance {

class GuardedBuffer {
public:
  // Full of a pattern, or of zeros, and with a guard behind its end.
  static absl::StatusOr<GuardedBuffer> make(runtime::Device &device, uint64_t size, bool zeroed);

  lathe_binding binding() const { return {buffer_.handle(), 0, size_}; }
  absl::Status write(absl::Span<const uint8_t> bytes);
  absl::Status read(absl::Span<uint8_t> bytes);
  // Fills it with the pattern again: a NaN as f32, a huge number as i32.
  absl::Status spoil();
  // INTERNAL: since it was spoilt something was written behind its first `size` bytes, or,
  // whenever, behind its end.
  absl::Status checkUnwritten(const std::string &name, uint64_t size);
  absl::Status checkGuard(const std::string &name);

private:
  absl::StatusOr<bool> holds(uint8_t byte, uint64_t begin, uint64_t size);

  runtime::DeviceBuffer buffer_;
  uint64_t size_ = 0;
};

// Elements of i32 or f32 as bytes, and back.
std::vector<uint8_t> bytesOf(const reference::Value &value);
reference::Tensor tensorOf(absl::Span<const uint8_t> bytes, int64_t rows, int64_t columns,
                           bool is_indices);

} // namespace lathe::conformance
