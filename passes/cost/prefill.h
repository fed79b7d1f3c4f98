// What a prompt costs, by the number of rows that a prefill step takes. More rows read each weight
// less often, give each expert more rows for each conversion of its weights and expand latents less
// often; they also take more memory, and their results leave the caches.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"

#include "passes/cost/mla.h"
#include "passes/cost/table.h"
#include "passes/cost/work.h"

namespace lathe::passes::cost {

// The arena may take this part of the weights' bytes, or kLeastArena where that is more: memory
// that is small beside what the model takes anyway.
inline constexpr double kArenaShare = 1.0 / 16, kLeastArena = 64e6;
// Among chunks that cost as much within this ratio the smallest is taken: it takes less memory, and
// is sooner done where someone interrupts.
inline constexpr double kIndifference = 1.02;

class Prefill {
public:
  // `step`: in portable form, of any number of rows. Rows of products will be in the form `rows`
  // (f32, bf16, w8a8).
  Prefill(mlir::func::FuncOp step, llvm::StringRef rows);

  // Of a prompt of `tokens`, in steps of at most `chunk`.
  double seconds(const Table &table, int64_t chunk, int64_t tokens) const;
  // That the widest op needs for its operands and results: an estimate of the arena.
  double arenaBytes(int64_t chunk) const { return widest_ * static_cast<double>(chunk); }
  double weightBytes() const { return weight_bytes_; }

private:
  struct Product {
    WeightCost weight;
    double rows; // of a token in each matrix of the weight
    bool operator==(const Product &) const = default;
  };
  template <typename Item> using Counted = std::vector<std::pair<Item, double>>;

  void follow(mlir::Operation &op);
  void add(mlir::Operation &op);
  void addProduct(const WeightWork &work);
  void addRows(mlir::Operation &op, double inner);
  double productsSeconds(const Table &table, double rows) const;
  double movingSeconds(const Table &table, double rows) const;
  double attentionSeconds(const Table &table, double rows, double keys) const;

  std::string rows_;
  llvm::DenseMap<mlir::Value, int64_t> factors_; // rows a token, of what has rows
  Counted<Product> products_;
  Counted<MlaShape> latents_;
  Counted<KeyWork> attentions_;
  std::vector<double> moved_; // by each op, bytes of rows a token
  double widest_ = 0, weight_bytes_ = 0;
};

// Bytes that the arena may have.
double arenaRoom(const Prefill &prefill);

struct ChunkChoice {
  int64_t rows;
  llvm::SmallVector<double> seconds; // by table
  double arena_bytes;
  bool fits; // the arena
};
// What can be chosen for a context of `most` tokens, in rising order, with its costs for a prompt
// of `tokens`.
llvm::SmallVector<ChunkChoice> chunkChoices(const Prefill &prefill, llvm::ArrayRef<Table> tables,
                                            int64_t most, int64_t tokens);
// The place of the one to take: never empty choices.
size_t bestChunk(llvm::ArrayRef<ChunkChoice> choices);

} // namespace lathe::passes::cost
