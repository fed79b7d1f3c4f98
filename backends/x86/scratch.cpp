#include "backends/x86/scratch.h"

#include "backends/x86/kernels/linear.h"
#include "backends/x86/select/choice.h"
#include "backends/x86/state_layout.h"
#include "ir/lathe/verify.h"

namespace lathe::x86 {

int64_t narrowRowsBytes(int64_t max_rows, int64_t columns) {
  return std::max(max_rows * columns * 2, stepsBytes(max_rows, columns));
}

ExpertScratch expertScratch(ir::FusedExpertsOp op, int64_t max_rows) {
  llvm::ArrayRef<int64_t> shape = ir::shapeOf(op.getGate().getType()); // [E, F, H]
  ExpertScratch s{};
  s.experts = shape[0], s.inner = shape[1], s.hidden = shape[2],
  s.top_k = op.getRouting().getTopK();
  s.block = ir::blockColumnsOf(op.getActivations());
  int64_t pairs = max_rows * s.top_k, next = 0;
  auto take = [&](int64_t elements) {
    return std::exchange(next, next + roundUp(elements * 4, 64));
  };
  bool copies = op.getActivations() != ir::Activations::f32, scales = s.block != 0,
       narrow = max_rows > 1 && op.getActivations() == ir::Activations::bf16;
  s.logits = take(max_rows > 1 ? 0 : s.experts);
  s.indices = take(pairs), s.weights = take(pairs);
  s.order = take(pairs), s.position = take(pairs), s.offsets = take(s.experts + 1);
  s.x_codes = take(copies ? max_rows * s.hidden : 0);
  s.x_scales = take(scales ? max_rows * ceilDiv(s.hidden, s.block) : 0);
  s.h = take(narrow ? 0 : pairs * s.inner);
  s.h_codes = take(narrow ? ceilDiv(narrowRowsBytes(pairs, s.inner), 4) : copies * pairs * s.inner);
  s.h_scales = take(scales ? pairs * ceilDiv(s.inner, s.block) : 0);
  s.rows = take(max_rows > 1 ? pairs * s.hidden : 0);
  s.bytes = next;
  return s;
}

MlaMaterialisedParams materialisedParams(ir::MlaAttentionOp op, const WeightParams &keys,
                                         const WeightParams &values, int64_t max_rows) {
  MlaMaterialisedParams params{};
  params.cache = latentCacheParams(op.getCache().getType());
  params.key_weight = keys;
  params.value_weight = values;
  params.num_heads = op.getNumHeads();
  params.softmax_scale = floatBits(op.getSoftmaxScale().convertToFloat());
  params.rows_per_item = materialisedRowsPerItem(max_rows);
  return params;
}

MlaPieceParams pieceParams(ir::MlaAttentionOp op) {
  LatentCacheParams cache = latentCacheParams(op.getCache().getType());
  return {cache, static_cast<int64_t>(op.getNumHeads()),
          floatBits(op.getSoftmaxScale().convertToFloat()), latentsPerPiece(cache.max_context)};
}

AttentionPieceParams pieceParams(ir::AttentionOp op) {
  KvCacheParams cache = kvCacheParams(op.getCache().getType());
  int64_t heads = op.getNumHeads();
  return {cache, heads, floatBits(op.getSoftmaxScale().convertToFloat()),
          static_cast<int64_t>(op.getWindow().value_or(0)),
          keysPerPiece(cache.max_context, heads / cache.kv_heads)};
}

int64_t attentionScratch(ir::MlaAttentionOp op, int64_t max_rows) {
  return max_rows == 1 && !op.getKvB() ? pieceScratch(mlaPieces(pieceParams(op))) : 0;
}

int64_t attentionScratch(ir::AttentionOp op, int64_t max_rows) {
  return max_rows == 1 ? pieceScratch(attentionPieces(pieceParams(op))) : 0;
}

} // namespace lathe::x86
