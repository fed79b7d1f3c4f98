#include "runtime/eval/eval.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/status.h"

namespace lathe::runtime {
namespace {

struct Sum {
  double nll = 0;
  int64_t tokens = 0;
};

// One window in an empty context. The last token is only predicted, never fed.
absl::Status addWindow(Session &session, absl::Span<const int32_t> window, int32_t bos, Sum &sum) {
  std::vector<int32_t> fed;
  if (bos >= 0)
    fed.push_back(bos);
  fed.insert(fed.end(), window.begin(), window.end() - 1);
  if (fed.empty())
    return absl::OkStatus();
  size_t first = bos >= 0 ? 0 : 1; // the token that the first row of logits predicts
  LATHE_RETURN_IF_ERROR(session.rewind(0));
  return session.feedAll(fed, [&](size_t index, absl::Span<const float> logits) {
    sum.nll += negativeLogLikelihood(logits, window[index + first]);
    ++sum.tokens;
  });
}

absl::Status checkTokens(absl::Span<const int32_t> tokens, int64_t vocab_size) {
  for (int32_t id : tokens)
    if (id < 0 || id >= vocab_size)
      return absl::InvalidArgumentError(
          absl::StrCat("a token has id ", id, "; the vocabulary ends at ", vocab_size - 1));
  return absl::OkStatus();
}

} // namespace

double negativeLogLikelihood(absl::Span<const float> logits, int32_t token) {
  double highest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (float logit : logits)
    sum += std::exp(logit - highest);
  return std::log(sum) + highest - logits[token];
}

absl::StatusOr<EvalResult> evaluate(Session &session, absl::Span<const int32_t> tokens,
                                    const EvalOptions &options, EvalProgress progress) {
  int64_t window = options.window == 0 ? session.contextLength() : options.window;
  if (window < 2 || window > session.contextLength())
    return absl::InvalidArgumentError(absl::StrCat("--window ", window, ": must be from 2 to ",
                                                   session.contextLength(), ", the context"));
  LATHE_RETURN_IF_ERROR(checkTokens(tokens, session.module().manifest().vocab_size));
  Sum sum;
  for (size_t begin = 0; begin < tokens.size(); begin += window - 1) {
    LATHE_RETURN_IF_ERROR(
        addWindow(session, tokens.subspan(begin, window - 1), options.bos_token_id, sum));
    progress(std::min<int64_t>(begin + window - 1, tokens.size()), tokens.size());
  }
  if (sum.tokens == 0)
    return absl::InvalidArgumentError(
        absl::StrCat("a text of ", tokens.size(), " tokens leaves none to predict"));
  if (std::isnan(sum.nll))
    return absl::InvalidArgumentError("some logits are not numbers; the model computed nonsense");
  double mean = sum.nll / static_cast<double>(sum.tokens);
  return EvalResult{mean, std::exp(mean), sum.tokens};
}

} // namespace lathe::runtime
