// The numbers behind RopeConfig. Steps are in f32 where Hugging Face's are, so that the last bits
// of the frequencies agree with the model that the weights were trained and tested with.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/status.h"
#include "frontend/rope_config.h"

namespace lathe::frontend {
namespace {

constexpr int64_t kMaxRotaryDim = 65536;

// theta^(2i/dim)
std::vector<float> wavelengthScales(double theta, int64_t dim) {
  std::vector<float> scales(dim / 2);
  for (int64_t i = 0; i < dim / 2; ++i)
    scales[i] =
        std::pow(static_cast<float>(theta), static_cast<float>(2 * i) / static_cast<float>(dim));
  return scales;
}

std::vector<float> reciprocals(const std::vector<float> &scales) {
  std::vector<float> inverse(scales.size());
  std::transform(scales.begin(), scales.end(), inverse.begin(), [](float s) { return 1.0f / s; });
  return inverse;
}

// YaRN's gm: how much attention is sharpened for a context `factor` times as long.
double attentionGain(double factor, double mscale) {
  return factor <= 1 ? 1.0 : 0.1 * mscale * std::log(factor) + 1.0;
}

// The (fractional) index of the frequency that turns `rotations` times over the original context.
double correctionIndex(const RopeConfig &rope, double rotations, int64_t dim) {
  double length = static_cast<double>(rope.original_max_position_embeddings);
  return static_cast<double>(dim) * std::log(length / (rotations * 2 * std::numbers::pi)) /
         (2 * std::log(rope.theta));
}

std::vector<float> yarnFrequencies(const RopeConfig &rope, int64_t dim) {
  double low = correctionIndex(rope, rope.beta_fast, dim);
  double high = correctionIndex(rope, rope.beta_slow, dim);
  if (rope.truncate)
    low = std::floor(low), high = std::ceil(high);
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(dim - 1));
  if (low == high) // beta_fast = beta_slow, for one: the ramp becomes a step
    high += 0.001;
  std::vector<float> scales = wavelengthScales(rope.theta, dim);
  std::vector<float> frequencies(scales.size());
  for (size_t i = 0; i < scales.size(); ++i) {
    float position =
        (static_cast<float>(i) - static_cast<float>(low)) / static_cast<float>(high - low);
    float kept = 1.0f - std::clamp(position, 0.0f, 1.0f);
    float interpolated = 1.0f / (static_cast<float>(rope.factor) * scales[i]);
    frequencies[i] = interpolated * (1.0f - kept) + 1.0f / scales[i] * kept;
  }
  return frequencies;
}

float yarnAttentionFactor(const RopeConfig &rope) {
  if (rope.attention_factor)
    return static_cast<float>(*rope.attention_factor);
  bool both = rope.mscale.value_or(0) != 0 && rope.mscale_all_dim.value_or(0) != 0;
  if (!both)
    return static_cast<float>(attentionGain(rope.factor, 1));
  return static_cast<float>(attentionGain(rope.factor, *rope.mscale) /
                            attentionGain(rope.factor, *rope.mscale_all_dim));
}

std::vector<float> llama3Frequencies(const RopeConfig &rope, int64_t dim) {
  float length = static_cast<float>(rope.original_max_position_embeddings);
  float factor = static_cast<float>(rope.factor);
  float low = static_cast<float>(rope.low_freq_factor),
        high = static_cast<float>(rope.high_freq_factor);
  std::vector<float> frequencies = reciprocals(wavelengthScales(rope.theta, dim));
  for (float &frequency : frequencies) {
    float wavelength = static_cast<float>(2 * std::numbers::pi) / frequency;
    if (wavelength < length / high)
      continue;
    float smooth = (length / wavelength - low) / (high - low);
    frequency = wavelength > length / low
                    ? frequency / factor
                    : (1.0f - smooth) * frequency / factor + smooth * frequency;
  }
  return frequencies;
}

absl::StatusOr<std::vector<float>> longropeFrequencies(const RopeConfig &rope, int64_t dim,
                                                       int64_t max_context) {
  bool is_long = max_context > rope.original_max_position_embeddings;
  const std::vector<double> &factors = is_long ? rope.long_factor : rope.short_factor;
  if (static_cast<int64_t>(factors.size()) != dim / 2)
    return absl::InvalidArgumentError(absl::StrCat(
        rope.source, ": ", is_long ? "long_factor" : "short_factor", " has ", factors.size(),
        " numbers; it should have ", dim / 2, ", half the rotary dimension"));
  std::vector<float> scales = wavelengthScales(rope.theta, dim);
  for (size_t i = 0; i < scales.size(); ++i)
    scales[i] *= static_cast<float>(factors[i]);
  return reciprocals(scales);
}

float longropeAttentionFactor(const RopeConfig &rope) {
  if (rope.attention_factor)
    return static_cast<float>(*rope.attention_factor);
  double length = static_cast<double>(rope.original_max_position_embeddings);
  if (rope.factor <= 1 || length <= 1)
    return 1;
  return static_cast<float>(std::sqrt(1 + std::log(rope.factor) / std::log(length)));
}

absl::Status checkArguments(const RopeConfig &rope, int64_t dim, int64_t max_context) {
  if (dim < 2 || dim > kMaxRotaryDim || dim % 2 != 0)
    return absl::InvalidArgumentError(absl::StrCat(rope.source, ": the rotary dimension is ", dim,
                                                   "; it should be even, from 2 to ",
                                                   kMaxRotaryDim));
  if (rope.kind == RopeKind::alpha_ntk && dim == 2)
    return absl::InvalidArgumentError(
        absl::StrCat(rope.source, ": rope with alpha needs a rotary dimension above 2"));
  if (max_context < 1)
    return absl::InvalidArgumentError(
        absl::StrCat("max context is ", max_context, "; it should be at least 1"));
  if (rope.kind == RopeKind::dynamic && max_context > rope.max_position_embeddings)
    return absl::InvalidArgumentError(absl::StrCat(
        rope.source, ": rope type dynamic changes with the length beyond max_position_embeddings, ",
        rope.max_position_embeddings,
        ", which is not supported; choose a max context of at most that, not ", max_context));
  return absl::OkStatus();
}

absl::Status checkFinite(const RopeConfig &rope, const RopeTable &table) {
  auto sane = [](float value) { return std::isfinite(value) && value > 0; };
  if (sane(table.attention_factor) &&
      std::all_of(table.inverse_frequencies.begin(), table.inverse_frequencies.end(), sane))
    return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      rope.source, ": these rope parameters give frequencies that are not positive numbers"));
}

absl::StatusOr<RopeTable> computeTable(const RopeConfig &rope, int64_t dim, int64_t max_context) {
  RopeTable table;
  switch (rope.kind) {
  case RopeKind::plain:
  case RopeKind::dynamic: // within max_position_embeddings it is the plain one
    table.inverse_frequencies = reciprocals(wavelengthScales(rope.theta, dim));
    break;
  case RopeKind::linear:
    table.inverse_frequencies = reciprocals(wavelengthScales(rope.theta, dim));
    for (float &frequency : table.inverse_frequencies)
      frequency /= static_cast<float>(rope.factor);
    break;
  case RopeKind::alpha_ntk: {
    double exponent = static_cast<double>(dim) / static_cast<double>(dim - 2);
    double theta = rope.theta * std::pow(rope.alpha, exponent);
    table.inverse_frequencies = reciprocals(wavelengthScales(theta, dim));
    break;
  }
  case RopeKind::yarn:
    table.inverse_frequencies = yarnFrequencies(rope, dim);
    table.attention_factor = yarnAttentionFactor(rope);
    break;
  case RopeKind::llama3: table.inverse_frequencies = llama3Frequencies(rope, dim); break;
  case RopeKind::longrope: {
    LATHE_ASSIGN_OR_RETURN(table.inverse_frequencies, longropeFrequencies(rope, dim, max_context));
    table.attention_factor = longropeAttentionFactor(rope);
    break;
  }
  }
  return table;
}

} // namespace

absl::StatusOr<RopeTable> RopeConfig::table(int64_t rotary_dim, int64_t max_context) const {
  LATHE_RETURN_IF_ERROR(checkArguments(*this, rotary_dim, max_context));
  LATHE_ASSIGN_OR_RETURN(RopeTable table, computeTable(*this, rotary_dim, max_context));
  LATHE_RETURN_IF_ERROR(checkFinite(*this, table));
  return table;
}

double RopeConfig::softmaxScaleFactor() const {
  double all_dim = mscale_all_dim.value_or(0);
  if (kind == RopeKind::plain || all_dim == 0)
    return 1;
  double gain = attentionGain(factor, all_dim);
  return gain * gain;
}

} // namespace lathe::frontend
