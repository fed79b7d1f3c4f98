// Layers of language models, built of the dialect's ops as the model families build them.
#pragma once

#include "tests/conformance/recipes/experts.h"

namespace lathe::conformance {

// Shapes of one layer.
struct LayerShape {
  int64_t hidden = 64, heads = 4, kv_heads = 2, head_dim = 16;
  int64_t q_lora_rank = 0, kv_lora_rank = 32, nope = 16, rope = 8,
          value = 16; // of latent attention
  int64_t inner = 96;
  const char *layout = "bf16"; // of products
  const char *cache = "f32";
  int64_t context = 64;
  int64_t window = 0;
  bool has_head_norms = false;
  bool is_folded = false; // latent attention with both folds outside
};

mlir::Value rmsNorm(Body &b, const std::string &name, mlir::Value x, int64_t columns,
                    int64_t length);
// linear or scaled_matmul, as the weight wants it.
mlir::Value project(Body &b, const std::string &name, mlir::Value x, int64_t n, int64_t k,
                    const char *layout);

// x + attention(norm(x)), each with its own cache.
mlir::Value groupedAttention(Body &b, const std::string &name, mlir::Value x,
                             const LayerShape &shape);
mlir::Value latentAttention(Body &b, const std::string &name, mlir::Value x,
                            const LayerShape &shape);
// x + mlp(norm(x)).
mlir::Value denseMlp(Body &b, const std::string &name, mlir::Value x, const LayerShape &shape);
// x + experts(norm(x)) + shared(norm(x)); `fused`: as one op, or step by step.
mlir::Value expertLayer(Body &b, const std::string &name, mlir::Value x, const LayerShape &shape,
                        const Routing &routing, bool fused);

// What is left of a number after so many layers of f32 sums. A number that goes into a cache of
// bf16 and stands between two of its numbers may become either.
Measure layers(int64_t count, const LayerShape &shape);

} // namespace lathe::conformance
