// What passes decided and why, kept in the IR (`lathe.explain` on the function) so that it travels
// with every dump and every artifact.
#pragma once

#include <optional>
#include <string>

#include "mlir/IR/BuiltinOps.h"

namespace lathe::passes {

struct Alternative {
  std::string choice, cost;
};

struct Decision {
  llvm::StringRef pass; // its DEBUG_TYPE
  std::string op;       // "mla_attention": what was decided about
  std::string choice, why;
  std::string cost = {}; // "0.3 ms"; empty where no costs were compared
  llvm::SmallVector<Alternative> alternatives = {};
};

// Records a decision about `op` on the function around it, under the layer that its location names.
void explain(mlir::Operation *op, const Decision &decision);

// The number in a name like "layers.3.self_attn" or "model.layers.3.mlp"; none outside of layers.
std::optional<int64_t> layerOf(mlir::Location location);

// "layers.3.self_attn": the first name in a location; empty where there is none.
std::string placeInModel(mlir::Location location);

// A weight's name without the layer, for `why`: "self_attn.q_proj.weight".
std::string nameOfWeight(mlir::Value weight);

// Decisions of all functions as a JSON array of objects of strings: step, pass, layers, op, choice,
// why, and where there are any cost and alternatives. Equal decisions of several layers are one
// object ("layers": "0-3,5"); "layers" is empty for what stands outside of them.
std::string explainJson(mlir::ModuleOp module);

} // namespace lathe::passes
