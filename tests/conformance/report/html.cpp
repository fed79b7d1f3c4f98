// A page that stands alone: what failed first, then ops, reasons, and the slowest cases.
#include <algorithm>
#include <fstream>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

#include "tests/conformance/report/report.h"

namespace lathe::conformance {
namespace {

constexpr char kHead[] =
    R"(<!doctype html><meta charset="utf-8"><title>lathe-conformance</title><style>
body{font:15px/1.45 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:.5rem 0 2rem}td,th{padding:.2rem .8rem;border-bottom:1px solid #ddd;text-align:left;vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}.bad{color:#b00020;font-weight:600}.good{color:#0a6b2d}
code{font:13px ui-monospace,monospace;overflow-wrap:anywhere}summary{cursor:pointer}
</style>
)";

std::string escaped(const std::string &text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}});
}

std::string row(std::initializer_list<std::string> cells, const char *cell = "td") {
  std::string text = "<tr>";
  for (const std::string &content : cells)
    absl::StrAppend(&text, "<", cell, ">", content, "</", cell, ">");
  return absl::StrCat(text, "</tr>\n");
}

std::string code(const std::string &text) {
  return absl::StrCat("<code>", escaped(text), "</code>");
}

std::string failures(const Report &report) {
  std::string rows;
  for (const Outcome &outcome : report.outcomes)
    if (outcome.verdict == Verdict::failed)
      absl::StrAppend(
          &rows, row({code(report.of(outcome).name),
                      absl::StrCat(escaped(outcome.text), "<br>", code(report.rerun(outcome)))}));
  if (rows.empty())
    return "<p class=good>Nothing failed.</p>\n";
  return absl::StrCat("<h2 class=bad>Failed</h2><table>", row({"case", "what is wrong"}, "th"),
                      rows, "</table>\n");
}

// Of one op.
struct Line {
  std::vector<Outcome> outcomes;
  double seconds = 0, share = 0;
};

std::string ops(const Report &report) {
  std::map<std::string, Line> lines;
  for (const Outcome &outcome : report.outcomes) {
    Line &line = lines[report.of(outcome).group()];
    line.outcomes.push_back(outcome);
    line.seconds += outcome.seconds;
    line.share = std::max(line.share, outcome.share);
  }
  std::string rows;
  for (const auto &[op, line] : lines) {
    const Counts counts = count(line.outcomes);
    absl::StrAppend(
        &rows,
        row({code(op), absl::StrCat(counts.passed), absl::StrCat(counts.skipped),
             counts.failed ? absl::StrCat("<span class=bad>", counts.failed, "</span>") : "0",
             counts.passed ? absl::StrFormat("%.0f %%", 100 * line.share) : "",
             absl::StrFormat("%.2f s", line.seconds)}));
  }
  return absl::StrCat(
      "<h2>Ops and blocks</h2><table>",
      row({"op", "passed", "skipped", "failed", "largest share of a bound", "time"}, "th"), rows,
      "</table>\n");
}

std::string skips(const Report &report) {
  std::map<std::string, std::vector<std::string>> cases;
  for (const Outcome &outcome : report.outcomes)
    if (outcome.verdict == Verdict::skipped)
      cases[outcome.text].push_back(report.of(outcome).name);
  if (cases.empty())
    return "";
  std::string rows;
  for (const auto &[reason, names] : cases) {
    std::string list;
    for (const std::string &name : names)
      absl::StrAppend(&list, code(name), "<br>");
    absl::StrAppend(&rows, row({escaped(reason), absl::StrCat("<details><summary>", names.size(),
                                                              "</summary>", list, "</details>")}));
  }
  return absl::StrCat("<h2>Skipped, and why</h2><table>", row({"reason", "cases"}, "th"), rows,
                      "</table>\n");
}

std::string slowest(const Report &report) {
  std::vector<Outcome> sorted = report.outcomes;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Outcome &a, const Outcome &b) { return a.seconds > b.seconds; });
  sorted.resize(std::min<size_t>(sorted.size(), 20));
  std::string rows;
  for (const Outcome &outcome : sorted)
    absl::StrAppend(
        &rows, row({code(report.of(outcome).name), absl::StrFormat("%.3f s", outcome.seconds)}));
  return absl::StrCat("<h2>The slowest</h2><table>", row({"case", "time"}, "th"), rows,
                      "</table>\n");
}

} // namespace

absl::Status writeHtml(const Report &report, const std::string &path) {
  std::ofstream file(path);
  file << kHead << "<h1>Conformance of " << escaped(report.target) << "</h1><p>"
       << escaped(closingText(report)) << "</p>\n"
       << failures(report) << ops(report) << skips(report) << slowest(report);
  file.close();
  return file ? absl::OkStatus()
              : absl::UnavailableError(absl::StrCat(path, ": cannot be written"));
}

} // namespace lathe::conformance
