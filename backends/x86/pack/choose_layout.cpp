// Finds how scales run through the tiles of a view.
#include <numeric>

#include "backends/x86/pack/convert.h"
#include "backends/x86/pack/source.h"
#include "base/status.h"

namespace lathe::x86 {
namespace {

// The extent of an axis of a view in the source, for each matrix: it begins at start(b).
struct Axis {
  int64_t offset;
  int64_t period;
  int64_t length;
  int64_t block; // elements of the source that share a scale, from multiples of it on
};

Axis rowAxis(const SourceMatrix &source, const MatrixView &view) {
  return {view.offset, view.period, view.rows, source.block_rows};
}
Axis columnAxis(const SourceMatrix &source) { return {0, 0, source.columns, source.block_columns}; }

// The longest run such that scales change only at multiples of it, in every matrix; the whole
// length where they never change.
int64_t scaleRun(const Axis &axis, int64_t batch) {
  int64_t run = 0;
  for (int64_t b = 0; b < batch; ++b) {
    int64_t start = axis.offset + b * axis.period;
    int64_t first = roundUp(start + 1, axis.block) - start; // the first border inside
    if (first >= axis.length)
      continue;
    run = std::gcd(run, first);
    if (first + axis.block < axis.length)
      run = std::gcd(run, axis.block);
  }
  return run == 0 ? axis.length : run;
}

// Whether each group of 16 lies within one block, in every matrix.
bool lanesShareScales(const Axis &axis, int64_t batch) {
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t i = 0; i < axis.length; i += tile_rows) {
      int64_t start = axis.offset + b * axis.period;
      int64_t last = std::min(i + tile_rows, axis.length) - 1;
      if ((start + i) / axis.block != (start + last) / axis.block)
        return false;
    }
  return true;
}

// Kernels sum at most 256 inputs before scales come in: a longer run that 128 does not divide is
// cut.
int64_t kernelRun(int64_t run, int64_t k) {
  if (run <= 256 || run >= k || run % 128 == 0)
    return run;
  int64_t part = 256;
  while (run % part != 0)
    --part;
  return part;
}

absl::Status checkEqual(const SourceMatrix &first, const SourceMatrix &other) {
  bool scales = first.has_scales == other.has_scales && first.target == other.target &&
                (!first.has_scales || (first.block_rows == other.block_rows &&
                                       first.block_columns == other.block_columns));
  if (first.rows == other.rows && first.columns == other.columns && first.format == other.format &&
      scales)
    return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      other.name, ": is ", formatName(other.format), " [", other.rows, ", ", other.columns,
      "], but ", first.name, " of the same stack is ", formatName(first.format), " [", first.rows,
      ", ", first.columns, "]; shapes, types and scale blocks of a stack must be equal"));
}

} // namespace

absl::StatusOr<TileLayout> chooseTileLayout(absl::Span<const SourceMatrix> sources,
                                            const MatrixView &view) {
  if (sources.empty())
    return absl::InvalidArgumentError("a stack of no matrices cannot be packed");
  const SourceMatrix &first = sources.front();
  for (const SourceMatrix &source : sources) {
    LATHE_RETURN_IF_ERROR(checkSource(source, view));
    LATHE_RETURN_IF_ERROR(checkEqual(first, source));
  }
  TileLayout layout;
  layout.n = view.transposed ? first.columns : view.rows;
  layout.k = view.transposed ? view.rows : first.columns;
  layout.count = static_cast<int64_t>(sources.size()) * view.batch;
  const SourceMatrix form = packedForm(first);
  layout.format = form.format;
  if (!form.has_scales)
    return layout;
  Axis lanes = view.transposed ? columnAxis(form) : rowAxis(form, view);
  Axis inputs = view.transposed ? rowAxis(form, view) : columnAxis(form);
  layout.scale_mode = lanesShareScales(lanes, view.batch) ? ScaleMode::tile
                      : isInteger(form.format)            ? ScaleMode::lane_f16
                                                          : ScaleMode::lane;
  layout.scale_block_k = kernelRun(scaleRun(inputs, view.batch), layout.k);
  return layout;
}

} // namespace lathe::x86
