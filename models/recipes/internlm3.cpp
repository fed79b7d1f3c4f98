// InternLM3: Llama with its own names for biases. `bias` is that of the output and of the MLP.
#include "base/status.h"
#include "models/recipe.h"
#include "models/recipes/common.h"

namespace lathe::models {

absl::StatusOr<Decoder> describeInternLm3(Keys &keys) {
  LATHE_ASSIGN_OR_RETURN(Decoder decoder, readDecoder(keys, {}));
  LATHE_ASSIGN_OR_RETURN(Gqa attention, readHeads(keys, decoder.hidden_size));
  LATHE_ASSIGN_OR_RETURN(attention.qkv_bias, keys.flagOr("qkv_bias", false));
  LATHE_ASSIGN_OR_RETURN(attention.output_bias, keys.flagOr("bias", false));
  LATHE_ASSIGN_OR_RETURN(Mlp mlp, readMlp(keys));
  mlp.bias = attention.output_bias;
  decoder.rotary_dim = attention.head_dim;
  fillLayers(decoder, {attention, mlp});
  return decoder;
}

} // namespace lathe::models
