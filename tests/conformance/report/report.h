// What came out, for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

#include "tests/conformance/run/judge.h"

namespace lathe::conformance {

struct Report {
  std::string target;  // "null:null", "x86-64-v4"
  std::string command; // how a case is run again, but for its --filter
  double seconds = 0;
  const Cases *cases = nullptr;
  std::vector<Outcome> outcomes;

  const Case &of(const Outcome &outcome) const { return (*cases)[outcome.index]; }
  std::string rerun(const Outcome &outcome) const;
};

struct Counts {
  size_t passed = 0, skipped = 0, failed = 0;
};
Counts count(const std::vector<Outcome> &outcomes);

// "unsupported_op" of "unsupported_op: null has no lathe.rope".
std::string reasonOf(const Outcome &outcome);

// Three lines at most: "1200 passed, ...", skips by reason, the time.
std::string closingText(const Report &report);
// Of a case that failed: what is wrong, and how to see it again.
std::string failureText(const Report &report, const Outcome &outcome);

// JUnit: a testsuite for each op.
absl::Status writeXml(const Report &report, const std::string &path);
absl::Status writeHtml(const Report &report, const std::string &path);

} // namespace lathe::conformance
