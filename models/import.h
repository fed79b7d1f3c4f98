// From a Hugging Face checkpoint to portable IR: a recipe per family says what the config means,
// and blocks spell it. Weights stay in the checkpoint; the IR names them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include "frontend/checkpoint.h"
#include "models/decoder.h"
#include "models/weights.h"

namespace lathe::models {

// Bytes hashed; false cancels.
using Progress = std::function<bool(uint64_t done, uint64_t total)>;

// What caches hold. bf16: latents, keys and values are rounded to it when they are written, which
// halves the state and changes results.
enum class CacheElement { f32, bf16 };

struct ImportOptions {
  int64_t max_context = 0; // positions that caches hold; 0: the model's own
  CacheElement cache = CacheElement::f32;
  bool hash = true; // content hashes in references: reads every weight once
  Progress progress;
};

// A module with attribute `lathe.model` and one function @step over T rows:
//   (tokens, slots, positions, output_rows: tensor<?xi32>, a cache per layer)
//     -> (logits of output_rows, the caches)
// Cache arguments have `lathe.name`, "layers.3.kv" or "layers.3.latent". Ops have the name of their
// module as location, "layers.3.self_attn.q_a_layernorm". Loads the dialects into the context.
// Errors: UNIMPLEMENTED (a model or a format that is not supported), INVALID_ARGUMENT, NOT_FOUND,
// CANCELLED. Nothing of a weight is copied.
absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>>
importCheckpoint(mlir::MLIRContext &context, const frontend::Checkpoint &checkpoint,
                 const ImportOptions &options = {});

// The same with what was found out on the way.
struct LeftAside {
  std::string what;
  StoredAmount amount;
};
struct Imported {
  std::string family, architecture, model_type; // as config.json says them; empty: it does not
  Decoder decoder;
  int64_t max_context = 0, parameters = 0;
  std::vector<std::string> assumed;
  std::map<std::string, StoredAmount> formats;
  std::vector<LeftAside> left_aside;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};
absl::StatusOr<Imported> importWithFindings(mlir::MLIRContext &context,
                                            const frontend::Checkpoint &checkpoint,
                                            const ImportOptions &options);

} // namespace lathe::models
