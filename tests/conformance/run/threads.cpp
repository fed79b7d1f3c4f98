#include "tests/conformance/run/threads.h"

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace lathe::conformance {
namespace {

// A case that passes with both numbers of threads, and gives other bits.
bool differs(const Outcome &one, const Outcome &other) {
  return one.verdict == Verdict::passed && other.verdict == Verdict::passed &&
         one.digest != other.digest;
}

Outcome failureOf(const Outcome &one, int first, int count) {
  Outcome failed = one;
  failed.verdict = Verdict::failed;
  failed.text =
      absl::StrCat("with ", count, " host threads results have other bits than with ", first);
  return failed;
}

} // namespace

absl::StatusOr<std::vector<Outcome>>
judgeWithThreads(const Cases &cases, const std::vector<size_t> &indices, PoolOptions options,
                 const std::vector<int> &threads, const Finished &finished) {
  std::vector<Outcome> all;
  for (int count : threads) {
    options.work.target.threads = count;
    LATHE_ASSIGN_OR_RETURN(std::vector<Outcome> outcomes,
                           judgeAll(cases, indices, options, finished));
    for (size_t i = 0; i < all.size(); ++i) {
      if (differs(all[i], outcomes[i]))
        finished(all[i] = failureOf(all[i], threads.front(), count));
      else if (outcomes[i].verdict == Verdict::failed)
        all[i] = std::move(outcomes[i]);
    }
    if (all.empty())
      all = std::move(outcomes);
  }
  return all;
}

} // namespace lathe::conformance
