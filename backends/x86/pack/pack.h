// From a checkpoint's tensors to packed bytes, tile by tile through a bounded window.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "backends/x86/pack/layout.h"

namespace lathe::x86 {

enum class ScaleType { f32, bf16, f16, e8m0 };

// The form in which a tensor is packed, where that is not its own: bf16; e4m3 with f32 scales; i8
// or i4 with f16 scales and blocks of one row.
struct Target {
  Format::Kind format = Format::bf16;
  int64_t block_rows = 0; // 0: no scales
  int64_t block_columns = 0;
  bool operator==(const Target &) const = default;
};

// A tensor [rows, columns] of a checkpoint, row-major; borrowed. With scales,
// value[i, j] = code[i, j] * scale[i / block_rows, j / block_columns]; scales are
// [ceil(rows / block_rows), ceil(columns / block_columns)], row-major.
struct SourceMatrix {
  std::string name; // for errors
  Format::Kind format = Format::f32;
  int64_t rows = 0;
  int64_t columns = 0;
  absl::Span<const uint8_t> codes;

  bool has_scales = false;
  ScaleType scale_type = ScaleType::f32;
  int64_t block_rows = 0;
  int64_t block_columns = 0;
  absl::Span<const uint8_t> scales;

  std::optional<Target> target; // converted while it is packed; blocks begin at element [0, 0]
};

// The rows [begin, end) as a matrix of their own. INVALID_ARGUMENT if they cut a block of scales.
absl::StatusOr<SourceMatrix> cutRows(const SourceMatrix &source, int64_t begin, int64_t end);

// Which part of a source becomes matrices: matrix b < batch is the rows
// [offset + b * period, offset + b * period + rows); transposed, it is [columns, rows].
// A plain matrix has batch 1; the W_UK of kv_b [h * (n + v), c] has batch h, period n + v, rows n.
struct MatrixView {
  int64_t batch = 1;
  int64_t offset = 0;
  int64_t period = 0;
  int64_t rows = 0;
  bool transposed = false;
};

inline MatrixView wholeMatrix(const SourceMatrix &source) { return {1, 0, 0, source.rows, false}; }

// Takes the packed bytes in order. An error stops the packing and is handed on.
using PackSink = std::function<absl::Status(absl::Span<const uint8_t>)>;

// The layout of all views of all sources (an expert each, equal in shape and types): scales shared
// by the 16 rows of a tile where they are in every matrix, else a scale per lane, over the longest
// run of k that all matrices allow. INVALID_ARGUMENT if a source's bytes, blocks or the view do not
// fit its shape, or the sources differ.
absl::StatusOr<TileLayout> chooseTileLayout(absl::Span<const SourceMatrix> sources,
                                            const MatrixView &view);

// A part of what is packed: gives its bytes to the sink. Parts may be made by several threads and
// in any order; borrowed like what they are made from. INVALID_ARGUMENT with the place of the first
// code or scale that is NaN or infinite, or that the target cannot hold.
using PackPart = std::function<absl::Status(const PackSink &)>;

// Matrices in the order source, batch, in parts of about half a megabyte. `layout` is what
// chooseTileLayout gave. Memory of a part: a tile, and with a target the rows of a tile
// (transposed: of a matrix) in whole blocks, beside one row of blocks in f32.
absl::StatusOr<std::vector<PackPart>> tileParts(absl::Span<const SourceMatrix> sources,
                                                const MatrixView &view, const TileLayout &layout);

// Values as f32, for vectors (biases, norms): elements of `format`. INVALID_ARGUMENT where the
// bytes are none.
absl::StatusOr<PackPart> vectorPart(const std::string &name, Format::Kind format,
                                    absl::Span<const uint8_t> values);

// The rows of a table as they are (row-major embedding).
absl::StatusOr<std::vector<PackPart>> tableParts(const SourceMatrix &source);

// Makes parts on `threads` threads and hands their bytes on in their order, from one thread at a
// time, while the next are made. `done(i)` is told when the sink has taken part i. Memory: four
// parts a thread. The error is that of the first part that has one.
absl::Status packInOrder(absl::Span<const PackPart> parts, size_t threads, const PackSink &sink,
                         const std::function<absl::Status(size_t part)> &done);

} // namespace lathe::x86
