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
#include "runtime/device/queue.h"
#include "runtime/module/module.h"
#include "runtime/session/row_copy.h"

namespace lathe::runtime {

// Movable, not thread-safe. Knows rows and bytes, not what a token means.
class StepRunner {
public:
  static absl::StatusOr<StepRunner> create(std::shared_ptr<Module> module);

  // Rows that one step takes at most.
  int64_t maxRows() const { return programs_.back().max_rows; }

  // Runs tokens at positions [position, position + tokens.size()) of slot 0, through the step for
  // the fewest rows that takes them. Gives the logits of the last `output_rows`
  // of them, [output_rows, vocab_size], valid until the next run. Allocates nothing.
  absl::StatusOr<absl::Span<const float>> run(absl::Span<const int32_t> tokens, int64_t position,
                                              int64_t output_rows);
  absl::Status clearState();
  // Of all later runs; an empty one hears nothing.
  void observe(RegionObserver observer) { observer_ = std::move(observer); }
  uint64_t stateBytes() const;

private:
  // The copies, then the entry where there is one.
  struct BoundCall {
    std::vector<RowCopy> copies;
    const Module::OnDevice *on = nullptr; // nullptr: no entry
    DeviceQueue *queue = nullptr;
    uint32_t entry = 0;
    std::vector<lathe_binding> bindings;
  };
  struct Program {
    int64_t max_rows = 0;
    std::vector<BoundCall> calls; // each comes after those that it waits for
  };

  absl::Status allocate(absl::Span<const artifact::Step *const> steps);
  absl::StatusOr<Program> bind(const artifact::Step &step);
  absl::StatusOr<BoundCall> bindCall(const artifact::Step &step, const artifact::Call &call);
  absl::Status verifyOrder(const artifact::Step &step, const artifact::Call &call) const;
  lathe_binding binding(const artifact::Buffer &buffer);
  RowCopy bindCopy(const artifact::Step &step, const artifact::Copy &copy);
  absl::Status run(Program &program, int64_t rows, int64_t output_rows);
  absl::Status run(BoundCall &call, int64_t rows, int64_t output_rows);
  absl::Status copy(std::vector<RowCopy> &copies, int64_t rows, int64_t output_rows);
  absl::Status finishQueues();
  absl::Status writeInputs(absl::Span<const int32_t> tokens, int64_t position, int64_t output_rows);
  absl::Status writeSequence(artifact::BufferKind kind, int64_t first, int64_t count);
  DeviceBuffer &buffer(artifact::BufferKind kind, uint32_t device = 0);

  std::shared_ptr<Module> module_;
  // By device and artifact::BufferKind; the weights are the module's. Never grows once made.
  std::vector<DeviceBuffer> buffers_;
  std::vector<Program> programs_;   // in rising order of rows, never empty
  std::vector<DeviceQueue> queues_; // of each device; goes before what its work may use
  RegionObserver observer_;
  bool logits_mapped_ = false;
};

} // namespace lathe::runtime
