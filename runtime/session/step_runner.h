// The buffers of a session and its step programs, bound together once and walked at each step.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "runtime/device/device.h"
#include "runtime/module/module.h"

namespace lathe::runtime {

// Movable, not thread-safe. Knows rows and bytes, not what a token means.
class StepRunner {
public:
  static absl::StatusOr<StepRunner> create(std::shared_ptr<Module> module);

  // Rows that one step takes; 0 where the target has no such step.
  int64_t decodeRows() const { return decode_.max_rows; }
  int64_t prefillRows() const { return prefill_.max_rows; }

  // Runs tokens at positions [position, position + tokens.size()) of slot 0 through the step that
  // fits. Gives the logits of all rows, or only of the last one: [rows or 1, vocab_size], valid until
  // the next run. tokens.size() is from 1 to the rows of that step.
  absl::StatusOr<absl::Span<const float>> run(absl::Span<const int32_t> tokens, int64_t position,
                                              bool all_rows);
  absl::Status clearState();
  uint64_t stateBytes() const;

private:
  struct BoundCall {
    uint32_t entry;
    std::vector<lathe_buffer *> buffers;
  };
  struct Program {
    int64_t max_rows = 0;
    std::vector<BoundCall> calls; // in an order in which each comes after what it waits for
  };

  absl::Status allocate();
  absl::Status mapInputs();
  absl::StatusOr<Program> bind(absl::string_view name);
  absl::Status fillInputs(absl::Span<const int32_t> tokens, int64_t position, bool all_rows);

  std::shared_ptr<Module> module_;
  std::vector<DeviceBuffer> buffers_; // by artifact::BufferKind; the weights are the module's
  int32_t *tokens_ = nullptr, *positions_ = nullptr, *output_rows_ = nullptr;
  const float *logits_ = nullptr;
  Program decode_, prefill_;
};

} // namespace lathe::runtime
