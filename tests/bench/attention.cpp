// Attention in all forms, over caches of f32.
#include "backends/x86/kernels/attention.h"
#include "backends/x86/kernels/mla.h"
#include "backends/x86/select/choice.h"
#include "tests/bench/shapes.h"

namespace lathe::bench {
namespace {

using namespace x86;

constexpr int64_t kContext = 2048, kLongContext = 16384;

LatentCacheParams latentCache(int64_t context) { return {1, context, kRank, kRope, Format::f32}; }

// Keys that all rows see together, where the last one sees `context`.
double keysSeen(int64_t rows, int64_t context) {
  return static_cast<double>(rows) * static_cast<double>(2 * context - rows + 1) / 2;
}
std::string suffix(int64_t rows, int64_t context) {
  return rowsSuffix(rows) + "/context:" + std::to_string(context);
}
constexpr double kLatentFlops = 2.0 * kHeads * (2 * kRank + kRope); // of a row and a key
constexpr double kLatentTileProducts = 6; // f32 times f32, both three bf16
double latentBytes(int64_t context) { return 4.0 * context * (kRank + kRope); }

Run latentRun(int64_t rows, int64_t context) {
  Work work;
  work.bytes = latentBytes(context) + 4.0 * rows * kHeads * (2 * kRank + kRope);
  work.tile_flops = kLatentFlops * keysSeen(rows, context);
  work.tile_products = kLatentTileProducts;
  return {suffix(rows, context), rows, context, work};
}

Line decode() {
  Line line("mla_absorbed/decode", 1);
  MlaPieceParams params{latentCache(kLongContext), kHeads, floatBits(0.1f),
                        keysPerPiece(kLongContext)};
  int64_t scratch = line.scratch(mlaPiecesScratch(params));
  line.region(
      "mla_piece", params,
      {line.rows(kHeads * (kRank + kRope)), line.cold(latentCacheBytes(params.cache)), scratch},
      mlaPieceItems(params));
  line.region("mla_merge", params, {scratch, line.rows(kHeads * kRank)}, mlaMergeItems(params));
  for (int64_t context : {kContext, kLongContext})
    line.runs.push_back(latentRun(1, context));
  return line;
}

Line absorbed() {
  Line line("mla_absorbed/prefill", 32);
  MlaAbsorbedParams params{latentCache(kContext),    kHeads,         floatBits(0.1f),
                           kHeads * (kRank + kRope), kHeads * kRank, absorbedRowsPerItem(kHeads)};
  line.region("mla_absorbed", params,
              {line.rows(params.query_stride), line.cold(latentCacheBytes(params.cache)),
               line.rows(params.result_stride)},
              mlaAbsorbedItems(params));
  for (int64_t rows : {4, 32})
    line.runs.push_back(latentRun(rows, kContext));
  return line;
}

// All of it goes over tiles, but expansion is a product of f32 with what bf16 has exactly, and
// attention one of f32 with f32; of bf16 alone where it may round.
Run materialisedRun(int64_t rows, double weight_bytes, bool may_round) {
  Work work;
  work.bytes =
      latentBytes(kContext) + weight_bytes + 4.0 * rows * kHeads * (kNope + kRope + kValue);
  double expansion = 2.0 * kContext * kHeads * kRank * (kNope + kValue);
  double attention = 2.0 * keysSeen(rows, kContext) * kHeads * (kNope + kRope + kValue);
  work.tile_flops = expansion + attention;
  work.tile_products =
      may_round ? 1
                : (expansion * kF32Rows.tile_products + attention * kLatentTileProducts) /
                      work.tile_flops;
  return {suffix(rows, kContext), rows, kContext, work};
}

Line materialised(bool may_round) {
  Line line(may_round ? "mla_materialised/bf16" : "mla_materialised", 512);
  MlaMaterialisedParams params{latentCache(kContext),
                               weightOf(kE4m3, kNope, kRank),
                               weightOf(kE4m3, kValue, kRank),
                               kHeads,
                               floatBits(0.1f),
                               kHeads * (kNope + kRope),
                               kHeads * kValue,
                               materialisedRowsPerItem(512),
                               may_round};
  int64_t weight_bytes = params.key_weight.matrix_bytes * kHeads;
  Items items = mlaMaterialisedItems(params);
  line.region("mla_materialised", params,
              {line.rows(params.query_stride), line.cold(latentCacheBytes(params.cache)),
               line.cold(weight_bytes), line.cold(weight_bytes), line.rows(params.result_stride)},
              items);
  for (int64_t rows : {32, 256, 512})
    line.runs.push_back(materialisedRun(rows, 2.0 * static_cast<double>(weight_bytes), may_round));
  return line;
}

Line latentWrite() {
  Line line("mla_write", 512);
  MlaWriteParams params{
      {RowSource::rows, 1, rowsPerItem(kRank + kRope)}, latentCache(kContext), kRank + kRope};
  line.region("mla_write", params,
              {line.rows(kRank + kRope), line.cold(latentCacheBytes(params.cache))},
              mlaWriteItems(params));
  line.runs.push_back({rowsSuffix(512), 512, 512, {.bytes = 2 * latentBytes(512)}});
  return line;
}

// 14 heads share 2 of keys, as in a model of 0.5 B.
constexpr int64_t kQueryHeads = 14, kKeyHeads = 2, kHeadDim = 64;

Line grouped(const char *name, int64_t most_rows,
             std::initializer_list<std::pair<int64_t, int64_t>> runs) {
  Line line(name, most_rows);
  KvCacheParams cache{1, kLongContext, kKeyHeads, kHeadDim, kHeadDim, Format::f32};
  int64_t stride = kQueryHeads * kHeadDim;
  AttentionParams params{cache,
                         kQueryHeads,
                         floatBits(0.1f),
                         0,
                         stride,
                         stride,
                         attentionRowsPerItem(most_rows, kQueryHeads / kKeyHeads),
                         /*may_round=*/0};
  line.region("attention", params,
              {line.rows(stride), line.cold(kvCacheBytes(cache)), line.rows(stride)},
              attentionItems(params));
  for (auto [rows, context] : runs) {
    Work work;
    work.bytes = 4.0 * (2.0 * context * kKeyHeads * kHeadDim + 2.0 * rows * stride);
    (rows > 1 ? work.tile_flops : work.vector_flops) =
        4.0 * keysSeen(rows, context) * kQueryHeads * kHeadDim;
    work.tile_products = kLatentTileProducts;
    line.runs.push_back({suffix(rows, context), rows, context, work});
  }
  return line;
}

Line groupedWrite() {
  Line line("attention_write", 512);
  KvCacheParams cache{1, kContext, kKeyHeads, kHeadDim, kHeadDim, Format::f32};
  int64_t stride = kKeyHeads * kHeadDim;
  AttentionWriteParams params{cache, stride, stride};
  line.region("attention_write", params,
              {line.rows(stride), line.rows(stride), line.cold(kvCacheBytes(cache))},
              attentionWriteItems(params));
  line.runs.push_back({rowsSuffix(512), 512, 512, {.bytes = 4.0 * 4 * 512 * stride}});
  return line;
}

} // namespace

std::vector<Line> attentionLines() {
  std::vector<Line> lines = {decode(),           absorbed(),    materialised(false),
                             materialised(true), latentWrite(), groupedWrite()};
  lines.push_back(grouped("attention/decode", 1, {{1, kContext}, {1, kLongContext}}));
  lines.push_back(grouped("attention/prefill", 256, {{256, 512}, {256, kContext}}));
  return lines;
}

} // namespace lathe::bench
