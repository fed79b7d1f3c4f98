// Rotary position embedding as a config describes it, in both generations of keys (rope_theta +
// rope_scaling, or rope_parameters), and the tables that follow from it.
// RoPE: arXiv 2104.09864; YaRN: 2309.00071; LongRoPE: 2402.13753.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "frontend/config.h"

namespace lathe::frontend {

enum class RopeKind { plain, linear, dynamic, alpha_ntk, yarn, llama3, longrope };

absl::string_view name(RopeKind kind); // as configs spell it ("default", "linear", ...)

// angle(position, i) = position * inverse_frequencies[i], in f32.
struct RopeTable {
  std::vector<float> inverse_frequencies; // rotary_dim / 2
  float attention_factor = 1;             // multiplies cos and sin
};

struct RopeConfig {
  // Reads rope_theta, rope_scaling, rope_parameters, partial_rotary_factor,
  // max_position_embeddings and original_max_position_embeddings. A kind we do not have (mrope,
  // ...) is UNIMPLEMENTED; an unknown key in the dict, a value out of range is INVALID_ARGUMENT.
  static absl::StatusOr<RopeConfig> read(const ConfigReader &config, double default_theta = 10000);

  // The table for a rotary dimension (even) when no sequence grows beyond max_context.
  // INVALID_ARGUMENT when factor lists do not fit rotary_dim, or when a dynamic kind would have to
  // change its table (max_context > max_position_embeddings).
  absl::StatusOr<RopeTable> table(int64_t rotary_dim, int64_t max_context) const;

  // DeepSeek's correction of the softmax scale, gm(mscale_all_dim)^2; 1 where it does not apply.
  // Separate from attention_factor. Only the MLA families ask for it.
  double softmaxScaleFactor() const;

  // The longest context that needs no other choice than the config's own.
  int64_t defaultMaxContext() const;

  RopeKind kind = RopeKind::plain;
  double theta = 10000;
  double partial_rotary_factor = 1; // rotary_dim = int(head_dim * this), the caller's to do
  double factor = 1;
  int64_t max_position_embeddings = 0;
  int64_t original_max_position_embeddings = 0; // = max_position_embeddings when not given
  std::string source;                           // for errors

  std::optional<double> attention_factor;           // yarn, longrope
  std::optional<double> mscale, mscale_all_dim;     // yarn
  double beta_fast = 32, beta_slow = 1;             // yarn
  bool truncate = true;                             // yarn
  double low_freq_factor = 1, high_freq_factor = 4; // llama3
  double alpha = 1;                                 // alpha_ntk
  std::vector<double> short_factor, long_factor;    // longrope, rotary_dim / 2 each
};

} // namespace lathe::frontend
