#include "models/blocks/decoder.h"

#include "base/status.h"
#include "models/blocks/attention.h"
#include "models/blocks/basic.h"
#include "models/blocks/feed_forward.h"

namespace lathe::models {

namespace {

mlir::Value addTo(Step &step, mlir::Value h, mlir::Value branch, const Decoder &decoder) {
  branch = scaled(step, branch, decoder.residual_scale);
  return step.create<ir::AddOp>(h.getType(), h, branch);
}

// h + attention(norm(h))
absl::StatusOr<mlir::Value> withAttention(Step &step, mlir::Value h, mlir::Value table,
                                          const Layer &layer, const Decoder &decoder) {
  LATHE_ASSIGN_OR_RETURN(const mlir::Value x, norm(step, h, "input_layernorm", decoder.hidden_size,
                                                   decoder.norm_epsilon));
  const auto place = step.enter("self_attn");
  LATHE_ASSIGN_OR_RETURN(
      const mlir::Value branch,
      std::visit([&](const auto &kind) { return attention(step, x, table, kind, decoder); },
                 layer.attention));
  return addTo(step, h, branch, decoder);
}

// h + ffn(norm(h))
absl::StatusOr<mlir::Value> withFeedForward(Step &step, mlir::Value h, const Layer &layer,
                                            const Decoder &decoder) {
  LATHE_ASSIGN_OR_RETURN(const mlir::Value x, norm(step, h, "post_attention_layernorm",
                                                   decoder.hidden_size, decoder.norm_epsilon));
  const auto place = step.enter("mlp");
  LATHE_ASSIGN_OR_RETURN(
      const mlir::Value branch,
      std::visit([&](const auto &kind) { return feedForward(step, x, kind); }, layer.ffn));
  return addTo(step, h, branch, decoder);
}

absl::StatusOr<mlir::Value> layers(Step &step, const Decoder &decoder) {
  const auto model = step.enter("model");
  LATHE_ASSIGN_OR_RETURN(const mlir::Value table, ropeTable(step, decoder));
  LATHE_ASSIGN_OR_RETURN(mlir::Value h, embedding(step, decoder));
  for (size_t i = 0; i < decoder.layers.size(); ++i) {
    const auto place = step.enter(absl::StrCat("layers.", i));
    LATHE_ASSIGN_OR_RETURN(h, withAttention(step, h, table, decoder.layers[i], decoder));
    LATHE_ASSIGN_OR_RETURN(h, withFeedForward(step, h, decoder.layers[i], decoder));
  }
  return h;
}

} // namespace

absl::Status buildDecoder(Step &step, const Decoder &decoder) {
  LATHE_ASSIGN_OR_RETURN(const mlir::Value h, layers(step, decoder));
  LATHE_ASSIGN_OR_RETURN(const mlir::Value logits, head(step, h, decoder));
  step.finish(logits);
  return absl::OkStatus();
}

} // namespace lathe::models
