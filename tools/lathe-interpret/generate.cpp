#include "tools/lathe-interpret/generate.h"

#include <cmath>

#include "llvm/Support/raw_ostream.h"

#include "base/status.h"
#include "frontend/safetensors_writer.h"

namespace lathe::interpret {

namespace {

using reference::Tensor;

absl::Status failedRun() {
  return absl::InvalidArgumentError("the step could not be run; see above");
}

template <typename T> absl::Span<const uint8_t> bytesOf(const std::vector<T> &values) {
  return {reinterpret_cast<const uint8_t *>(values.data()), values.size() * sizeof(T)};
}

void append(Generated &generated, const Tensor &logits) {
  generated.logits.values.insert(generated.logits.values.end(), logits.values.begin(),
                                 logits.values.end());
  generated.logits.shape = {static_cast<int64_t>(generated.ids.size()), logits.columns()};
}

double negativeLogLikelihood(const Tensor &logits, int64_t row, int32_t token) {
  const float *values = logits.row(row);
  const double largest = *std::max_element(values, values + logits.columns());
  double sum = 0;
  for (int64_t j = 0; j < logits.columns(); ++j)
    sum += std::exp(values[j] - largest);
  return largest + std::log(sum) - values[token];
}

} // namespace

absl::StatusOr<Generated> generate(reference::ModelRunner &runner,
                                   const std::vector<int32_t> &tokens, size_t chunk,
                                   int64_t greedy) {
  Generated result;
  mlir::FailureOr<Tensor> logits = runner.feedInChunks(tokens, chunk);
  if (mlir::failed(logits))
    return failedRun();
  result.ids = tokens;
  append(result, *logits);
  while (static_cast<int64_t>(result.continuation.size()) < greedy) {
    const int32_t next = reference::argmax(*logits, logits->rows() - 1);
    result.continuation.push_back(next);
    if (static_cast<int64_t>(result.continuation.size()) == greedy)
      break;
    logits = runner.feed(next);
    if (mlir::failed(logits))
      return failedRun();
    result.ids.push_back(next);
    append(result, *logits);
  }
  return result;
}

absl::Status dumpLogits(const std::string &path, const Generated &generated) {
  const std::vector<int64_t> ids(generated.ids.begin(), generated.ids.end());
  return frontend::writeSafetensors(
      path,
      {{{"input_ids", frontend::DType::i64, {static_cast<int64_t>(ids.size())}}, bytesOf(ids)},
       {{"logits", frontend::DType::f32, generated.logits.shape},
        bytesOf(generated.logits.values)}});
}

absl::StatusOr<Likelihood> likelihood(reference::ModelRunner &runner,
                                      const std::vector<int32_t> &ids, int32_t bos,
                                      int64_t window) {
  Likelihood result;
  for (size_t begin = 0; begin < ids.size(); begin += window - 1) {
    const size_t end = std::min(ids.size(), begin + window - 1);
    std::vector<int32_t> sequence(ids.begin() + begin, ids.begin() + end);
    if (bos >= 0)
      sequence.insert(sequence.begin(), bos);
    runner.reset();
    mlir::FailureOr<Tensor> logits = runner.feed(sequence);
    if (mlir::failed(logits))
      return failedRun();
    for (size_t i = 0; i + 1 < sequence.size(); ++i, ++result.tokens)
      result.nats_per_token += negativeLogLikelihood(*logits, i, sequence[i + 1]);
    llvm::errs() << "eval: " << end << " of " << ids.size() << " tokens\n";
  }
  if (result.tokens == 0)
    return absl::InvalidArgumentError("the text has no token to judge");
  result.nats_per_token /= static_cast<double>(result.tokens);
  return result;
}

} // namespace lathe::interpret
