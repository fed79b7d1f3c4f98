// Attention in all forms, over caches of f32 unless a name says another format.
#include "backends/x86/kernels/attention.h"
#include "backends/x86/kernels/mla.h"
#include "backends/x86/select/choice.h"
#include "tests/bench/shapes.h"

namespace lathe::bench {
namespace {

using namespace x86;

constexpr int64_t kContext = 2048, kLongContext = 16384;

LatentCacheParams latentCache(int64_t context, int64_t format = Format::f32) {
  return {1, context, kRank, kRope, format};
}

// Keys that all rows see together, where the last one sees `context`.
double keysSeen(int64_t rows, int64_t context) {
  return static_cast<double>(rows) * static_cast<double>(2 * context - rows + 1) / 2;
}
std::string suffix(int64_t rows, int64_t context) {
  return rowsSuffix(rows) + "/context:" + std::to_string(context);
}
constexpr double kLatentFlops = 2.0 * kHeads * (2 * kRank + kRope); // of a row and a key
constexpr double kLatentTileProducts = 6; // f32 times f32, both three bf16
double latentBytes(int64_t context, int64_t format = Format::f32) {
  return static_cast<double>(formatBytes(format) * context * (kRank + kRope));
}

Run latentRun(int64_t rows, int64_t context, int64_t format = Format::f32) {
  Work work;
  work.bytes = latentBytes(context, format) + 4.0 * rows * kHeads * (2 * kRank + kRope);
  work.tile_flops = kLatentFlops * keysSeen(rows, context);
  work.tile_products = format == Format::bf16 ? kF32Rows.tile_products : kLatentTileProducts;
  return {suffix(rows, context), rows, context, work};
}

void merge(Line &line, const Pieces &pieces, float log2_base, int64_t scratch) {
  MergePiecesParams params{pieces, floatBits(log2_base)};
  int64_t columns = pieces.key_heads * pieces.heads_per_key * pieces.value_dim;
  line.region("merge_pieces", params, {scratch, line.rows(columns)}, mergePiecesItems(params));
}

Line decode(const std::string &name, int64_t format) {
  Line line(name, 1);
  MlaPieceParams params{latentCache(kLongContext, format), kHeads, floatBits(0.1f),
                        latentsPerPiece(kLongContext)};
  Pieces pieces = mlaPieces(params);
  int64_t scratch = line.scratch(pieceScratch(pieces));
  line.region(
      "mla_piece", params,
      {line.rows(kHeads * (kRank + kRope)), line.cold(latentCacheBytes(params.cache)), scratch},
      pieceItems(pieces));
  merge(line, pieces, /*log2_base=*/1.44269504f, scratch);
  for (int64_t context : {kContext, kLongContext})
    line.runs.push_back(latentRun(1, context, format));
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
                               RowsIn::f32,
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

constexpr int64_t kHeadDim = 64;

struct Heads {
  int64_t queries, keys;
};

KvCacheParams keyCache(const Heads &heads, int64_t context) {
  return {1, context, heads.keys, kHeadDim, kHeadDim, Format::f32};
}

Run groupedRun(const Heads &heads, int64_t rows, int64_t context) {
  Work work;
  work.bytes = 8.0 * kHeadDim * (context * heads.keys + rows * heads.queries);
  (rows > 1 ? work.tile_flops : work.vector_flops) =
      4.0 * keysSeen(rows, context) * heads.queries * kHeadDim;
  work.tile_products = kLatentTileProducts;
  return {suffix(rows, context), rows, context, work};
}

Line groupedDecode(const char *name, const Heads &heads) {
  Line line(name, 1);
  AttentionPieceParams params{keyCache(heads, kLongContext), heads.queries, floatBits(0.1f), 0,
                              keysPerPiece(kLongContext, heads.queries / heads.keys)};
  Pieces pieces = attentionPieces(params);
  int64_t scratch = line.scratch(pieceScratch(pieces));
  line.region("attention_piece", params,
              {line.rows(heads.queries * kHeadDim), line.cold(kvCacheBytes(params.cache)), scratch},
              pieceItems(pieces));
  merge(line, pieces, /*log2_base=*/1, scratch);
  for (int64_t context : {kContext, kLongContext})
    line.runs.push_back(groupedRun(heads, 1, context));
  return line;
}

Line groupedPrefill(const Heads &heads) {
  Line line("attention/prefill", 256);
  int64_t stride = heads.queries * kHeadDim, group = heads.queries / heads.keys;
  AttentionParams params{keyCache(heads, kLongContext),
                         heads.queries,
                         floatBits(0.1f),
                         0,
                         stride,
                         stride,
                         RowsIn::f32,
                         attentionRowsPerItem(256, group),
                         keysPerPiece(kLongContext, group),
                         /*may_round=*/0};
  line.region("attention", params,
              {line.rows(stride), line.cold(kvCacheBytes(params.cache)), line.rows(stride)},
              attentionItems(params));
  for (int64_t context : {int64_t{512}, kContext})
    line.runs.push_back(groupedRun(heads, 256, context));
  return line;
}

Line groupedWrite(const Heads &heads) {
  Line line("attention_write", 512);
  int64_t stride = heads.keys * kHeadDim;
  AttentionWriteParams params{keyCache(heads, kContext), stride, stride};
  line.region("attention_write", params,
              {line.rows(stride), line.rows(stride), line.cold(kvCacheBytes(params.cache))},
              attentionWriteItems(params));
  line.runs.push_back({rowsSuffix(512), 512, 512, {.bytes = 4.0 * 4 * 512 * stride}});
  return line;
}

} // namespace

std::vector<Line> attentionLines() {
  constexpr Heads shared{14, 2}, one{8, 1}; // 14 and 2 as in a model of 0.5 B
  return {decode("mla_absorbed/decode", Format::f32),
          decode("mla_absorbed/decode/bf16", Format::bf16),
          absorbed(),
          materialised(false),
          materialised(true),
          latentWrite(),
          groupedWrite(shared),
          groupedDecode("attention/decode", shared),
          groupedDecode("attention/decode/one_key_head", one),
          groupedPrefill(shared)};
}

} // namespace lathe::bench
