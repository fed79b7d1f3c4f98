#include "models/blocks/basic.h"

#include "base/status.h"

namespace lathe::models {

namespace {

constexpr const char *kEmbedding = "model.embed_tokens.weight";

absl::StatusOr<mlir::Value> embeddingTable(Step &step, const Decoder &decoder) {
  return step.weight(step.weights().floats(kEmbedding, {decoder.vocab_size, decoder.hidden_size}));
}

absl::StatusOr<mlir::Value> biasOf(Step &step, absl::string_view name, int64_t out) {
  return step.weight(step.weights().floats(step.nameOf(absl::StrCat(name, ".bias")), {out}));
}

} // namespace

int64_t columnsOf(mlir::Value rows) { return ir::shapeOf(rows.getType())[1]; }

absl::StatusOr<mlir::Value> embedding(Step &step, const Decoder &decoder) {
  const auto place = step.enter("embed_tokens");
  LATHE_ASSIGN_OR_RETURN(const mlir::Value table, embeddingTable(step, decoder));
  const mlir::Value rows =
      step.create<ir::EmbeddingOp>(step.rows(decoder.hidden_size), step.tokens(), table);
  return scaled(step, rows, decoder.embedding_scale);
}

absl::StatusOr<mlir::Value> norm(Step &step, mlir::Value x, absl::string_view name, int64_t length,
                                 double epsilon) {
  const auto place = step.enter(name);
  LATHE_ASSIGN_OR_RETURN(const mlir::Value scale,
                         step.weight(step.weights().floats(step.nameOf("weight"), {length})));
  return mlir::Value(step.create<ir::RmsNormOp>(x.getType(), x, scale, step.f32(epsilon)));
}

absl::StatusOr<mlir::Value> linear(Step &step, mlir::Value x, absl::string_view name, int64_t out,
                                   bool bias) {
  LATHE_ASSIGN_OR_RETURN(const mlir::Value weight,
                         step.weight(step.weights().linear(step.nameOf(name), out, columnsOf(x))));
  mlir::Value added;
  if (bias) {
    LATHE_ASSIGN_OR_RETURN(added, biasOf(step, name, out));
  }
  if (mlir::isa<ir::QuantizedType>(weight.getType()))
    return mlir::Value(step.create<ir::ScaledMatmulOp>(step.rows(out), x, weight, added));
  return mlir::Value(step.create<ir::LinearOp>(step.rows(out), x, weight, added));
}

mlir::Value scaled(Step &step, mlir::Value x, double factor) {
  return factor == 1 ? x : mlir::Value(step.create<ir::ScaleOp>(x.getType(), x, step.f32(factor)));
}

absl::StatusOr<mlir::Value> ropeTable(Step &step, const Decoder &decoder) {
  const auto place = step.enter("rotary_emb");
  LATHE_ASSIGN_OR_RETURN(const frontend::RopeTable table,
                         decoder.rope.table(decoder.rotary_dim, step.maxContext()));
  return mlir::Value(
      step.create<ir::RopeTableOp>(step.rows(decoder.rotary_dim), step.positions(),
                                   step.builder().getDenseF32ArrayAttr(table.inverse_frequencies),
                                   step.f32(table.attention_factor)));
}

mlir::Value rope(Step &step, mlir::Value x, mlir::Value table, int64_t head_dim, int64_t offset,
                 RopeLayout layout) {
  const ir::RopeLayout kind =
      layout == RopeLayout::pairs ? ir::RopeLayout::pairs : ir::RopeLayout::half;
  return step.create<ir::RopeOp>(x.getType(), x, table, head_dim, offset, kind);
}

absl::StatusOr<mlir::Value> head(Step &step, mlir::Value x, const Decoder &decoder) {
  mlir::Value rows;
  {
    const auto model = step.enter("model");
    rows = step.create<ir::SelectRowsOp>(x.getType(), x, step.outputRows());
    LATHE_ASSIGN_OR_RETURN(rows,
                           norm(step, rows, "norm", decoder.hidden_size, decoder.norm_epsilon));
  }
  const auto place = step.enter("lm_head");
  rows = scaled(step, rows, decoder.logits_scale);
  if (!decoder.tied)
    return linear(step, rows, "", decoder.vocab_size);
  LATHE_ASSIGN_OR_RETURN(const mlir::Value table, embeddingTable(step, decoder));
  return mlir::Value(
      step.create<ir::LinearOp>(step.rows(decoder.vocab_size), rows, table, mlir::Value()));
}

} // namespace lathe::models
