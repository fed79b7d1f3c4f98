#include "passes/cost/prefill.h"

#include <algorithm>
#include <cmath>

#include "passes/cost/op_seconds.h"
#include "passes/rows.h"
#include "passes/step.h"

namespace lathe::passes::cost {

namespace {

constexpr double kElementBytes = 4; // of a row
constexpr int64_t kLeastChunk = 64, kMostChunk = 2048;

// How many times something occurs: equal layers are weighed once.
template <typename Item> void count(std::vector<std::pair<Item, double>> &items, const Item &item) {
  auto found = llvm::find_if(items, [&](const auto &entry) { return entry.first == item; });
  if (found == items.end())
    items.emplace_back(item, 1);
  else
    found->second += 1;
}

} // namespace

Prefill::Prefill(mlir::func::FuncOp step, llvm::StringRef rows) : rows_(rows) {
  for (auto [index, argument] : llvm::enumerate(step.getArguments()))
    if (hasRows(argument.getType()))
      factors_[argument] = index < kOutputRowsArgument ? 1 : 0; // a prompt wants logits once
  for (mlir::Operation &op : step.getBody().front().without_terminator()) {
    follow(op);
    if (!mlir::isa<ir::WeightOp, ir::SliceOp>(op))
      add(op);
  }
}

void Prefill::follow(mlir::Operation &op) {
  const auto rowsOf = [&](mlir::Value value) { return factors_.lookup(value); };
  for (mlir::OpResult result : op.getResults())
    if (hasRows(result.getType()) && mlir::ShapedType::isDynamic(ir::shapeOf(result.getType())[0]))
      factors_[result] = rowsOfResult(result, rowsOf);
}

void Prefill::add(mlir::Operation &op) {
  double inner = 0;
  for (const WeightWork &work :
       weightWork(&op, [&](mlir::Value value) { return factors_.lookup(value); }))
    addProduct(work);
  if (auto experts = mlir::dyn_cast<ir::ExpertFfnOp>(op))
    inner = static_cast<double>(factors_.lookup(experts.getRows()) *
                                ir::shapeOf(experts.getGate().getType())[1]);
  if (auto latent = mlir::dyn_cast<ir::MlaAttentionOp>(op); latent && latent.getKvB()) {
    weight_bytes_ += weightCost(latent.getKvB().getType()).bytes;
    count(latents_, MlaShape::of(latent));
  }
  if (auto attention = mlir::dyn_cast<ir::AttentionOp>(op))
    count(attentions_, keyWork(attention));
  addRows(op, inner);
}

void Prefill::addProduct(const WeightWork &work) {
  const WeightCost cost = weightCost(work.weight);
  weight_bytes_ += cost.bytes;
  count(products_, {cost, work.rows});
}

void Prefill::addRows(mlir::Operation &op, double inner) {
  double bytes = 2 * kElementBytes * inner; // written and read
  for (mlir::Value value : op.getOperands())
    if (factors_.contains(value))
      bytes += rowBytes(value.getType()) * static_cast<double>(factors_.lookup(value));
  for (mlir::Value value : op.getResults())
    if (factors_.contains(value))
      bytes += rowBytes(value.getType()) * static_cast<double>(factors_.lookup(value));
  moved_.push_back(bytes);
  widest_ = std::max(widest_, bytes);
}

double Prefill::productsSeconds(const Table &table, double rows) const {
  double seconds = 0;
  for (const auto &[product, times] : products_)
    seconds += times * meanProductSeconds(table, product.weight, rows_, product.rows * rows);
  return seconds;
}

double Prefill::movingSeconds(const Table &table, double rows) const {
  double seconds = table.number("region_seconds") * static_cast<double>(moved_.size());
  for (double bytes : moved_)
    if (bytes * rows > table.number("cache_bytes"))
      seconds += table.readSeconds(bytes * rows);
  return seconds;
}

double Prefill::attentionSeconds(const Table &table, double rows, double keys) const {
  double seconds = 0;
  for (const auto &[shape, times] : latents_)
    seconds += times * std::min(cost::seconds(table, shape, ir::MlaForm::absorbed, rows, keys),
                                cost::seconds(table, shape, ir::MlaForm::materialised, rows, keys));
  for (const auto &[attention, times] : attentions_)
    seconds += times * groupedSeconds(table, attention, rows, keys);
  return seconds;
}

double Prefill::seconds(const Table &table, int64_t chunk, int64_t tokens) const {
  const auto stepSeconds = [&](double rows) {
    return productsSeconds(table, rows) + movingSeconds(table, rows);
  };
  const int64_t whole = tokens / chunk, rest = tokens % chunk;
  double seconds = static_cast<double>(whole) * stepSeconds(static_cast<double>(chunk)) +
                   (rest ? stepSeconds(static_cast<double>(rest)) : 0);
  for (int64_t done = 0; done < tokens; done += chunk) {
    const auto rows = static_cast<double>(std::min(chunk, tokens - done));
    seconds += attentionSeconds(table, rows, static_cast<double>(done) + rows / 2);
  }
  return seconds;
}

double arenaRoom(const Prefill &prefill) {
  return std::max(kLeastArena, prefill.weightBytes() * kArenaShare);
}

llvm::SmallVector<ChunkChoice> chunkChoices(const Prefill &prefill, llvm::ArrayRef<Table> tables,
                                            int64_t most, int64_t tokens) {
  const double room = arenaRoom(prefill);
  llvm::SmallVector<ChunkChoice> choices;
  for (int64_t rows = std::min(kLeastChunk, most);; rows = std::min(2 * rows, most)) {
    llvm::SmallVector<double> seconds = llvm::map_to_vector(
        tables, [&](const Table &table) { return prefill.seconds(table, rows, tokens); });
    const double arena = prefill.arenaBytes(rows);
    choices.push_back({rows, std::move(seconds), arena, choices.empty() || arena <= room});
    if (rows == most || rows >= kMostChunk)
      return choices;
  }
}

size_t bestChunk(llvm::ArrayRef<ChunkChoice> choices) {
  llvm::ArrayRef<ChunkChoice> fitting =
      choices.take_while([](const ChunkChoice &choice) { return choice.fits; });
  llvm::SmallVector<llvm::SmallVector<double>> seconds(choices.front().seconds.size());
  for (const ChunkChoice &choice : fitting)
    for (auto [target, time] : llvm::zip(seconds, choice.seconds))
      target.push_back(time);
  const llvm::SmallVector<double> ratios = worstRatios(seconds);
  const double least = *llvm::min_element(ratios);
  return llvm::find_if(ratios, [&](double ratio) { return ratio <= least * kIndifference; }) -
         ratios.begin();
}

} // namespace lathe::passes::cost
