// From the words of a command line to a verb that runs, and from its end to an exit status.
#pragma once

#include <string>
#include <vector>

#include "tools/lathe/verb.h"

namespace lathe::cli {

enum ExitStatus : int { kDone = 0, kFailed = 1, kWrongUsage = 2, kInterrupted = 130 };

// Parses the verb's flags and runs it. Errors are printed: one line `error: ...` on standard error.
int runVerb(const Verb &verb, const std::vector<std::string> &arguments);

// The text of `lathe VERB --help`.
std::string helpOf(const Verb &verb);

int reportUsage(absl::string_view verb, absl::string_view text); // prints, gives kWrongUsage
int exitStatusOf(const absl::Status &status);                    // prints what is not ok

} // namespace lathe::cli
