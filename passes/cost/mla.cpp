#include "passes/cost/mla.h"

#include <algorithm>
#include <cmath>

#include "passes/cost/text.h"

namespace lathe::passes::cost {

namespace {

constexpr double kRowBytes = 4; // an element of a row is f32

double sharedBytes(const MlaShape &s, double keys) {
  return s.kv_b.bytes + keys * static_cast<double>(s.rank + s.rope) * s.cache_element_bytes;
}

} // namespace

MlaShape MlaShape::of(ir::MlaAttentionOp op) {
  const ir::LatentCacheType cache = op.getCache().getType();
  return {static_cast<int64_t>(op.getNumHeads()),
          static_cast<int64_t>(op.getQkNopeHeadDim()),
          static_cast<int64_t>(op.getQkRopeHeadDim()),
          static_cast<int64_t>(op.getVHeadDim()),
          cache.getKvLoraRank(),
          op.getKvB() ? weightCost(op.getKvB().getType()) : WeightCost(),
          elementBytes(cache.getElement())};
}

Work materialised(const MlaShape &s, double rows, double keys) {
  const double heads = s.heads, head = s.nope + s.rope + s.value;
  const double expansion = 2 * keys * heads * s.rank * (s.nope + s.value);
  return {expansion + 2 * rows * keys * heads * head,
          sharedBytes(s, keys) + kRowBytes * rows * heads * head};
}

Work absorbed(const MlaShape &s, double rows, double keys) {
  const double heads = s.heads, head = s.nope + s.rope + s.value, latent = 2 * s.rank + s.rope;
  const double folds = 2 * rows * heads * s.rank * (s.nope + s.value);
  return {folds + 2 * rows * keys * heads * latent,
          sharedBytes(s, keys) + kRowBytes * rows * heads * (head + 2 * latent)};
}

// A rate that nobody measured: nothing can be said, and nothing is.
static double secondsAt(double flops, double rate) { return rate > 0 ? flops / rate : 0; }

static double absorbedSeconds(const Table &table, const MlaShape &s, double rows, double keys) {
  const double latent = 2 * s.rank + s.rope;
  const double flops = 2 * rows * keys * static_cast<double>(s.heads) * latent;
  return table.productSeconds(s.kv_b, "f32", rows) +
         secondsAt(flops, table.attentionRate(rows > 1 ? "latent_absorbed" : "latent_one_row"));
}

static double materialisedSeconds(const Table &table, const MlaShape &s, double rows, double keys) {
  const double heads = s.heads, head = s.nope + s.rope + s.value;
  const double shared = table.number("latent_expansion_rows"),
               times = shared > 0 ? std::ceil(rows / shared) : 1;
  const double expansion = 2 * keys * heads * s.rank * (s.nope + s.value);
  return secondsAt(times * expansion, table.attentionRate("latent_expand")) +
         secondsAt(2 * rows * keys * heads * head, table.attentionRate("latent_scores"));
}

double seconds(const Table &table, const MlaShape &shape, ir::MlaForm form, double rows,
               double keys) {
  const bool is_absorbed = form == ir::MlaForm::absorbed;
  const Work work = is_absorbed ? absorbed(shape, rows, keys) : materialised(shape, rows, keys);
  const double computing = is_absorbed ? absorbedSeconds(table, shape, rows, keys)
                                       : materialisedSeconds(table, shape, rows, keys);
  return std::max(computing, table.readSeconds(work.bytes));
}

double absorbedShare(llvm::ArrayRef<Table> tables, const MlaShape &shape, double rows,
                     double keys) {
  if (tables.empty())
    return absorbed(shape, rows, keys).flops / materialised(shape, rows, keys).flops;
  double worst = 0;
  for (const Table &table : tables)
    worst = std::max(worst, seconds(table, shape, ir::MlaForm::absorbed, rows, keys) /
                                seconds(table, shape, ir::MlaForm::materialised, rows, keys));
  return worst;
}

std::string workText(const Work &work) {
  return withPrefix(work.flops) + "FLOP and " + withPrefix(work.bytes) + "B";
}

} // namespace lathe::passes::cost
