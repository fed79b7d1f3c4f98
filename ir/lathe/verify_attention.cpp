// Labels: (Cn) of an op's description in attention_ops.td.
#include "ir/lathe/verify.h"

namespace lathe::ir {

using llvm::LogicalResult;
using mlir::failure;
using mlir::success;

namespace {

LogicalResult verifyScale(mlir::Operation *op, const llvm::APFloat &scale) {
  if (!scale.isFinite() || scale.convertToDouble() <= 0)
    return op->emitOpError("softmax_scale is ")
           << scale.convertToDouble() << "; it should be finite and greater than 0";
  return success();
}

LogicalResult verifyCacheKept(mlir::Operation *op, mlir::Type before, mlir::Type after) {
  if (before != after)
    return op->emitOpError("gives a ")
           << after << "; it should be the type that goes in, " << before;
  return success();
}

LogicalResult verifyColumns(mlir::Operation *op, llvm::StringRef name, mlir::Value value,
                            int64_t wanted, llvm::StringRef reason) {
  if (columnsOf(value) != wanted)
    return wrongCount(op, name, columnsOf(value), "columns", wanted, reason);
  return success();
}

constexpr int64_t kMaxHeadExtent = int64_t{1} << 24;

// Extents of one head, and what their number makes of them.
struct Heads {
  int64_t count, nope, rope, value;

  template <typename Op> static Heads of(Op op) {
    return {static_cast<int64_t>(op.getNumHeads()), static_cast<int64_t>(op.getQkNopeHeadDim()),
            static_cast<int64_t>(op.getQkRopeHeadDim()), static_cast<int64_t>(op.getVHeadDim())};
  }
  // Not so large that a product with their number overflows.
  bool sensible() const {
    return llvm::all_of(llvm::ArrayRef<int64_t>{count, nope, rope, value},
                        [](int64_t extent) { return extent >= 1 && extent <= kMaxHeadExtent; });
  }
  llvm::LogicalResult verify(mlir::Operation *op) const {
    if (sensible())
      return success();
    return op->emitOpError("has ")
           << count << " heads of qk_nope_head_dim " << nope << ", qk_rope_head_dim " << rope
           << ", v_head_dim " << value << "; each should be from 1 to " << kMaxHeadExtent;
  }
  int64_t weightRows() const { return count * (nope + value); }
};

LogicalResult verifyWeightRows(mlir::Operation *op, const Heads &heads, mlir::Value kv_b) {
  if (shapeOf(kv_b.getType()).size() != 2)
    return op->emitOpError("kv_b has rank ")
           << shapeOf(kv_b.getType()).size() << "; it should have rank 2";
  if (rowsOf(kv_b) != heads.weightRows())
    return wrongCount(op, "kv_b", rowsOf(kv_b), "rows", heads.weightRows(),
                      "each head has qk_nope_head_dim + v_head_dim");
  return success();
}

} // namespace

LogicalResult AttentionOp::verify() {
  const KvCacheType cache = getCache().getType();
  const int64_t kv_heads = cache.getKvHeads(), num_heads = getNumHeads();
  // attention_c3
  if (num_heads < 1 || num_heads > kMaxHeadExtent || num_heads % kv_heads != 0)
    return emitOpError("num_heads is ")
           << num_heads << "; it should be a multiple of kv_heads, which is " << kv_heads;
  // attention_c1
  if (failed(
          verifyColumns(*this, "key", getKey(), kv_heads * cache.getKeyDim(), "the cache says")) ||
      failed(verifyColumns(*this, "value", getValue(), kv_heads * cache.getValueDim(),
                           "the cache says")))
    return failure();
  // attention_c2
  if (failed(verifyColumns(*this, "query", getQuery(), num_heads * cache.getKeyDim(),
                           "each head has key_dim")) ||
      failed(verifyColumns(*this, "result", getResult(), num_heads * cache.getValueDim(),
                           "each head has value_dim")))
    return failure();
  // attention_c4
  if (failed(verifyScale(*this, getSoftmaxScale())))
    return failure();
  if (getWindow() && static_cast<int64_t>(*getWindow()) < 1)
    return emitOpError("window is ")
           << static_cast<int64_t>(*getWindow()) << "; it should be at least 1";
  // attention_c5
  if (failed(verifySameRows(
          *this, {getQuery(), getKey(), getValue(), getSlots(), getPositions(), getResult()})))
    return failure();
  // attention_c6
  return verifyCacheKept(*this, cache, getUpdated().getType());
}

LogicalResult MlaAttentionOp::verify() {
  const LatentCacheType cache = getCache().getType();
  const int64_t rank = cache.getKvLoraRank();
  const Heads heads = Heads::of(*this);
  // mla_attention_c4
  if (failed(heads.verify(*this)))
    return failure();
  if (failed(verifyScale(*this, getSoftmaxScale())))
    return failure();
  // mla_attention_c1
  if (cache.getRopeDim() != heads.rope)
    return emitOpError("the cache's rope_dim is ")
           << cache.getRopeDim() << "; it should be qk_rope_head_dim, which is " << heads.rope;
  if (failed(verifyColumns(*this, "latent", getLatent(), rank + heads.rope,
                           "kv_lora_rank + rope_dim says")))
    return failure();
  if (getKvB()) {
    // mla_attention_c2
    if (failed(verifyWeightRows(*this, heads, getKvB())) ||
        failed(verifyColumns(*this, "kv_b", getKvB(), rank, "kv_lora_rank says")) ||
        failed(verifyColumns(*this, "query", getQuery(), heads.count * (heads.nope + heads.rope),
                             "each head has nope and rope")) ||
        failed(verifyColumns(*this, "result", getResult(), heads.count * heads.value,
                             "each head has v_head_dim")))
      return failure();
  } else {
    // mla_attention_c3
    if (getForm() != MlaForm::absorbed)
      return emitOpError("has the form ")
             << stringifyMlaForm(getForm()) << "; without kv_b it should be absorbed";
    if (failed(verifyColumns(*this, "query", getQuery(), heads.count * (rank + heads.rope),
                             "each head has kv_lora_rank and rope")) ||
        failed(verifyColumns(*this, "result", getResult(), heads.count * rank,
                             "each head has kv_lora_rank")))
      return failure();
  }
  // mla_attention_c5
  if (failed(verifySameRows(*this,
                            {getQuery(), getLatent(), getSlots(), getPositions(), getResult()})))
    return failure();
  // mla_attention_c6
  return verifyCacheKept(*this, cache, getUpdated().getType());
}

LogicalResult AbsorbQueryOp::verify() {
  const Heads heads = Heads::of(*this);
  // absorb_query_c3
  if (failed(heads.verify(*this)))
    return failure();
  // absorb_query_c1
  if (failed(verifyWeightRows(*this, heads, getKvB())))
    return failure();
  // absorb_query_c2
  if (failed(verifyColumns(*this, "input", getInput(), heads.count * (heads.nope + heads.rope),
                           "each head has nope and rope")) ||
      failed(verifyColumns(*this, "result", getResult(),
                           heads.count * (columnsOf(getKvB()) + heads.rope),
                           "each head has the columns of kv_b and rope")))
    return failure();
  return verifySameRows(*this, {getInput(), getResult()});
}

LogicalResult ExpandValueOp::verify() {
  const Heads heads = Heads::of(*this);
  // expand_value_c3
  if (failed(heads.verify(*this)))
    return failure();
  // expand_value_c1
  if (failed(verifyWeightRows(*this, heads, getKvB())))
    return failure();
  // expand_value_c2
  if (failed(verifyColumns(*this, "input", getInput(), heads.count * columnsOf(getKvB()),
                           "each head has the columns of kv_b")) ||
      failed(verifyColumns(*this, "result", getResult(), heads.count * heads.value,
                           "each head has v_head_dim")))
    return failure();
  return verifySameRows(*this, {getInput(), getResult()});
}

} // namespace lathe::ir
