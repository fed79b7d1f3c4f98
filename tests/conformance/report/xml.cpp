#include <map>

#include <pugixml.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "tests/conformance/report/report.h"

namespace lathe::conformance {
namespace {

struct Suite {
  pugi::xml_node node;
  Counts counts;
  double seconds = 0;
};

// Control characters have no place in XML.
std::string printable(std::string text) {
  for (char &c : text)
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t')
      c = '?';
  return text;
}

void set(pugi::xml_node node, const char *name, const std::string &value) {
  node.append_attribute(name).set_value(printable(value).c_str());
}

void setCounts(pugi::xml_node node, const Counts &counts, double seconds) {
  set(node, "tests", absl::StrCat(counts.passed + counts.skipped + counts.failed));
  set(node, "failures", absl::StrCat(counts.failed));
  set(node, "skipped", absl::StrCat(counts.skipped));
  set(node, "time", absl::StrFormat("%.6f", seconds));
}

void addCase(const Report &report, const Outcome &outcome, pugi::xml_node suite) {
  pugi::xml_node node = suite.append_child("testcase");
  set(node, "classname", report.of(outcome).group());
  set(node, "name", report.of(outcome).name);
  set(node, "time", absl::StrFormat("%.6f", outcome.seconds));
  if (outcome.verdict == Verdict::passed)
    return;
  const bool failed = outcome.verdict == Verdict::failed;
  pugi::xml_node why = node.append_child(failed ? "failure" : "skipped");
  set(why, "message", outcome.text);
  if (failed)
    why.text().set(printable(report.rerun(outcome)).c_str());
}

} // namespace

absl::Status writeXml(const Report &report, const std::string &path) {
  pugi::xml_document document;
  pugi::xml_node root = document.append_child("testsuites");
  set(root, "name", absl::StrCat("lathe-conformance ", report.target));
  setCounts(root, count(report.outcomes), report.seconds);
  std::map<std::string, std::vector<Outcome>> groups;
  for (const Outcome &outcome : report.outcomes)
    groups[report.of(outcome).group()].push_back(outcome);
  for (const auto &[group, outcomes] : groups) {
    pugi::xml_node suite = root.append_child("testsuite");
    set(suite, "name", group);
    double seconds = 0;
    for (const Outcome &outcome : outcomes)
      seconds += outcome.seconds;
    setCounts(suite, count(outcomes), seconds);
    for (const Outcome &outcome : outcomes)
      addCase(report, outcome, suite);
  }
  return document.save_file(path.c_str(), "  ")
             ? absl::OkStatus()
             : absl::UnavailableError(absl::StrCat(path, ": cannot be written"));
}

} // namespace lathe::conformance
