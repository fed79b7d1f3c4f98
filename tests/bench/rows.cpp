// Kernels that look at one row at a time, and the cost of a region.
#include "backends/x86/kernels/rows.h"
#include "backends/x86/select/choice.h"
#include "tests/bench/shapes.h"

namespace lathe::bench {
namespace {

using namespace x86;

constexpr int64_t kRows = 512;

RowSplit split(int64_t columns) { return {RowSource::rows, 1, rowsPerItem(columns)}; }

// `moved`: floats of a row that are read or written. An exponential counts as 10 FLOPs.
void addRun(Line &line, double moved, double flops) {
  line.runs.push_back({rowsSuffix(kRows),
                       kRows,
                       kRows,
                       {.bytes = 4 * moved * kRows, .vector_flops = flops * kRows}});
}

Line norm() {
  Line line("rms_norm", kRows);
  RmsNormParams params{split(kHidden), 1, kHidden, floatBits(1e-6f), kHidden, kHidden, RowsIn::f32};
  line.region("rms_norm", params,
              {line.rows(kHidden), line.scratch(4 * kHidden), line.rows(kHidden)},
              rmsNormItems(params));
  addRun(line, 2 * kHidden, 4 * kHidden);
  return line;
}

Line rope() {
  constexpr int64_t head = kNope + kRope, columns = kHeads * head;
  Line line("rope", kRows);
  RopeParams params{split(columns), kHeads, head, kNope, kRope / 2, 1, columns, columns};
  line.region("rope", params, {line.rows(columns), line.rows(kRope), line.rows(columns)},
              ropeItems(params));
  addRun(line, 2 * columns, 3 * kHeads * kRope);
  return line;
}

Line ropeTable() {
  Line line("rope_table", kRows);
  RopeTableParams params{split(16 * kRope / 2), kRope / 2, floatBits(1)};
  line.region("rope_table", params, {operand(Buffer::constants, 0), line.rows(kRope)},
              ropeTableItems(params));
  addRun(line, kRope, 20 * kRope);
  return line;
}

Line cast() {
  Line line("cast", kRows);
  CastParams params{split(kHidden), kHidden, Format::bf16, kHidden, kHidden};
  line.region("cast", params, {line.rows(kHidden), line.rows(kHidden)}, castItems(params));
  addRun(line, 2 * kHidden, kHidden);
  return line;
}

Line quantize() {
  constexpr int64_t blocks = kHidden / kW8a8Rows.block;
  Line line("quantize", kRows);
  QuantizeParams params{split(kHidden),   kHidden,         x86::Format::e4m3,
                        x86::RowsIn::f32, kW8a8Rows.block, 0,
                        kHidden,          kHidden,         blocks};
  line.region("quantize", params, {line.rows(kHidden), line.rows(kHidden), line.rows(blocks)},
              quantizeItems(params));
  addRun(line, 2 * kHidden + blocks, 3 * kHidden);
  return line;
}

Line add() {
  Line line("add", kRows);
  AddParams params{split(kHidden), kHidden, kHidden, kHidden, kHidden};
  line.region("add", params, {line.rows(kHidden), line.rows(kHidden), line.rows(kHidden)},
              addItems(params));
  addRun(line, 3 * kHidden, kHidden);
  return line;
}

Line scale() {
  Line line("scale", kRows);
  ScaleParams params{split(kHidden), kHidden, floatBits(2), kHidden, kHidden};
  line.region("scale", params, {line.rows(kHidden), line.rows(kHidden)}, scaleItems(params));
  addRun(line, 2 * kHidden, kHidden);
  return line;
}

Line swiglu() {
  Line line("swiglu", kRows);
  SwigluParams params{split(kDenseInner), kDenseInner, kDenseInner, kDenseInner, kDenseInner};
  line.region("swiglu", params,
              {line.rows(kDenseInner), line.rows(kDenseInner), line.rows(kDenseInner)},
              swigluItems(params));
  addRun(line, 3 * kDenseInner, 13 * kDenseInner);
  return line;
}

Line selectRows() {
  Line line("select_rows", kRows);
  SelectRowsParams params{
      {RowSource::output_rows, 1, rowsPerItem(kHidden)}, kHidden, kHidden, kHidden};
  line.region("select_rows", params, {line.rows(kHidden), line.rows(kHidden)},
              selectRowsItems(params));
  addRun(line, 2 * kHidden, 0);
  return line;
}

Line copyColumns() {
  Line line("copy_columns", kRows);
  CopyColumnsParams params{
      split(kHeads * kRope),    kRope,        kHeads, kHeads * (kNope + kRope), kNope + kRope,
      kHeads * (kRank + kRope), kRank + kRope};
  line.region("copy_columns", params,
              {line.rows(params.input_stride), line.rows(params.result_stride)},
              copyColumnsItems(params));
  addRun(line, 2 * kHeads * kRope, 0);
  return line;
}

Line embedding() {
  Line line("embedding/bf16", kRows);
  WeightParams table = weightOf(kWeightForms[1], kVocabulary, kHidden);
  EmbeddingParams params{split(kHidden), table, /*tiled=*/0, kHidden};
  line.region("embedding", params, {line.cold(2 * kVocabulary * kHidden), line.rows(kHidden)},
              embeddingItems(params));
  addRun(line, 1.5 * kHidden, 0);
  return line;
}

// As good as no work: a barrier of the pool and the hand-over of items.
Line region() {
  Line line("region", 256);
  AddParams params{{RowSource::rows, 1, 1}, 16, 16, 16, 16};
  line.region("add", params, {line.rows(16), line.rows(16), line.rows(16)}, addItems(params));
  for (int64_t items : {16, 256})
    line.runs.push_back({"/items:" + std::to_string(items),
                         items,
                         items,
                         {.bytes = 3 * 16 * 4.0 * static_cast<double>(items)}});
  return line;
}

} // namespace

std::vector<Line> rowLines() {
  return {region(), norm(),  rope(),   ropeTable(),  cast(),        quantize(),
          add(),    scale(), swiglu(), selectRows(), copyColumns(), embedding()};
}

} // namespace lathe::bench
