// Groups of keys that several families have.
#pragma once

#include "models/decoder.h"
#include "models/keys.h"

namespace lathe::models {

// What a family's class takes where config.json says nothing.
struct Defaults {
  double norm_epsilon = 1e-6;
  bool tied = false;
};

// Everything of a decoder but what its layers are, of which there are `num_hidden_layers` empty
// ones.
absl::StatusOr<Decoder> readDecoder(Keys &keys, const Defaults &defaults);

// num_attention_heads, num_key_value_heads, head_dim. `head_dim` is the class default: 0 means
// hidden_size / num_attention_heads.
absl::StatusOr<Gqa> readHeads(Keys &keys, int64_t hidden_size, int64_t head_dim = 0);

// The dimensions of latent attention. `v_head_dim` is the class default; 0: the key is required.
absl::StatusOr<Mla> readLatentHeads(Keys &keys, int64_t v_head_dim = 0);

absl::StatusOr<Mlp> readMlp(Keys &keys);

// DeepSeek's experts: counts and sizes, and the groups where `groups` says that routing has them.
// How scores are made is the family's to fill in.
absl::StatusOr<Moe> readExperts(Keys &keys, bool groups, Moe::GroupScore group_score);

// The same attention in all layers; an MLP in those before `first_k_dense_replace`, experts after.
absl::Status fillDeepseekLayers(Keys &keys, Decoder &decoder, const Mla &attention, const Mlp &mlp,
                                const Moe &experts);

// The same in all layers.
void fillLayers(Decoder &decoder, const Layer &layer);

// Qwen's sliding windows, in the layers that layer_types names, or from max_window_layers on.
absl::Status readWindows(Keys &keys, Decoder &decoder);

} // namespace lathe::models
