// Where the time of a step goes, by the labels that a device gives its regions.
#include <algorithm>
#include <chrono>
#include <map>

#include "absl/cleanup/cleanup.h"
#include "base/status.h"
#include "runtime/bench/workload.h"

namespace lathe::runtime {
namespace {

using Clock = std::chrono::steady_clock;

class Stopwatch {
public:
  void start() { last_ = Clock::now(); }
  void lap(absl::string_view label) {
    auto now = Clock::now();
    RegionTime &region = regions_[std::string(label)];
    ++region.calls;
    region.seconds += std::chrono::duration<double>(now - last_).count();
    last_ = now;
  }
  std::vector<RegionTime> take();

private:
  Clock::time_point last_;
  std::map<std::string, RegionTime> regions_;
};

std::vector<RegionTime> Stopwatch::take() {
  std::vector<RegionTime> result;
  for (auto &[label, region] : regions_) {
    region.label = label;
    result.push_back(std::move(region));
  }
  regions_.clear();
  std::stable_sort(result.begin(), result.end(),
                   [](const auto &a, const auto &b) { return a.seconds > b.seconds; });
  return result;
}

// Feeds `tokens` as a prompt, or one by one.
absl::StatusOr<std::vector<RegionTime>> observed(Session &session, Stopwatch &watch,
                                                 absl::Span<const int32_t> tokens, size_t step) {
  for (size_t at = 0; at < tokens.size(); at += step) {
    watch.start();
    LATHE_RETURN_IF_ERROR(session.feed(tokens.subspan(at, step)));
  }
  return watch.take();
}

} // namespace

absl::StatusOr<Profile> profile(Session &session, const BenchOptions &options) {
  LATHE_ASSIGN_OR_RETURN(std::vector<int32_t> tokens, workload(session, options));
  LATHE_RETURN_IF_ERROR(warmUp(session, tokens));
  absl::Span<const int32_t> left = tokens;
  LATHE_RETURN_IF_ERROR(enterDepth(session, left.first(options.depth)));
  left.remove_prefix(options.depth);
  Stopwatch watch;
  session.observe([&](absl::string_view label) { watch.lap(label); });
  absl::Cleanup stop = [&] { session.observe(nullptr); };
  Profile result;
  LATHE_ASSIGN_OR_RETURN(result.prefill, observed(session, watch, left.first(options.prompt_length),
                                                  std::max<size_t>(options.prompt_length, 1)));
  left.remove_prefix(options.prompt_length);
  LATHE_ASSIGN_OR_RETURN(result.decode, observed(session, watch, left, 1));
  return result;
}

} // namespace lathe::runtime
