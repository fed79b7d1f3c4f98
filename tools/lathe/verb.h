// What the program's verbs have in common: each is one file that defines one of these.
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace CLI {
class App;
}

namespace lathe::cli {

// The work of a verb, once its flags are parsed. A CANCELLED status means that Ctrl-C ended it.
using Action = std::function<absl::Status()>;

struct Verb {
  const char *name;
  const char *arguments;            // as the usage line spells them: "FILE", "MODEL -o FILE"
  const char *summary;              // one line, lower case
  const char *example;              // can be pasted; lines are separated by \n
  Action (*declare)(CLI::App &app); // adds the flags; the Action owns their values
  const char *program = "lathe ";   // before the name; empty where a program is its only verb
};

extern const Verb kCompile, kRun, kInspect, kCheck, kBench, kEval, kDevices, kTokenize;

// Wrong usage that shows only after parsing; the program then ends with 2 instead of 1.
absl::Status usageError(absl::string_view text);
bool isUsageError(const absl::Status &status);

} // namespace lathe::cli
