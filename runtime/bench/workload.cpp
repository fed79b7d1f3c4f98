#include "runtime/bench/workload.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace lathe::runtime {
namespace {

// Knuth's multiplicative hash: far apart for neighbours, so that routed experts differ, too.
std::vector<int32_t> syntheticTokens(int64_t count, uint32_t vocab_size) {
  std::vector<int32_t> tokens(count);
  for (int64_t i = 0; i < count; ++i)
    tokens[i] = static_cast<int32_t>(static_cast<uint32_t>(i * 2654435761u) % vocab_size);
  return tokens;
}

absl::Status validate(const BenchOptions &options, const Session &session) {
  bool nothing = options.prompt_length == 0 && options.decode == 0;
  if (options.prompt_length < 0 || options.decode < 0 || options.depth < 0 ||
      options.repetitions < 1 || nothing)
    return absl::InvalidArgumentError(
        absl::StrCat("bench of ", options.prompt_length, " prompt and ", options.decode,
                     " decoded tokens at depth ", options.depth, ", ", options.repetitions,
                     " times; there must be something to do"));
  // Piece by piece, so that no sum overflows.
  int64_t room = session.contextLength();
  for (int64_t tokens : {options.depth, options.prompt_length, options.decode})
    if ((room -= std::min(tokens, room + 1)) < 0)
      return absl::OutOfRangeError(absl::StrCat(
          "depth ", options.depth, ", prompt ", options.prompt_length, " and decode ",
          options.decode, " do not fit: the context has ", session.contextLength(), " tokens"));
  return absl::OkStatus();
}

} // namespace

absl::StatusOr<std::vector<int32_t>> workload(const Session &session, const BenchOptions &options) {
  LATHE_RETURN_IF_ERROR(validate(options, session));
  return syntheticTokens(options.depth + options.prompt_length + options.decode,
                         session.module().manifest().vocab_size);
}

absl::Status enterDepth(Session &session, absl::Span<const int32_t> tokens) {
  LATHE_RETURN_IF_ERROR(session.rewind(0));
  return tokens.empty() ? absl::OkStatus() : session.feed(tokens);
}

absl::Status returnToDepth(Session &session, absl::Span<const int32_t> tokens) {
  auto depth = static_cast<int64_t>(tokens.size());
  if (session.position() >= depth && session.rewind(depth).ok())
    return absl::OkStatus();
  return enterDepth(session, tokens);
}

absl::Status warmUp(Session &session, absl::Span<const int32_t> tokens) {
  return enterDepth(session, tokens.first(std::min<size_t>(tokens.size(), 32)));
}

} // namespace lathe::runtime
