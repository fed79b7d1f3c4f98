#include "models/account.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

#include "frontend/quote.h"

namespace lathe::models {

namespace {

using frontend::Tensor;

// N of "model.layers.N....", or -1.
int64_t layerOf(absl::string_view name) {
  int64_t layer = -1;
  if (!absl::ConsumePrefix(&name, "model.layers.") ||
      !absl::SimpleAtoi(name.substr(0, name.find('.')), &layer))
    return -1;
  return layer;
}

bool isMtp(absl::string_view name, const Decoder &decoder) {
  const int64_t layers = decoder.layers.size(), layer = layerOf(name);
  return layer >= layers && layer < layers + decoder.mtp_layers;
}

bool isInputScale(const Tensor &tensor, const Weights &weights) {
  absl::string_view module = tensor.name;
  if (!absl::ConsumeSuffix(&module, ".input_scale"))
    return false;
  const Tensor *weight = weights.checkpoint().find(absl::StrCat(module, ".weight"));
  return weight && weights.isUsed(*weight) &&
         weights.quantization().format(module).input_scale_name == tensor.name;
}

// Why a tensor that is not used may be left aside; empty: it may not.
std::string reason(const Tensor &tensor, const Weights &weights, const Decoder &decoder) {
  if (isMtp(tensor.name, decoder))
    return "layers of multi-token prediction, which are for drafts only";
  if (absl::EndsWith(tensor.name, "rotary_emb.inv_freq"))
    return "frequencies of rope, which follow from config.json";
  if (decoder.tied && tensor.name == "lm_head.weight")
    return "lm_head, which is tied to the embedding";
  if (isInputScale(tensor, weights))
    return "static scales of activations, which are quantised as the compile mode says";
  return "";
}

absl::Status unexplained(const std::vector<std::string> &names, const std::string &folder) {
  const size_t shown = std::min<size_t>(names.size(), 5);
  return absl::InvalidArgumentError(
      absl::StrCat(folder, ": ", names.size(), names.size() == 1 ? " tensor is" : " tensors are",
                   " not part of the model that config.json describes: ",
                   absl::StrJoin(names.begin(), names.begin() + shown, ", "),
                   names.size() > shown ? ", ..." : "",
                   "; without them another model would come out, so config.json or the files "
                   "should be put right"));
}

void add(std::vector<LeftAside> &all, const std::string &what, const Tensor &tensor) {
  auto at =
      std::find_if(all.begin(), all.end(), [&](const LeftAside &one) { return one.what == what; });
  if (at == all.end())
    at = all.insert(at, {what, {}});
  at->amount.tensors += 1;
  at->amount.bytes += tensor.bytes.size();
}

} // namespace

absl::StatusOr<std::vector<LeftAside>> accountForTensors(const Weights &weights,
                                                         const Decoder &decoder) {
  std::vector<LeftAside> left_aside;
  std::vector<std::string> extra;
  for (const Tensor &tensor : weights.checkpoint().tensors()) {
    if (weights.isUsed(tensor))
      continue;
    const std::string what = reason(tensor, weights, decoder);
    if (what.empty())
      extra.push_back(frontend::quotedName(tensor.name));
    else
      add(left_aside, what, tensor);
  }
  if (!extra.empty())
    return unexplained(extra, weights.checkpoint().folder());
  return left_aside;
}

} // namespace lathe::models
