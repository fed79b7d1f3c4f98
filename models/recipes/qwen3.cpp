// Qwen3, dense: Qwen2 without its biases, with a norm on each query and key head before rope. The
// length of a head is independent of hidden_size.
#include "base/status.h"
#include "models/recipe.h"
#include "models/recipes/common.h"

namespace lathe::models {

absl::StatusOr<Decoder> describeQwen3(Keys &keys) {
  LATHE_ASSIGN_OR_RETURN(Decoder decoder, readDecoder(keys, {}));
  LATHE_ASSIGN_OR_RETURN(Gqa attention, readHeads(keys, decoder.hidden_size, /*head_dim=*/128));
  LATHE_ASSIGN_OR_RETURN(attention.qkv_bias, keys.flagOr("attention_bias", false));
  attention.output_bias = attention.qkv_bias;
  attention.qk_norm = true;
  LATHE_ASSIGN_OR_RETURN(const Mlp mlp, readMlp(keys));
  decoder.rotary_dim = attention.head_dim;
  fillLayers(decoder, {attention, mlp});
  LATHE_RETURN_IF_ERROR(readWindows(keys, decoder));
  return decoder;
}

} // namespace lathe::models
