// Llama 3.x, R1-Distill-Llama, Yi, SmolLM: grouped-query attention, rope over halves.
#include "base/status.h"
#include "models/recipe.h"
#include "models/recipes/common.h"

namespace lathe::models {

absl::StatusOr<Decoder> describeLlama(Keys &keys) {
  LATHE_ASSIGN_OR_RETURN(Decoder decoder, readDecoder(keys, {}));
  LATHE_ASSIGN_OR_RETURN(Gqa attention, readHeads(keys, decoder.hidden_size));
  LATHE_ASSIGN_OR_RETURN(attention.qkv_bias, keys.flagOr("attention_bias", false));
  attention.output_bias = attention.qkv_bias;
  LATHE_ASSIGN_OR_RETURN(Mlp mlp, readMlp(keys));
  LATHE_ASSIGN_OR_RETURN(mlp.bias, keys.flagOr("mlp_bias", false));
  decoder.rotary_dim = attention.head_dim;
  fillLayers(decoder, {attention, mlp});
  return decoder;
}

} // namespace lathe::models
