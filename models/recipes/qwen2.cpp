// Qwen2, Qwen2.5, QwQ, R1-Distill-Qwen: Llama with biases on queries, keys and values, never on the
// output, and windows that published models switch off.
#include "base/status.h"
#include "models/recipe.h"
#include "models/recipes/common.h"

namespace lathe::models {

absl::StatusOr<Decoder> describeQwen2(Keys &keys) {
  LATHE_ASSIGN_OR_RETURN(Decoder decoder, readDecoder(keys, {}));
  LATHE_ASSIGN_OR_RETURN(Gqa attention, readHeads(keys, decoder.hidden_size));
  attention.qkv_bias = true;
  LATHE_ASSIGN_OR_RETURN(const Mlp mlp, readMlp(keys));
  decoder.rotary_dim = attention.head_dim;
  fillLayers(decoder, {attention, mlp});
  LATHE_RETURN_IF_ERROR(readWindows(keys, decoder));
  return decoder;
}

} // namespace lathe::models
