#include "tests/conformance/run/pool.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <map>
#include <optional>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status.h"

namespace lathe::conformance {
namespace {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;
using Batch = std::vector<size_t>;

std::string endText(int status) {
  if (WIFSIGNALED(status))
    return absl::StrCat("crashed (", strsignal(WTERMSIG(status)), ")");
  return absl::StrCat("ended the process with status ", WEXITSTATUS(status));
}

// One worker as its parent sees it.
class Worker {
public:
  Worker(const Cases &cases, const WorkOptions &options);
  ~Worker() { stop(); }
  Worker(Worker &&) = delete;

  int reports() const { return reports_; }
  bool isReady() const { return ready_; }
  size_t likes() const { return likes_; }
  void order(Batch batch, double limit);
  // Reads what is there; false at the end of its reports.
  bool read(std::vector<Outcome> &outcomes);
  bool isLate() const { return Clock::now() > deadline_; }
  // Its exit status; ends it if it has not ended.
  int stop();

  const std::string &fatal() const { return fatal_; }
  const Batch &batch() const { return batch_; } // what is left of it
  std::optional<size_t> current() const { return current_; }
  double limit() const { return limit_; }
  void setDeadline(double seconds);

private:
  void take(const Json &report, std::vector<Outcome> &outcomes);

  pid_t process_ = 0;
  int orders_ = -1, reports_ = -1;
  std::string unread_, fatal_;
  bool ready_ = false; // for an order: it has said so, and has had none since
  size_t likes_ = 1;
  Batch batch_;
  std::optional<size_t> current_;
  double limit_ = 0;
  Clock::time_point deadline_ = Clock::time_point::max();
};

// What the parent has open for other workers would keep them alive.
void closeAllBut(int a, int b) {
  for (int descriptor = 3; descriptor < 1024; ++descriptor)
    if (descriptor != a && descriptor != b)
      close(descriptor);
}

Worker::Worker(const Cases &cases, const WorkOptions &options) {
  std::array<int, 2> orders, reports;
  if (pipe2(orders.data(), O_CLOEXEC) != 0 || pipe2(reports.data(), O_CLOEXEC) != 0) {
    fatal_ = absl::StrCat("no pipe to a worker: ", std::strerror(errno));
    return;
  }
  process_ = fork();
  if (process_ == 0) {
    closeAllBut(orders[0], reports[1]);
    work(cases, options, orders[0], reports[1]);
    std::_Exit(0);
  }
  close(orders[0]), close(reports[1]);
  orders_ = orders[1], reports_ = reports[0];
  setDeadline(60);
}

void Worker::setDeadline(double seconds) {
  limit_ = seconds;
  deadline_ = Clock::now() +
              std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

void Worker::order(Batch batch, double limit) {
  std::string line;
  for (size_t index : batch)
    absl::StrAppend(&line, index, " ");
  line.back() = '\n';
  batch_ = std::move(batch);
  current_.reset();
  ready_ = false;
  setDeadline(limit + static_cast<double>(batch_.size()));
  if (write(orders_, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    deadline_ = Clock::now(); // it has ended; its reports say so
}

bool Worker::read(std::vector<Outcome> &outcomes) {
  std::array<char, 65536> piece;
  const ssize_t count = ::read(reports_, piece.data(), piece.size());
  if (count <= 0)
    return false;
  unread_.append(piece.data(), count);
  for (size_t end; (end = unread_.find('\n')) != std::string::npos; unread_.erase(0, end + 1))
    take(Json::parse(unread_.substr(0, end), nullptr, false), outcomes);
  return true;
}

void Worker::take(const Json &report, std::vector<Outcome> &outcomes) {
  if (report.contains("fatal"))
    fatal_ = report["fatal"];
  if (report.contains("batch"))
    likes_ = report["batch"];
  if (report.contains("ready")) {
    ready_ = true;
    batch_.clear();
    deadline_ = Clock::time_point::max();
  }
  if (report.contains("begin")) {
    current_ = report["begin"];
    setDeadline(limit_);
  }
  if (!report.contains("end"))
    return;
  Outcome outcome{report["end"],   static_cast<Verdict>(report["verdict"].get<int>()),
                  report["text"],  report["seconds"],
                  report["share"], report["digest"]};
  batch_.erase(std::remove(batch_.begin(), batch_.end(), outcome.index), batch_.end());
  current_.reset();
  outcomes.push_back(std::move(outcome));
}

int Worker::stop() {
  int status = 0;
  if (orders_ >= 0)
    close(orders_), close(reports_);
  orders_ = reports_ = -1;
  // What has come to its end has a moment to unload its plugin.
  for (int i = 0; process_ > 0 && i < 200; ++i) {
    if (waitpid(process_, &status, WNOHANG) == process_)
      process_ = 0;
    else
      usleep(5000);
    if (isLate())
      break;
  }
  if (process_ > 0) {
    kill(process_, SIGKILL);
    waitpid(process_, &status, 0);
  }
  process_ = 0;
  return status;
}

class Pool {
public:
  Pool(const Cases &cases, const PoolOptions &options, const Finished &finished)
      : cases_(cases), options_(options), finished_(finished) {}

  absl::Status run(const std::vector<size_t> &indices);
  std::map<size_t, Outcome> &outcomes() { return outcomes_; }

private:
  using Slot = std::unique_ptr<Worker>;

  bool isDone() const { return outcomes_.size() == wanted_; }
  void feed(Worker &worker);
  void wait();
  absl::Status look(Slot &slot, bool readable);
  absl::Status bury(Slot &slot, const std::string &how);
  void finish(Outcome outcome);

  const Cases &cases_;
  const PoolOptions &options_;
  const Finished &finished_;
  std::vector<Slot> workers_;
  std::deque<size_t> single_; // to be judged alone: something crashed beside them
  std::deque<size_t> queue_;
  std::map<size_t, Outcome> outcomes_;
  std::vector<pollfd> polled_;
  size_t wanted_ = 0;
};

absl::Status Pool::run(const std::vector<size_t> &indices) {
  signal(SIGPIPE, SIG_IGN);
  queue_.assign(indices.begin(), indices.end());
  wanted_ = indices.size();
  const size_t count = std::min<size_t>(options_.workers, wanted_);
  for (size_t i = 0; i < count; ++i)
    workers_.push_back(std::make_unique<Worker>(cases_, options_.work));
  while (!isDone()) {
    for (Slot &worker : workers_)
      feed(*worker);
    wait();
    for (size_t i = 0; i < workers_.size(); ++i)
      LATHE_RETURN_IF_ERROR(look(workers_[i], polled_[i].revents != 0));
  }
  return absl::OkStatus();
}

void Pool::feed(Worker &worker) {
  if (!worker.isReady())
    return;
  Batch batch;
  if (!single_.empty()) {
    batch.push_back(single_.front());
    single_.pop_front();
  }
  // At the end everybody gets a share.
  const size_t share = (queue_.size() + workers_.size() - 1) / workers_.size();
  const size_t size = batch.empty() ? std::min(worker.likes(), share) : 1;
  while (batch.size() < size) {
    batch.push_back(queue_.front());
    queue_.pop_front();
  }
  if (!batch.empty())
    worker.order(std::move(batch), options_.limit);
}

void Pool::wait() {
  polled_.clear();
  for (const Slot &worker : workers_)
    polled_.push_back({worker->reports(), POLLIN, 0});
  poll(polled_.data(), polled_.size(), 200);
}

absl::Status Pool::look(Slot &slot, bool readable) {
  std::vector<Outcome> outcomes;
  const bool ended = readable && !slot->read(outcomes);
  for (Outcome &outcome : outcomes)
    finish(std::move(outcome));
  if (!slot->fatal().empty())
    return absl::FailedPreconditionError(slot->fatal());
  if (ended)
    return bury(slot, "");
  if (slot->isLate())
    return bury(slot, absl::StrFormat("did not come to an end within %.0f s", slot->limit()));
  return absl::OkStatus();
}

// The worker has ended, or is ended. The case that it was at fails; if it was compiling several,
// each is tried alone.
absl::Status Pool::bury(Slot &slot, const std::string &how) {
  const std::optional<size_t> current = slot->current();
  Batch left = slot->batch();
  const int status = slot->stop();
  const std::string text = how.empty() ? endText(status) : how;
  if (left.empty() && !current)
    return absl::FailedPreconditionError(absl::StrCat("the target ", text, " when it was opened"));
  if (current || left.size() == 1) {
    const size_t guilty = current.value_or(left.front());
    left.erase(std::remove(left.begin(), left.end(), guilty), left.end());
    finish({guilty, Verdict::failed,
            absl::StrCat(text, current ? " when it ran" : " when it was compiled and loaded"), 0,
            0});
  }
  (current ? queue_ : single_).insert((current ? queue_ : single_).end(), left.begin(), left.end());
  slot = std::make_unique<Worker>(cases_, options_.work);
  return absl::OkStatus();
}

void Pool::finish(Outcome outcome) {
  finished_(outcome);
  const size_t index = outcome.index;
  outcomes_[index] = std::move(outcome);
}

} // namespace

absl::StatusOr<std::vector<Outcome>> judgeAll(const Cases &cases,
                                              const std::vector<size_t> &indices,
                                              const PoolOptions &options,
                                              const Finished &finished) {
  Pool pool(cases, options, finished);
  LATHE_RETURN_IF_ERROR(pool.run(indices));
  std::vector<Outcome> outcomes;
  for (size_t index : indices)
    outcomes.push_back(pool.outcomes().at(index));
  return outcomes;
}

} // namespace lathe::conformance
