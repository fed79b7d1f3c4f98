// Whether a plugin keeps the rules of runtime/abi/plugin.h beside computing right: what it exports,
// what it does with hosts of other ages, how it answers misuse, what it leaves behind.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/conformance/targets/target.h"

namespace lathe::conformance {

// OK: the rule is kept. UNIMPLEMENTED: it cannot be looked at, and why.
struct Rule {
  const char *name; // "refuses_other_majors"
  const char *text; // what the rule says
  std::function<absl::Status(const TargetOptions &)> check;
};

const std::vector<Rule> &rules();

std::vector<Rule> binaryRules();    // of the file
std::vector<Rule> entryRules();     // of lathe_plugin_entry
std::vector<Rule> deviceRules();    // of the device half
std::vector<Rule> behaviourRules(); // of memory and threads, with code of a case

struct Finding {
  const Rule *rule;
  absl::Status status;
};

// Each rule in a process of its own, told of as it is done. A crash breaks the rule.
std::vector<Finding> lint(const TargetOptions &options, double limit,
                          const std::function<void(const Finding &)> &finished);

} // namespace lathe::conformance
