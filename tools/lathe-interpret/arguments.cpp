#include "tools/lathe-interpret/arguments.h"

#include <algorithm>
#include <numeric>

#include "backends/reference/seeded.h"

namespace lathe::interpret {

namespace {

using mlir::FailureOr;
using reference::Indices;
using reference::Noise;
using reference::Value;

int64_t rowsOf(mlir::Value value, int64_t rows) {
  const int64_t extent = ir::shapeOf(value.getType())[0];
  return mlir::ShapedType::isDynamic(extent) ? rows : extent;
}

// Rows and order of moe_combine hold K rows a token.
int64_t rowsOfArgument(mlir::BlockArgument argument, int64_t rows) {
  for (mlir::Operation *user : argument.getUsers())
    if (auto combine = mlir::dyn_cast<ir::MoeCombineOp>(user))
      if (argument != combine.getWeights())
        return rows * ir::shapeOf(combine.getWeights().getType())[1];
  return rows;
}

int64_t slotsOf(mlir::Type cache) {
  auto latent = mlir::dyn_cast<ir::LatentCacheType>(cache);
  return latent ? latent.getSlots() : mlir::cast<ir::KvCacheType>(cache).getSlots();
}

int64_t contextOf(mlir::Type cache) {
  auto latent = mlir::dyn_cast<ir::LatentCacheType>(cache);
  return latent ? latent.getMaxContext() : mlir::cast<ir::KvCacheType>(cache).getMaxContext();
}

std::vector<int32_t> random(int64_t count, int64_t limit, const Noise &noise) {
  std::vector<int32_t> values(count);
  for (int64_t i = 0; i < count; ++i)
    values[i] = static_cast<int32_t>((noise(i) + 1) / 2 * limit);
  return values;
}

// Rising by one from a place that the seed chooses, so that no two rows share slot and position.
std::vector<int32_t> consecutive(int64_t count, int64_t limit, const Noise &noise) {
  const int64_t context = std::min(limit, reference::kSeededContext);
  const int64_t first = random(1, std::max<int64_t>(1, context - count + 1), noise)[0];
  std::vector<int32_t> values(count);
  for (int64_t i = 0; i < count; ++i)
    values[i] = static_cast<int32_t>((first + i) % context);
  return values;
}

std::vector<int32_t> permutation(int64_t count, const Noise &noise) {
  std::vector<int32_t> values(count);
  std::iota(values.begin(), values.end(), 0);
  std::sort(values.begin(), values.end(),
            [&](int32_t a, int32_t b) { return noise(a) < noise(b); });
  return values;
}

std::vector<int32_t> evenOffsets(int64_t entries, int64_t rows) {
  std::vector<int32_t> values(entries);
  for (int64_t e = 0; e < entries; ++e)
    values[e] = static_cast<int32_t>(rows * e / std::max<int64_t>(1, entries - 1));
  return values;
}

template <typename Attention>
std::vector<int32_t> placeFor(Attention op, mlir::Value argument, int64_t count,
                              const Noise &noise) {
  const mlir::Type cache = op.getCache().getType();
  return argument == op.getSlots() ? random(count, slotsOf(cache), noise)
                                   : consecutive(count, contextOf(cache), noise);
}

std::vector<int32_t> indicesFor(mlir::Operation *user, mlir::Value argument, int64_t count,
                                int64_t rows, const Noise &noise) {
  if (auto op = mlir::dyn_cast<ir::EmbeddingOp>(user))
    return random(count, ir::shapeOf(op.getTable().getType())[0], noise);
  if (auto op = mlir::dyn_cast<ir::SelectRowsOp>(user))
    return random(count, rowsOf(op.getInput(), rows), noise);
  if (auto op = mlir::dyn_cast<ir::AttentionOp>(user))
    return placeFor(op, argument, count, noise);
  if (auto op = mlir::dyn_cast<ir::MlaAttentionOp>(user))
    return placeFor(op, argument, count, noise);
  if (auto op = mlir::dyn_cast<ir::MoeDispatchOp>(user))
    return random(count, ir::shapeOf(op.getOffsets().getType())[0] - 1, noise);
  if (auto op = mlir::dyn_cast<ir::ExpertFfnOp>(user))
    return evenOffsets(count, rowsOf(op.getRows(), rows));
  if (mlir::isa<ir::MoeCombineOp>(user))
    return permutation(count, noise);
  return consecutive(count, reference::kSeededContext,
                     noise); // rope_table, and what only passes through
}

// The narrowest wish counts: positions feed a rope table, which takes any, and attention.
mlir::Operation *decisiveUser(mlir::BlockArgument argument) {
  for (mlir::Operation *user : argument.getUsers())
    if (!mlir::isa<ir::RopeTableOp, mlir::func::ReturnOp>(user))
      return user;
  return argument.use_empty() ? nullptr : *argument.getUsers().begin();
}

Value seededIndices(mlir::BlockArgument argument, int64_t rows, const Noise &noise) {
  auto type = mlir::cast<mlir::RankedTensorType>(argument.getType());
  std::vector<int64_t> shape = type.getShape().vec();
  if (mlir::ShapedType::isDynamic(shape[0]))
    shape[0] = rowsOfArgument(argument, rows);
  const int64_t count =
      std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
  mlir::Operation *user = decisiveUser(argument);
  std::vector<int32_t> values =
      user ? indicesFor(user, argument, count, rows, noise) : std::vector<int32_t>(count);
  return reference::share(Indices(std::move(shape), std::move(values)));
}

bool holdsIndices(mlir::Type type) {
  auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type);
  return tensor && tensor.getElementType().isInteger(32) && tensor.getRank() > 0;
}

} // namespace

FailureOr<reference::Values> seededArguments(mlir::func::FuncOp function, int64_t rows,
                                             uint64_t seed) {
  reference::Values values;
  for (mlir::BlockArgument argument : function.getArguments()) {
    const Noise noise(seed, "argument " + std::to_string(argument.getArgNumber()));
    const mlir::Type type = argument.getType();
    values.push_back(holdsIndices(type)
                         ? seededIndices(argument, rows, noise)
                         : reference::seededValue(type, rowsOfArgument(argument, rows), noise));
    if (std::holds_alternative<std::monostate>(values.back()))
      return function.emitError("argument ") << argument.getArgNumber() << " is a " << type
                                             << ", which cannot be filled from a seed";
  }
  return values;
}

} // namespace lathe::interpret
