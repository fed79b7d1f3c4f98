// The flags of `lathe run`, and one run with them; chat.h has the other way to run.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "runtime/module/module.h"
#include "tools/lathe/device_flags.h"
#include "tools/lathe/interrupt.h"
#include "tools/lathe/sampling_flags.h"

namespace lathe::cli {

struct RunFlags {
  std::string file;
  std::optional<std::string> prompt, prompt_file, tokens, dump_logits;
  bool chat = false, print_tokens = false, stats = false, json = false;
  std::optional<int64_t> max_new, prefill_chunk;
  std::vector<std::string> stops;
  SamplingFlags sampling;
  DeviceFlags device;
};

// From the prompt to what is printed. The flags have exactly one input, which is not --chat, and
// must outlive the call. CANCELLED where Ctrl-C ended it; what there was is printed then, too.
absl::Status runOnce(const RunFlags &flags, std::shared_ptr<runtime::Module> module,
                     Interrupt &interrupt);

} // namespace lathe::cli
