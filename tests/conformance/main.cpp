// lathe-conformance: does a target compute what the reference interpreter computes?
#include <chrono>
#include <fnmatch.h>
#include <memory>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "base/status.h"
#include "tests/conformance/lint/lint.h"
#include "tests/conformance/recipes/recipes.h"
#include "tests/conformance/report/report.h"
#include "tests/conformance/run/threads.h"
#include "tools/lathe/command_line.h"
#include "tools/lathe/console.h"
#include "tools/lathe/flags.h"
#include "tools/lathe/plugin_flags.h"
#include "tools/lathe/progress.h"

namespace lathe::conformance {
namespace {

struct Flags {
  std::optional<std::string> plugin, target, filter, threads, html, xml;
  std::optional<int64_t> seed, jobs, limit;
  bool list = false, specialise = false, lint = false;
};

std::vector<size_t> chosen(const Cases &cases, const std::string &filter) {
  std::vector<size_t> indices;
  for (size_t i = 0; i < cases.size(); ++i)
    if (filter.empty() || fnmatch(filter.c_str(), cases[i].name.c_str(), 0) == 0)
      indices.push_back(i);
  return indices;
}

absl::StatusOr<PoolOptions> poolOptions(const Flags &flags) {
  PoolOptions options;
  if (flags.plugin) {
    LATHE_ASSIGN_OR_RETURN(cli::PluginFlag plugin, cli::parsePluginFlag(*flags.plugin));
    options.work.target.plugin = plugin.path;
    for (const auto &[name, value] : plugin.options)
      options.work.target.plugin_options.push_back(absl::StrCat(name, "=", value));
  }
  options.work.target.target = flags.target.value_or("");
  options.work.target.specialise = flags.specialise;
  options.work.seed = flags.seed.value_or(1);
  options.workers =
      static_cast<int>(flags.jobs.value_or(std::max(1U, std::thread::hardware_concurrency())));
  options.limit = static_cast<double>(flags.limit.value_or(60));
  return options;
}

// "1,2,7", each 1 to 256; without the flag one.
absl::StatusOr<std::vector<int>> threadsOf(const Flags &flags) {
  std::vector<int> threads;
  for (absl::string_view text : absl::StrSplit(flags.threads.value_or("1"), ','))
    if (int count; absl::SimpleAtoi(text, &count) && count >= 1 && count <= 256)
      threads.push_back(count);
    else
      return cli::usageError(
          absl::StrCat("--threads: '", text, "' is no number of threads, which are 1 to 256"));
  return threads;
}

std::string commandOf(const Flags &flags) {
  std::string command = "lathe-conformance";
  if (flags.plugin)
    absl::StrAppend(&command, " --plugin ", *flags.plugin);
  if (flags.target)
    absl::StrAppend(&command, " --target ", *flags.target);
  if (flags.specialise)
    absl::StrAppend(&command, " --specialise");
  if (flags.seed)
    absl::StrAppend(&command, " --seed ", *flags.seed);
  if (flags.threads)
    absl::StrAppend(&command, " --threads ", *flags.threads);
  return command;
}

std::string targetName(const Flags &flags) {
  const std::string target = flags.target.value_or("");
  if (!flags.plugin)
    return target.empty() ? "x86" : target;
  return absl::StrCat(*flags.plugin, target.empty() ? "" : " ", target);
}

absl::Status judgeAndReport(const Flags &flags, const std::vector<size_t> &indices) {
  LATHE_ASSIGN_OR_RETURN(PoolOptions options, poolOptions(flags));
  LATHE_ASSIGN_OR_RETURN(const std::vector<int> threads, threadsOf(flags));
  Report report{targetName(flags), commandOf(flags), 0, &allCases(), {}};
  cli::Progress progress;
  size_t done = 0;
  auto finished = [&](const Outcome &outcome) {
    if (outcome.verdict == Verdict::failed) {
      progress.clear();
      cli::printNow(failureText(report, outcome));
    }
    progress.update("cases", ++done, indices.size() * threads.size());
  };
  const auto start = std::chrono::steady_clock::now();
  LATHE_ASSIGN_OR_RETURN(report.outcomes,
                         judgeWithThreads(allCases(), indices, options, threads, finished));
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  progress.clear();
  if (flags.xml)
    LATHE_RETURN_IF_ERROR(writeXml(report, *flags.xml));
  if (flags.html)
    LATHE_RETURN_IF_ERROR(writeHtml(report, *flags.html));
  cli::print(closingText(report));
  const size_t failed = count(report.outcomes).failed;
  return failed ? absl::InternalError(
                      absl::StrCat(failed, failed == 1 ? " case" : " cases", " failed"))
                : absl::OkStatus();
}

absl::Status lintAndReport(const Flags &flags) {
  if (!flags.plugin)
    return cli::usageError("--lint looks at a plugin; --plugin says which");
  LATHE_ASSIGN_OR_RETURN(PoolOptions options, poolOptions(flags));
  size_t broken = 0, unseen = 0;
  const auto findings = lint(options.work.target, options.limit, [&](const Finding &finding) {
    const bool is_unseen = absl::IsUnimplemented(finding.status);
    broken += !finding.status.ok() && !is_unseen;
    unseen += is_unseen;
    const char *word = finding.status.ok() ? "kept   " : is_unseen ? "unseen " : "BROKEN ";
    cli::printNow(absl::StrCat(word, finding.rule->name, ": ",
                               finding.status.ok() ? finding.rule->text : finding.status.message(),
                               "\n"));
  });
  cli::print(absl::StrCat(findings.size() - broken - unseen, " rules kept, ", unseen,
                          " could not be looked at, ", broken, " broken\n"));
  return broken ? absl::InternalError(absl::StrCat(broken, " rules are broken")) : absl::OkStatus();
}

absl::Status run(const Flags &flags) {
  if (flags.lint)
    return lintAndReport(flags);
  const std::vector<size_t> indices = chosen(allCases(), flags.filter.value_or(""));
  if (indices.empty())
    return absl::NotFoundError(
        absl::StrCat("no case has a name like '", *flags.filter, "'; --list lists them"));
  if (!flags.list)
    return judgeAndReport(flags, indices);
  for (size_t index : indices)
    cli::print(allCases()[index].name + "\n");
  return absl::OkStatus();
}

cli::Action declare(CLI::App &app) {
  auto flags = std::make_shared<Flags>();
  cli::addText(app, "--plugin", flags->plugin, "SO",
               "the plugin to look at, with its options: PATH[,NAME=VALUE...];\nwithout it, our "
               "own backend");
  cli::addText(app, "--target", flags->target, "NAME",
               "of its targets this one; without --plugin x86, or one of its\nlevels");
  cli::addText(app, "--filter", flags->filter, "GLOB", "only cases of such names: 'linear/*'");
  cli::addSwitch(app, "--list", flags->list, "print the names of the cases and end");
  cli::addSwitch(app, "--lint", flags->lint,
                 "look whether the plugin keeps the rules of plugin.h instead:\nsymbols, other "
                 "versions, misuse, threads, leaks");
  cli::addWhole(app, "--seed", flags->seed, {}, "of all numbers in the cases; else 1");
  cli::addWhole(app, "--jobs", flags->jobs, {1, 256}, "processes side by side; else one a core");
  cli::addText(app, "--threads", flags->threads, "N,N...",
               "host threads that the target may use; of several each case runs\nwith each, and "
               "all bits have to be the same; else 1");
  cli::addWhole(app, "--limit", flags->limit, {1, 86400},
                "seconds after which a case counts as hanging; else 60");
  cli::addSwitch(
      app, "--specialise", flags->specialise,
      "x86: compile every case as models are compiled, and not a\nsample of them: takes an hour");
  cli::addText(app, "--html", flags->html, "FILE", "write a page for people");
  cli::addText(app, "--xml", flags->xml, "FILE", "write the outcome in JUnit's form");
  return [flags] { return run(*flags); };
}

const cli::Verb kConformance = {"lathe-conformance",
                                "",
                                "holds a target against the reference interpreter, case by case",
                                "lathe-conformance --plugin ./liblathe_mychip.so --filter "
                                "'linear/*'",
                                declare,
                                ""};

} // namespace
} // namespace lathe::conformance

int main(int argc, char **argv) {
  return lathe::cli::runVerb(lathe::conformance::kConformance, {argv + 1, argv + argc});
}
