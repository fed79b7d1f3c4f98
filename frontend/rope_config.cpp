#include "frontend/rope_config.h"

#include "base/status.h"
#include "frontend/quote.h"

namespace lathe::frontend {
namespace {

constexpr int64_t kMaxPositions = 1'000'000'000;
constexpr double kMaxFactor = 1e6;

struct KindName {
  RopeKind kind;
  absl::string_view name;
};
constexpr KindName kKindNames[] = {
    {RopeKind::plain, "default"}, {RopeKind::linear, "linear"}, {RopeKind::dynamic, "dynamic"},
    {RopeKind::yarn, "yarn"},     {RopeKind::llama3, "llama3"}, {RopeKind::longrope, "longrope"},
};

// rope_parameters or rope_scaling; nullopt when there is neither.
absl::StatusOr<std::optional<ConfigReader>> ropeDict(const ConfigReader &config) {
  LATHE_ASSIGN_OR_RETURN(auto parameters, config.object("rope_parameters"));
  LATHE_ASSIGN_OR_RETURN(auto scaling, config.object("rope_scaling"));
  if (parameters && scaling)
    return config.keyError("rope_parameters",
                           "stands beside rope_scaling; there should be one of them");
  return parameters ? parameters : scaling;
}

// A number that may stand at the top, in the dict, or in both if they agree.
absl::StatusOr<double> numberInEither(const ConfigReader &top,
                                      const std::optional<ConfigReader> &dict,
                                      absl::string_view key, double otherwise, double min,
                                      double max) {
  LATHE_ASSIGN_OR_RETURN(auto outer, top.nullableNumber(key, min, max));
  std::optional<double> inner;
  if (dict) {
    LATHE_ASSIGN_OR_RETURN(inner, dict->nullableNumber(key, min, max));
  }
  if (inner && outer && *inner != *outer)
    return dict->keyError(key, absl::StrCat("is ", *inner, ", but ", *outer, " at the top"));
  return inner ? *inner : outer.value_or(otherwise);
}

absl::StatusOr<std::string> kindText(const ConfigReader &dict) {
  LATHE_ASSIGN_OR_RETURN(auto new_key, dict.nullableString("rope_type"));
  LATHE_ASSIGN_OR_RETURN(auto old_key, dict.nullableString("type"));
  if (new_key && old_key && *new_key != *old_key)
    return dict.keyError("rope_type", absl::StrCat("is ", quotedName(*new_key), ", but 'type' is ",
                                                   quotedName(*old_key)));
  if (new_key || old_key)
    return new_key ? *new_key : *old_key;
  if (dict.has("factor"))
    return dict.keyError("rope_type", "is missing; it should name the kind of scaling");
  return "default";
}

absl::StatusOr<RopeKind> readKind(const ConfigReader &dict) {
  for (const auto &[key, value] : dict.json().items())
    if (value.is_object())
      return absl::UnimplementedError(
          absl::StrCat(dict.source(), ": rope parameters that differ from layer to layer (",
                       quotedName(key), ") are not yet supported"));
  LATHE_ASSIGN_OR_RETURN(std::string text, kindText(dict));
  if (text == "dynamic" && dict.has("alpha"))
    return RopeKind::alpha_ntk;
  for (const KindName &entry : kKindNames)
    if (entry.name == text)
      return entry.kind;
  return absl::UnimplementedError(absl::StrCat(
      dict.source(), ": rope type ", quotedName(text),
      " is not yet supported; supported are default, linear, dynamic, yarn, llama3, longrope"));
}

absl::StatusOr<double> positiveOr(const ConfigReader &dict, absl::string_view key,
                                  double otherwise) {
  if (!dict.has(key)) {
    dict.accept(key);
    return otherwise;
  }
  return dict.positiveNumber(key);
}

absl::Status readFactor(const ConfigReader &dict, RopeConfig &rope) {
  LATHE_ASSIGN_OR_RETURN(rope.factor, dict.positiveNumber("factor"));
  if (rope.factor > kMaxFactor)
    return dict.keyError("factor",
                         absl::StrCat("is ", rope.factor, "; it should be at most 1000000"));
  return absl::OkStatus();
}

absl::Status readYarn(const ConfigReader &dict, RopeConfig &rope) {
  LATHE_RETURN_IF_ERROR(readFactor(dict, rope));
  LATHE_ASSIGN_OR_RETURN(rope.attention_factor,
                         dict.nullableNumber("attention_factor", 1e-6, kMaxFactor));
  LATHE_ASSIGN_OR_RETURN(rope.mscale, dict.nullableNumber("mscale", 0, kMaxFactor));
  LATHE_ASSIGN_OR_RETURN(rope.mscale_all_dim, dict.nullableNumber("mscale_all_dim", 0, kMaxFactor));
  LATHE_ASSIGN_OR_RETURN(rope.beta_fast, positiveOr(dict, "beta_fast", 32));
  LATHE_ASSIGN_OR_RETURN(rope.beta_slow, positiveOr(dict, "beta_slow", 1));
  LATHE_ASSIGN_OR_RETURN(rope.truncate, dict.booleanOr("truncate", true));
  return absl::OkStatus();
}

absl::Status readLlama3(const ConfigReader &dict, RopeConfig &rope) {
  LATHE_RETURN_IF_ERROR(readFactor(dict, rope));
  LATHE_ASSIGN_OR_RETURN(rope.low_freq_factor, dict.positiveNumber("low_freq_factor"));
  LATHE_ASSIGN_OR_RETURN(rope.high_freq_factor, dict.positiveNumber("high_freq_factor"));
  if (rope.high_freq_factor <= rope.low_freq_factor)
    return dict.keyError("high_freq_factor", absl::StrCat("is ", rope.high_freq_factor,
                                                          "; it should be above low_freq_factor, ",
                                                          rope.low_freq_factor));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<double>> readFactorList(const ConfigReader &dict,
                                                   absl::string_view key) {
  LATHE_ASSIGN_OR_RETURN(std::vector<double> factors, dict.numbers(key, 1e-6, kMaxFactor));
  if (factors.empty())
    return dict.keyError(key, "is missing or empty; it should have a number for each frequency");
  return factors;
}

absl::Status readLongrope(const ConfigReader &dict, RopeConfig &rope) {
  LATHE_ASSIGN_OR_RETURN(rope.short_factor, readFactorList(dict, "short_factor"));
  LATHE_ASSIGN_OR_RETURN(rope.long_factor, readFactorList(dict, "long_factor"));
  LATHE_ASSIGN_OR_RETURN(rope.attention_factor,
                         dict.nullableNumber("attention_factor", 1e-6, kMaxFactor));
  double ratio = static_cast<double>(rope.max_position_embeddings) /
                 static_cast<double>(rope.original_max_position_embeddings);
  LATHE_ASSIGN_OR_RETURN(rope.factor, positiveOr(dict, "factor", ratio));
  return absl::OkStatus();
}

// Hunyuan writes yarn's keys beside alpha; its model reads alpha only.
absl::Status readAlphaNtk(const ConfigReader &dict, RopeConfig &rope) {
  for (absl::string_view unused : {"factor", "beta_fast", "beta_slow", "mscale", "mscale_all_dim"})
    dict.accept(unused);
  LATHE_ASSIGN_OR_RETURN(rope.alpha, dict.positiveNumber("alpha"));
  return absl::OkStatus();
}

absl::Status readKindsOwnKeys(const ConfigReader &dict, RopeConfig &rope) {
  switch (rope.kind) {
  case RopeKind::plain: return absl::OkStatus();
  case RopeKind::linear:
  case RopeKind::dynamic: return readFactor(dict, rope);
  case RopeKind::alpha_ntk: return readAlphaNtk(dict, rope);
  case RopeKind::yarn: return readYarn(dict, rope);
  case RopeKind::llama3: return readLlama3(dict, rope);
  case RopeKind::longrope: return readLongrope(dict, rope);
  }
  return absl::OkStatus();
}

// At the top it wins over the dict; without either it is max_position_embeddings.
absl::Status readLengths(const ConfigReader &config, const std::optional<ConfigReader> &dict,
                         RopeConfig &rope) {
  const char *key = "original_max_position_embeddings";
  LATHE_ASSIGN_OR_RETURN(rope.max_position_embeddings,
                         config.integer("max_position_embeddings", 1, kMaxPositions));
  LATHE_ASSIGN_OR_RETURN(auto outer, config.nullableInteger(key, 1, kMaxPositions));
  std::optional<int64_t> inner;
  if (dict) {
    LATHE_ASSIGN_OR_RETURN(inner, dict->nullableInteger(key, 1, kMaxPositions));
  }
  rope.original_max_position_embeddings =
      outer ? *outer : inner.value_or(rope.max_position_embeddings);
  return absl::OkStatus();
}

} // namespace

absl::string_view name(RopeKind kind) {
  for (const KindName &entry : kKindNames)
    if (entry.kind == kind)
      return entry.name;
  return "dynamic with alpha";
}

absl::StatusOr<RopeConfig> RopeConfig::read(const ConfigReader &config, double default_theta) {
  RopeConfig rope;
  rope.source = config.source();
  LATHE_ASSIGN_OR_RETURN(auto dict, ropeDict(config));
  if (dict) {
    LATHE_ASSIGN_OR_RETURN(rope.kind, readKind(*dict));
  }
  // theta 1 would make all frequencies equal, and yarn divides by its logarithm.
  LATHE_ASSIGN_OR_RETURN(rope.theta,
                         numberInEither(config, dict, "rope_theta", default_theta, 1.001, 1e15));
  LATHE_ASSIGN_OR_RETURN(rope.partial_rotary_factor,
                         numberInEither(config, dict, "partial_rotary_factor", 1, 1e-3, 1));
  LATHE_RETURN_IF_ERROR(readLengths(config, dict, rope));
  if (!dict)
    return rope;
  LATHE_RETURN_IF_ERROR(readKindsOwnKeys(*dict, rope));
  LATHE_RETURN_IF_ERROR(dict->finish());
  return rope;
}

int64_t RopeConfig::defaultMaxContext() const {
  return kind == RopeKind::longrope ? original_max_position_embeddings : max_position_embeddings;
}

} // namespace lathe::frontend
