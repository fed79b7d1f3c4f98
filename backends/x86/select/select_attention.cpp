// Selection of attention, both kinds.
#include "backends/x86/kernels/attention.h"
#include "backends/x86/kernels/linear.h"
#include "backends/x86/kernels/mla.h"
#include "backends/x86/kernels/rows.h"
#include "backends/x86/scratch.h"
#include "backends/x86/select/choice.h"
#include "backends/x86/select/selector.h"
#include "backends/x86/state_layout.h"

namespace lathe::x86 {

using mlir::failure;
using mlir::FailureOr;
using mlir::LogicalResult;
using mlir::success;

// What pieces of a decode step's context left in `scratch`.
static void merge(Selector &s, mlir::Operation *op, const Pieces &pieces, float log2_base,
                  int64_t scratch, int64_t result) {
  MergePiecesParams params{pieces, floatBits(log2_base)};
  s.add(op, "merge_pieces", params, {scratch, result}, mergePiecesItems(params));
}

static void attendInPieces(Selector &s, ir::AttentionOp op, int64_t cache) {
  AttentionPieceParams params = pieceParams(op);
  int64_t scratch = s.scratch(op);
  s.add(op, "attention_piece", params, {s.place(op.getQuery()).operand, cache, scratch},
        pieceItems(attentionPieces(params)));
  merge(s, op, attentionPieces(params), 1, scratch, s.place(op.getResult()).operand);
}

static void attendRows(Selector &s, ir::AttentionOp op, int64_t cache) {
  Place query = s.place(op.getQuery()), result = s.place(storedAs(op.getResult()));
  AttentionPieceParams piece = pieceParams(op);
  AttentionParams params{piece.cache,
                         piece.num_heads,
                         piece.softmax_scale,
                         piece.window,
                         query.stride,
                         result.stride,
                         result.rows_in,
                         attentionRowsPerItem(s.maxRows(), piece.num_heads / piece.cache.kv_heads),
                         piece.keys_per_piece,
                         mayRound(op)};
  s.add(op, "attention", params, {query.operand, cache, result.operand}, attentionItems(params));
}

LogicalResult selectOp(Selector &s, ir::AttentionOp op) {
  Place key = s.place(op.getKey()), value = s.place(op.getValue());
  int64_t cache = s.place(op.getCache()).operand;
  AttentionWriteParams write{kvCacheParams(op.getCache().getType()), key.stride, value.stride};
  s.add(op, "attention_write", write, {key.operand, value.operand, cache},
        attentionWriteItems(write));
  if (s.isDecode())
    attendInPieces(s, op, cache);
  else
    attendRows(s, op, cache);
  return success();
}

static void absorbed(Selector &s, ir::MlaAttentionOp op, const LatentCacheParams &layout,
                     int64_t cache) {
  Place query = s.place(op.getQuery()), result = s.place(op.getResult());
  MlaAbsorbedParams params{layout,
                           static_cast<int64_t>(op.getNumHeads()),
                           floatBits(op.getSoftmaxScale().convertToFloat()),
                           query.stride,
                           result.stride,
                           absorbedRowsPerItem(op.getNumHeads())};
  s.add(op, "mla_absorbed", params, {query.operand, cache, result.operand},
        mlaAbsorbedItems(params));
}

static void absorbedInPieces(Selector &s, ir::MlaAttentionOp op, int64_t cache) {
  constexpr float log2_e = 1.44269504f;
  MlaPieceParams params = pieceParams(op);
  int64_t scratch = s.scratch(op);
  s.add(op, "mla_piece", params, {s.place(op.getQuery()).operand, cache, scratch},
        pieceItems(mlaPieces(params)));
  merge(s, op, mlaPieces(params), log2_e, scratch, s.place(op.getResult()).operand);
}

static LogicalResult materialised(Selector &s, ir::MlaAttentionOp op, int64_t cache) {
  Place query = s.place(op.getQuery()), result = s.place(storedAs(op.getResult()));
  HeadView keys = keyRows(op), values = valueRows(op);
  FailureOr<MatrixWeight> keyWeight = s.weights().heads(op.getKvB(), keys);
  FailureOr<MatrixWeight> valueWeight = s.weights().heads(op.getKvB(), values);
  if (failed(keyWeight) || failed(valueWeight))
    return failure();
  MlaMaterialisedParams params =
      materialisedParams(op, keyWeight->params, valueWeight->params, s.maxRows());
  params.may_round = mayRound(op);
  params.query_stride = query.stride;
  params.result_stride = result.stride;
  params.result_in = result.rows_in;
  s.add(op, "mla_materialised", params,
        {query.operand, cache, keyWeight->operand, valueWeight->operand, result.operand},
        mlaMaterialisedItems(params));
  return success();
}

LogicalResult selectOp(Selector &s, ir::MlaAttentionOp op) {
  Place latent = s.place(op.getLatent());
  int64_t cache = s.place(op.getCache()).operand;
  LatentCacheParams layout = latentCacheParams(op.getCache().getType());
  MlaWriteParams write{s.split(op.getLatent(), columnsOf(op.getLatent())), layout, latent.stride};
  s.add(op, "mla_write", write, {latent.operand, cache}, mlaWriteItems(write));
  if (op.getKvB())
    return materialised(s, op, cache);
  if (s.isDecode())
    absorbedInPieces(s, op, cache);
  else
    absorbed(s, op, layout, cache);
  return success();
}

// One product a head: x of head h is `x_width` columns wide, its result `result_width`.
static LogicalResult headProducts(Selector &s, mlir::Operation *op, mlir::Value kv_b,
                                  const HeadView &view, const Place &x, int64_t x_width,
                                  const Place &result, int64_t result_width) {
  FailureOr<MatrixWeight> weight = s.weights().heads(kv_b, view);
  if (failed(weight))
    return failure();
  LinearParams params{weight->params,     {Activations::f32, x.stride, 0, 0},
                      s.rowSource(),
                      /*row_factor=*/1,
                      /*has_bias=*/0,
                      /*has_residual=*/0, result.stride,
                      view.heads,         x_width,
                      result_width,       tilesPerItem(weight->params)};
  s.add(op, "linear", params,
        {x.operand, no_operand, weight->operand, no_operand, no_operand, result.operand},
        linearItems(params));
  return success();
}

LogicalResult selectOp(Selector &s, ir::AbsorbQueryOp op) {
  int64_t n = op.getQkNopeHeadDim(), r = op.getQkRopeHeadDim(), heads = op.getNumHeads();
  int64_t c = columnsOf(op.getResult()) / heads - r;
  Place input = s.place(op.getInput()), result = s.place(op.getResult());
  if (failed(
          headProducts(s, op, op.getKvB(), keyRows(op).transposed(), input, n + r, result, c + r)))
    return failure();
  CopyColumnsParams rope{
      s.split(op.getResult(), heads * r), r, heads, input.stride, n + r, result.stride, c + r};
  s.add(op, "copy_columns", rope, {input.column(n).operand, result.column(c).operand},
        copyColumnsItems(rope))
      .joined = true;
  return success();
}

LogicalResult selectOp(Selector &s, ir::ExpandValueOp op) {
  int64_t heads = op.getNumHeads(), v = op.getVHeadDim();
  int64_t c = columnsOf(op.getInput()) / heads;
  return headProducts(s, op, op.getKvB(), valueRows(op), s.place(op.getInput()), c,
                      s.place(op.getResult()), v);
}

} // namespace lathe::x86
