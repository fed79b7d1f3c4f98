#include "runtime/session/session.h"

#include <algorithm>

#include "base/status.h"

namespace lathe::runtime {

absl::StatusOr<std::unique_ptr<Session>> Session::create(std::shared_ptr<Module> module,
                                                         const SessionOptions &options) {
  LATHE_ASSIGN_OR_RETURN(StepRunner runner, StepRunner::create(module));
  int64_t most = runner.maxRows();
  if (options.prefill_chunk < 0 || options.prefill_chunk > most)
    return absl::InvalidArgumentError(absl::StrCat("--prefill-chunk ", options.prefill_chunk,
                                                   ": the artifact's steps take from 1 to ", most,
                                                   " tokens"));
  return std::unique_ptr<Session>(new Session(std::move(module), std::move(runner), options));
}

int64_t Session::contextLength() const { return module_->manifest().max_context; }

uint64_t Session::stateBytes() const { return runner_.stateBytes(); }

absl::Status Session::checkTokens(absl::Span<const int32_t> tokens) const {
  if (tokens.empty())
    return absl::InvalidArgumentError("no token to run; give at least one");
  if (static_cast<int64_t>(tokens.size()) > remaining())
    return absl::OutOfRangeError(absl::StrCat(tokens.size(), " tokens do not fit: the context has ",
                                              contextLength(), ", of which ", position_,
                                              " are in use"));
  int64_t vocab_size = module_->manifest().vocab_size;
  for (size_t i = 0; i < tokens.size(); ++i)
    if (tokens[i] < 0 || tokens[i] >= vocab_size)
      return absl::InvalidArgumentError(absl::StrCat("token ", i, " has id ", tokens[i],
                                                     "; the vocabulary ends at ", vocab_size - 1));
  return absl::OkStatus();
}

int64_t Session::chunkRows(int64_t left) const {
  int64_t most = runner_.maxRows();
  if (options_.prefill_chunk > 0)
    most = std::min<int64_t>(most, options_.prefill_chunk);
  return std::min(left, most);
}

absl::Status Session::feedChunks(absl::Span<const int32_t> tokens, const LogitsSink *sink) {
  LATHE_RETURN_IF_ERROR(checkTokens(tokens));
  size_t vocab_size = module_->manifest().vocab_size;
  for (size_t done = 0; done < tokens.size();) {
    if (options_.stop && options_.stop->load(std::memory_order_relaxed))
      return absl::CancelledError(
          absl::StrCat("stopped after ", done, " of ", tokens.size(), " tokens"));
    size_t rows = chunkRows(tokens.size() - done);
    bool last = done + rows == tokens.size();
    size_t wanted = sink ? rows : last ? 1 : 0;
    logits_ = {}; // the run overwrites them
    LATHE_ASSIGN_OR_RETURN(absl::Span<const float> logits,
                           runner_.run(tokens.subspan(done, rows), position_, wanted));
    position_ += rows;
    for (size_t row = 0; sink && row < rows; ++row)
      (*sink)(done + row, logits.subspan(row * vocab_size, vocab_size));
    if (wanted > 0)
      logits_ = logits.last(vocab_size);
    done += rows;
  }
  return absl::OkStatus();
}

absl::Status Session::feed(absl::Span<const int32_t> tokens) { return feedChunks(tokens, nullptr); }

absl::Status Session::feedAll(absl::Span<const int32_t> tokens, LogitsSink sink) {
  return feedChunks(tokens, &sink);
}

absl::Status Session::reset() {
  LATHE_RETURN_IF_ERROR(runner_.clearState());
  position_ = 0;
  logits_ = {};
  return absl::OkStatus();
}

// State that is kept token by token needs no clearing: what lies behind the position is not read.
// A sliding window is a ring of fewer tokens than the context; it can go back until it first wraps.
bool Session::canRewind() const {
  const artifact::Manifest &manifest = module_->manifest();
  return std::all_of(manifest.state.begin(), manifest.state.end(),
                     [&](const artifact::StateEntry &entry) {
                       if (entry.bytes_per_token == 0)
                         return entry.bytes == 0;
                       uint64_t tokens = entry.bytes / entry.bytes_per_token / manifest.num_slots;
                       return static_cast<uint64_t>(position_) <= tokens;
                     });
}

absl::Status Session::rewind(int64_t position) {
  if (position < 0 || position > position_)
    return absl::InvalidArgumentError(
        absl::StrCat("cannot go back to token ", position, ": the context holds ", position_));
  if (position == position_)
    return absl::OkStatus();
  if (!canRewind()) {
    if (position == 0)
      return reset();
    return absl::FailedPreconditionError(
        absl::StrCat("cannot go back from token ", position_, " to ", position,
                     ": the model's state is not kept token by token; reset it and feed again"));
  }
  position_ = position;
  logits_ = {};
  return absl::OkStatus();
}

} // namespace lathe::runtime
