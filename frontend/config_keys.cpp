#include "frontend/config_keys.h"

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_set.h"

namespace lathe::frontend {
namespace {

// Collected from the published configs of DeepSeek V2 to V3.1, Kimi K2, MiniCPM3, Llama 3.x, Yi,
// SmolLM, InternLM3, Qwen 2 to 3 and the R1 distillations, and from what older and newer versions
// of transformers write of their own accord.
const absl::flat_hash_set<absl::string_view> &harmlessKeys() {
  static const auto *keys = new absl::flat_hash_set<absl::string_view>{
      // who wrote the file, and from what
      "_name_or_path",
      "_commit_hash",
      "transformers_version",
      "auto_map",
      "is_llama_config",
      "unsloth_fixed",
      "unsloth_version",
      "transformers.js_config",
      "pretraining_tp",
      "finetuning_task",
      "task_specific_params",
      "problem_type",
      "id2label",
      "label2id",
      "tokenizer_class",
      "prefix",
      "model_max_length",
      "architectures",
      "model_type",
      // the dtype and the kernels that the reference would choose: ours follow the stored weights
      "torch_dtype",
      "dtype",
      "use_bfloat16",
      "torchscript",
      "_attn_implementation",
      "_attn_implementation_internal",
      "_attn_implementation_autoset",
      "attn_implementation",
      "_flash_attn_2_enabled",
      "use_flash_attn",
      "_experts_implementation",
      "_experts_implementation_internal",
      // training only: initial values, dropout, auxiliary losses, how experts were spread
      "initializer_range",
      "attention_dropout",
      "hidden_dropout",
      "resid_pdrop",
      "embd_pdrop",
      "attn_pdrop",
      "classifier_dropout",
      "aux_loss_alpha",
      "seq_aux",
      "router_aux_loss_coef",
      "router_jitter_noise",
      "ep_size",
      "gradient_checkpointing",
      "tf_legacy_loss",
      // what a forward call returns, and whether it keeps a cache: we decide that
      "use_cache",
      "output_router_logits",
      "output_attentions",
      "output_hidden_states",
      "return_dict",
      "return_dict_in_generate",
      "output_scores",
      "chunk_size_feed_forward",
      // special tokens: generation_config.h reads those that matter
      "bos_token_id",
      "eos_token_id",
      "pad_token_id",
      "sep_token_id",
      "decoder_start_token_id",
      "forced_bos_token_id",
      "forced_eos_token_id",
      // defaults of the sampler, which old versions kept here: they come after the logits
      "do_sample",
      "temperature",
      "top_k",
      "top_p",
      "typical_p",
      "repetition_penalty",
      "length_penalty",
      "no_repeat_ngram_size",
      "encoder_no_repeat_ngram_size",
      "bad_words_ids",
      "num_return_sequences",
      "num_beams",
      "num_beam_groups",
      "diversity_penalty",
      "early_stopping",
      "max_length",
      "min_length",
      "max_new_tokens",
      "remove_invalid_values",
      "suppress_tokens",
      "begin_suppress_tokens",
      "exponential_decay_length_penalty",
      // follows from keys that every recipe reads
      "qk_head_dim",
  };
  return *keys;
}

// Switches for things we do not do; harmless while they are off. (Off: false, 0, empty.)
const absl::flat_hash_set<absl::string_view> &switches() {
  static const auto *keys = new absl::flat_hash_set<absl::string_view>{
      "is_encoder_decoder", "is_decoder",  "add_cross_attention",      "tie_encoder_decoder",
      "pruned_heads",       "use_mrope",   "rope_interleaved",         "use_sliding_window",
      "mlp_only_layers",    "use_qk_norm", "num_nextn_predict_layers", "attention_bias",
      "mlp_bias",           "use_cla",     "use_mixed_mlp_moe",
  };
  return *keys;
}

bool isOff(const nlohmann::ordered_json &value) {
  if (value.is_boolean())
    return !value.get<bool>();
  if (value.is_number_integer())
    return value.get<int64_t>() == 0;
  return (value.is_array() || value.is_object()) && value.empty();
}

// "layer_types" only restates that no layer is special.
bool isAllFullAttention(const nlohmann::ordered_json &value) {
  return value.is_array() && absl::c_all_of(value, [](const nlohmann::ordered_json &kind) {
           return kind.is_string() && kind.get_ref<const std::string &>() == "full_attention";
         });
}

} // namespace

bool isHarmlessKey(absl::string_view key) { return harmlessKeys().contains(key); }

bool isSwitchedOff(absl::string_view key, const nlohmann::ordered_json &value) {
  if (value.is_null()) // says nothing: the class default holds, which the recipe knows
    return true;
  if (key == "layer_types")
    return isAllFullAttention(value);
  return switches().contains(key) && isOff(value);
}

} // namespace lathe::frontend
