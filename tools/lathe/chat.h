// `lathe run --chat`: a conversation on the terminal, or over a pipe, one line a message.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "runtime/module/module.h"
#include "runtime/sampling/sampler.h"
#include "tools/lathe/interrupt.h"

namespace lathe::cli {

struct ChatOptions {
  std::optional<int64_t> max_new; // tokens of one answer; without: as many as the context takes
  runtime::SamplingOptions sampling;
  std::vector<std::string> stops;
  int prefill_chunk = 0;
  bool stats = false;
};

// Answers lines of standard input until its end. Ctrl-C ends an answer, not the conversation.
absl::Status chat(std::shared_ptr<runtime::Module> module, const ChatOptions &options,
                  Interrupt &interrupt);

} // namespace lathe::cli
