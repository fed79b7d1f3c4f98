#include "tests/conformance/lint/lint.h"

#include <array>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace lathe::conformance {
namespace {

// What a process says to its parent: a status code, then a message.
void report(int descriptor, const absl::Status &status) {
  std::string text(1, static_cast<char>(status.code()));
  absl::StrAppend(&text, status.message().substr(0, 4000));
  if (write(descriptor, text.data(), text.size()) < 0)
    std::_Exit(1);
}

std::string readAll(int descriptor, double limit) {
  std::string text;
  std::array<char, 4096> piece;
  pollfd wanted = {descriptor, POLLIN, 0};
  while (poll(&wanted, 1, static_cast<int>(limit * 1000)) > 0) {
    const ssize_t count = read(descriptor, piece.data(), piece.size());
    if (count <= 0)
      break;
    text.append(piece.data(), count);
  }
  return text;
}

[[noreturn]] void checkInThisProcess(const Rule &rule, const TargetOptions &options, int reports,
                                     int output) {
  rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none); // a crash is expected here
  dup2(output, 1), dup2(output, 2);
  report(reports, rule.check(options));
  std::_Exit(0);
}

absl::Status judged(int status, const std::string &said, const std::string &output) {
  if (WIFSIGNALED(status))
    return absl::InternalError(absl::StrCat("crashed (", strsignal(WTERMSIG(status)), ")"));
  if (said.empty())
    return absl::InternalError(absl::StrCat("ended the process with status ", WEXITSTATUS(status)));
  if (said[0] == 0 && !output.empty())
    return absl::InternalError(absl::StrCat("writes to the host's output: '", output.substr(0, 60),
                                            "'; lathe_host.log is for that"));
  return absl::Status(static_cast<absl::StatusCode>(said[0]), said.substr(1));
}

absl::Status check(const Rule &rule, const TargetOptions &options, double limit) {
  std::array<int, 2> reports, output;
  if (pipe(reports.data()) != 0 || pipe(output.data()) != 0)
    return absl::ResourceExhaustedError("no pipe");
  const pid_t process = fork();
  if (process == 0) {
    close(reports[0]), close(output[0]);
    checkInThisProcess(rule, options, reports[1], output[1]);
  }
  close(reports[1]), close(output[1]);
  const std::string said = readAll(reports[0], limit);
  int status = 0;
  const bool late = said.empty() && waitpid(process, &status, WNOHANG) == 0;
  if (late) {
    usleep(100000); // it may just be ending
    if (waitpid(process, &status, WNOHANG) == 0)
      kill(process, SIGKILL);
  }
  waitpid(process, &status, 0);
  const std::string printed = readAll(output[0], 0.2);
  close(reports[0]), close(output[0]);
  if (late && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
    return absl::DeadlineExceededError(absl::StrFormat("no answer within %.0f s", limit));
  return judged(status, said, printed);
}

} // namespace

const std::vector<Rule> &rules() {
  static const std::vector<Rule> all = [] {
    std::vector<Rule> made;
    for (auto part : {binaryRules, entryRules, deviceRules, behaviourRules})
      for (Rule &rule : part())
        made.push_back(std::move(rule));
    return made;
  }();
  return all;
}

std::vector<Finding> lint(const TargetOptions &options, double limit,
                          const std::function<void(const Finding &)> &finished) {
  std::vector<Finding> findings;
  for (const Rule &rule : rules()) {
    findings.push_back({&rule, check(rule, options, limit)});
    finished(findings.back());
  }
  return findings;
}

} // namespace lathe::conformance
