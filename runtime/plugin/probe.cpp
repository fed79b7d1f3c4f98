#include "runtime/plugin/probe.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "absl/time/clock.h"
#include "base/status.h"

extern char **environ;

namespace lathe::runtime {
namespace {

constexpr char kDone =
    '\x06';                // begins a report that is whole; then a status code, then its message
constexpr int kReport = 3; // the descriptor in the helper
constexpr size_t kMaxReport = 1 << 16;

// Beside the runtime's library: lib/liblathe_runtime.so, libexec/lathe/lathe-probe.
std::string helperOfThisRuntime() {
  Dl_info info;
  if (!dladdr(reinterpret_cast<void *>(&helperOfThisRuntime), &info))
    return "";
  std::error_code error;
  auto library = std::filesystem::canonical(info.dli_fname, error);
  return (library.parent_path().parent_path() / "libexec/lathe/lathe-probe").string();
}

// A descriptor that is closed with the object.
class Descriptor {
public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;
  int get() const { return number_; }
  void set(int number) { close(), number_ = number; }
  void close() {
    if (number_ >= 0)
      ::close(number_);
    number_ = -1;
  }

private:
  int number_;
};

class Helper {
public:
  explicit Helper(std::string path) : path_(std::move(path)) {}
  ~Helper() { stop(); }

  absl::Status start(const std::vector<std::string> &arguments);
  // All that it writes until its end of the pipe is closed, or false when the time is over.
  bool readReport(absl::Time deadline, std::string &report);
  // Its exit status as waitpid gives it, or none when the time is over.
  std::optional<int> wait(absl::Time deadline);
  void stop();

private:
  std::string path_;
  Descriptor report_;
  pid_t process_ = 0;
};

absl::Status Helper::start(const std::vector<std::string> &arguments) {
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_CLOEXEC) != 0)
    return absl::ResourceExhaustedError(absl::StrCat("probe: no pipe: ", std::strerror(errno)));
  report_.set(ends[0]);
  Descriptor theirs(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, theirs.get(), kReport);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP); // so that its children end with it
  std::vector<char *> argv = {path_.data()};
  for (const std::string &argument : arguments)
    argv.push_back(const_cast<char *>(argument.c_str()));
  argv.push_back(nullptr);
  int failed = posix_spawn(&process_, path_.c_str(), &actions, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failed) {
    process_ = 0;
    return absl::FailedPreconditionError(
        absl::StrCat("probe: cannot start ", path_, ": ", std::strerror(failed)));
  }
  return absl::OkStatus();
}

bool Helper::readReport(absl::Time deadline, std::string &report) {
  while (report.size() < kMaxReport) {
    absl::Duration left = deadline - absl::Now();
    pollfd wanted = {report_.get(), POLLIN, 0};
    int ready = left <= absl::ZeroDuration()
                    ? 0
                    : poll(&wanted, 1, static_cast<int>(absl::ToInt64Milliseconds(left)) + 1);
    if (ready < 0 && errno == EINTR)
      continue;
    if (ready <= 0)
      return false;
    std::array<char, 4096> piece;
    ssize_t size = read(report_.get(), piece.data(), piece.size());
    if (size == 0)
      return true;
    if (size > 0)
      report.append(piece.data(), size);
    else if (errno != EINTR)
      return true;
  }
  return true;
}

std::optional<int> Helper::wait(absl::Time deadline) {
  int status = 0;
  while (waitpid(process_, &status, WNOHANG) == 0) {
    if (absl::Now() > deadline)
      return std::nullopt;
    absl::SleepFor(absl::Microseconds(200));
  }
  process_ = 0;
  return status;
}

void Helper::stop() {
  if (!process_)
    return;
  kill(-process_, SIGKILL);
  kill(process_, SIGKILL);
  wait(absl::InfiniteFuture());
}

// A success says nothing more: more than one is the report of more than one process.
absl::Status statusOf(const std::string &path, const std::string &report) {
  auto code = static_cast<absl::StatusCode>(report[1]);
  if (code == absl::StatusCode::kOk && report.size() > 2)
    return absl::FailedPreconditionError(
        absl::StrCat("plugin ", path,
                     ": forks, and the copy of the process goes on as if it were "
                     "the host; it is not loaded"));
  return absl::Status(code, absl::string_view(report).substr(2));
}

absl::Status endedEarly(const std::string &path, int exit_status) {
  std::string how = WIFSIGNALED(exit_status)
                        ? absl::StrCat("crashed (", strsignal(WTERMSIG(exit_status)), ")")
                        : absl::StrCat("ended the process with status ", WEXITSTATUS(exit_status));
  return absl::FailedPreconditionError(absl::StrCat(
      "plugin ", path, ": ", how, " when it was tried in a process of its own; it is not loaded"));
}

absl::Status didNotAnswer(const std::string &path, absl::Duration limit) {
  return absl::DeadlineExceededError(
      absl::StrCat("plugin ", path, ": did not answer within ", absl::FormatDuration(limit),
                   " when it was tried in a process of its own; it is not loaded"));
}

absl::Status visit(Plugin &plugin) {
  for (uint32_t i = 0; i < plugin.deviceCount(); ++i)
    LATHE_RETURN_IF_ERROR(plugin.openDevice(i).status());
  return absl::OkStatus();
}

int writeReport(int report, const absl::Status &status) {
  std::string text = {kDone, static_cast<char>(status.code())};
  absl::StrAppend(&text, status.message().substr(0, kMaxReport / 2));
  return write(report, text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1;
}

absl::Status loadAndVisit(const std::string &path, const PluginOptions &options, int report) {
  const pid_t self = getpid();
  LATHE_ASSIGN_OR_RETURN(std::shared_ptr<Plugin> plugin, Plugin::load(path, options));
  if (getpid() != self) // a copy of the process: a second report tells of it
    std::_Exit(writeReport(report, absl::OkStatus()));
  return visit(*plugin);
}

size_t countThreads() {
  std::error_code error;
  std::filesystem::directory_iterator threads("/proc/self/task", error);
  return std::distance(begin(threads), end(threads));
}

// What the process does at each signal: its handler, or what stands for one.
using Handlers = std::array<void (*)(int), NSIG>;

Handlers handlersNow() {
  Handlers handlers = {};
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action = {};
    if (sigaction(signal, nullptr, &action) == 0)
      handlers[signal] = action.sa_handler;
  }
  return handlers;
}

// A host that is to end at Ctrl-C, or to wait for its children, cannot have these changed.
absl::Status verifySignals(const std::string &path, const Handlers &before) {
  const Handlers after = handlersNow();
  for (int signal = 1; signal < NSIG; ++signal)
    if (after[signal] != before[signal])
      return absl::FailedPreconditionError(
          absl::StrCat("plugin ", path, ": changes what the process does at a signal (",
                       strsignal(signal), "); signals are the host's, so it is not loaded"));
  return absl::OkStatus();
}

} // namespace

absl::Status probePlugin(const std::string &path, const PluginOptions &options,
                         const ProbeOptions &probe) {
  Helper helper(probe.helper.empty() ? helperOfThisRuntime() : probe.helper);
  std::vector<std::string> arguments = {path};
  for (const auto &[name, value] : options.options)
    arguments.push_back(absl::StrCat(name, "=", value));
  LATHE_RETURN_IF_ERROR(helper.start(arguments));
  const absl::Time deadline = absl::Now() + probe.limit;
  std::string report;
  std::optional<int> exit_status;
  if (helper.readReport(deadline, report))
    exit_status = helper.wait(deadline);
  if (!exit_status)
    return didNotAnswer(path, probe.limit);
  const bool ended_well = WIFEXITED(*exit_status) && WEXITSTATUS(*exit_status) == 0;
  if (report.size() >= 2 && report[0] == kDone && ended_well)
    return statusOf(path, report);
  return endedEarly(path, *exit_status);
}

absl::StatusOr<std::shared_ptr<Plugin>>
loadPlugin(const std::string &path, const PluginOptions &options, const ProbeOptions &probe) {
  LATHE_RETURN_IF_ERROR(probePlugin(path, options, probe));
  return Plugin::load(path, options);
}

int probeInThisProcess(const std::string &path, const PluginOptions &options, int report) {
  rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none); // a crash is expected here
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const Handlers before = handlersNow();
  const size_t threads = countThreads();
  absl::Status status = loadAndVisit(path, options, report);
  if (countThreads() > threads) // what was left running may crash here instead of in the host
    absl::SleepFor(absl::Milliseconds(100));
  if (status.ok())
    status = verifySignals(path, before);
  return writeReport(report, status);
}

} // namespace lathe::runtime
