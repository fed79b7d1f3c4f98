// The step function while blocks build it: its rows, its place in the model, its weights and
// caches.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

#include "ir/lathe/dialect.h"
#include "models/weights.h"

namespace lathe::models {

class Step {
public:
  // Appends an empty @step to the module. `max_context` and `cache_element` are those of every
  // cache.
  Step(mlir::ModuleOp module, Weights &weights, int64_t max_context, mlir::Type cache_element);

  // A module of the model, as checkpoints name it: "model", "layers.3", "self_attn". While a place
  // lives, names and locations begin with it.
  class Place {
  public:
    Place(std::string &path, size_t length) : path_(path), length_(length) {}
    ~Place() { path_.resize(length_); }
    Place(const Place &) = delete;

  private:
    std::string &path_;
    size_t length_;
  };
  [[nodiscard]] Place enter(absl::string_view name);
  // "model.layers.3.self_attn.q_proj" for "q_proj"; the place itself for "".
  std::string nameOf(absl::string_view leaf) const;
  // "layers.3.self_attn": the place without "model.".
  mlir::Location location();

  // An op at the present place.
  template <typename Op, typename... Arguments> Op create(Arguments &&...arguments) {
    return Op::create(builder_, location(), std::forward<Arguments>(arguments)...);
  }
  // The value of a weight; one that is asked for twice is the same value.
  absl::StatusOr<mlir::Value> weight(absl::StatusOr<StoredWeight> stored);
  Weights &weights() { return weights_; }

  mlir::Value tokens() { return argument(0); }
  mlir::Value slots() { return argument(1); }
  mlir::Value positions() { return argument(2); }
  mlir::Value outputRows() { return argument(3); }
  int64_t maxContext() const { return max_context_; }
  mlir::Type cacheElement() const { return cache_element_; }

  // One row a token, of f32.
  mlir::RankedTensorType rows(int64_t columns);
  mlir::RankedTensorType indices(int64_t columns); // [T, columns] of i32
  mlir::FloatAttr f32(double value) { return builder_.getF32FloatAttr(static_cast<float>(value)); }
  mlir::IntegerAttr i64(int64_t value) { return builder_.getI64IntegerAttr(value); }
  mlir::Builder &builder() { return builder_; }

  // A cache that comes in, "layers.3.KIND", and what goes out in its place, in the same order.
  mlir::Value takeCache(mlir::Type type, absl::string_view kind);
  void giveCache(mlir::Value updated) { updated_.push_back(updated); }

  // Ends the function, which returns the logits and the caches.
  void finish(mlir::Value logits);

private:
  mlir::Value argument(unsigned index) { return function_.getBody().getArgument(index); }
  std::string placeInModel() const;

  mlir::OpBuilder builder_;
  mlir::func::FuncOp function_;
  Weights &weights_;
  int64_t max_context_;
  mlir::Type cache_element_;
  std::string path_;
  absl::flat_hash_map<std::string, mlir::Value> values_; // of weights, by name
  std::vector<std::string> cache_names_;
  std::vector<mlir::Value> updated_;
};

} // namespace lathe::models
