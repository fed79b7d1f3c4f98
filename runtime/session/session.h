// One conversation with a loaded model: its state memory, and tokens in, logits out.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "runtime/export.h"
#include "runtime/module/module.h"
#include "runtime/session/step_runner.h"

namespace lathe::runtime {

struct SessionOptions {
  int prefill_chunk = 0; // tokens of one prefill step; 0: as many as the step takes
  // When it turns true, feed() ends after the running step with CANCELLED. May be nullptr.
  const std::atomic<bool> *stop = nullptr;
};

// Called for each wanted row in rising order: its index in the tokens that were fed, and its logits
// [vocab_size], which are valid during the call.
using LogitsSink = absl::FunctionRef<void(size_t index, absl::Span<const float> logits)>;

// Not thread-safe; several sessions of one module may live and run on different threads. All memory
// is taken in create(), the state's pages only when they are written. feed() allocates nothing.
class LATHE_RUNTIME_API Session {
public:
  static absl::StatusOr<std::unique_ptr<Session>> create(std::shared_ptr<Module> module,
                                                         const SessionOptions &options = {});

  // Appends tokens to the context and runs them, in chunks. Afterwards logits() are those of the
  // last.
  //   INVALID_ARGUMENT   no token, or an id outside of the vocabulary
  //   OUT_OF_RANGE       more tokens than the context has room for; nothing was fed
  //   CANCELLED          `stop` was set; position() says how far it came
  absl::Status feed(absl::Span<const int32_t> tokens);
  // The same, and `sink` sees the logits of every token.
  absl::Status feedAll(absl::Span<const int32_t> tokens, LogitsSink sink);

  // Of the last token fed, [vocab_size]; valid until the next feed. Empty before the first.
  absl::Span<const float> logits() const { return logits_; }

  int64_t position() const { return position_; } // tokens in the context
  int64_t contextLength() const;                 // tokens that fit
  int64_t remaining() const { return contextLength() - position_; }

  absl::Status reset(); // to an empty context
  // Forgets what came from `position` on; 0 works always. FAILED_PRECONDITION where the state
  // cannot go back (it is not kept token by token, or a sliding window has overwritten what would
  // be needed).
  absl::Status rewind(int64_t position);

  // Hears of the regions of all later steps (device.h); an empty one stops that.
  void observe(RegionObserver observer) { runner_.observe(std::move(observer)); }

  const Module &module() const { return *module_; }
  uint64_t stateBytes() const; // of the whole context; pages are taken when they are written

private:
  Session(std::shared_ptr<Module> module, StepRunner runner, const SessionOptions &options)
      : module_(std::move(module)), runner_(std::move(runner)), options_(options) {}
  absl::Status checkTokens(absl::Span<const int32_t> tokens) const;
  int64_t chunkRows(int64_t left) const;
  absl::Status feedChunks(absl::Span<const int32_t> tokens, const LogitsSink *sink);
  bool canRewind() const;

  std::shared_ptr<Module> module_;
  StepRunner runner_;
  SessionOptions options_;
  int64_t position_ = 0;
  absl::Span<const float> logits_;
};

} // namespace lathe::runtime
