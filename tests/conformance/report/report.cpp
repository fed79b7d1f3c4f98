#include "tests/conformance/report/report.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace lathe::conformance {

std::string Report::rerun(const Outcome &outcome) const {
  return absl::StrCat(command, " --filter '", of(outcome).name, "'");
}

Counts count(const std::vector<Outcome> &outcomes) {
  Counts counts;
  for (const Outcome &outcome : outcomes)
    ++(outcome.verdict == Verdict::passed    ? counts.passed
       : outcome.verdict == Verdict::skipped ? counts.skipped
                                             : counts.failed);
  return counts;
}

std::string reasonOf(const Outcome &outcome) {
  return outcome.text.substr(0, outcome.text.find(':'));
}

std::string closingText(const Report &report) {
  std::map<std::string, size_t> reasons;
  for (const Outcome &outcome : report.outcomes)
    if (outcome.verdict == Verdict::skipped)
      ++reasons[reasonOf(outcome)];
  std::string skips;
  for (const auto &[reason, cases] : reasons)
    absl::StrAppend(&skips, skips.empty() ? " (" : ", ", cases, " ", reason);
  const Counts counts = count(report.outcomes);
  return absl::StrCat(report.target, ": ", counts.passed, " passed, ", counts.skipped, " skipped",
                      skips, skips.empty() ? "" : ")", ", ", counts.failed, " failed in ",
                      absl::StrFormat("%.1f s", report.seconds), "\n");
}

std::string failureText(const Report &report, const Outcome &outcome) {
  return absl::StrCat("FAILED ", report.of(outcome).name, "\n  ", outcome.text, "\n  ",
                      report.rerun(outcome), "\n");
}

} // namespace lathe::conformance
