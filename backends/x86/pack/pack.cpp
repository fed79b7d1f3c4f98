#include "backends/x86/pack/pack.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "backends/x86/pack/convert.h"
#include "backends/x86/pack/encode.h"
#include "backends/x86/pack/source.h"
#include "backends/x86/pack/transpose.h"
#include "base/float_formats.h"
#include "base/status.h"

namespace lathe::x86 {
namespace {

// One matrix of a view: where its elements stand in the source.
struct Matrix {
  const SourceMatrix &source;
  bool transposed;
  int64_t first_row; // of the source

  int64_t row(int64_t n, int64_t k) const { return first_row + (transposed ? k : n); }
  int64_t column(int64_t n, int64_t k) const { return transposed ? n : k; }
  const uint8_t *at(int64_t n, int64_t k) const {
    return source.codes.data() +
           (row(n, k) * source.columns + column(n, k)) * formatBytes(source.format);
  }
};

// Bytes of i4 [k][16] to words of eight k.
void packNibbles(const std::vector<uint8_t> &codes, uint8_t *tile) {
  constexpr uint8_t offset = 8;
  int64_t k_count = static_cast<int64_t>(codes.size()) / tile_rows;
  for (int64_t k = 0; k < roundUp(k_count, nibbles); k += nibbles)
    for (int64_t lane = 0; lane < tile_rows; ++lane) {
      uint32_t word = 0;
      for (int64_t i = 0; i < nibbles; ++i) {
        uint8_t code = k + i < k_count ? codes[static_cast<size_t>((k + i) * tile_rows + lane)] : 0;
        word |= static_cast<uint32_t>((code + offset) & 15) << 4 * i;
      }
      std::memcpy(tile + k * codeRowBytes(Format::i4) + lane * 4, &word, sizeof(word));
    }
}

// The codes of tile rows n to n + 15, [k][16] in memory order, i4 a byte each.
void packCodes(const Matrix &matrix, const TileLayout &layout, int64_t n, uint8_t *tile) {
  int64_t bytes = formatBytes(layout.format);
  int count = static_cast<int>(std::min(tile_rows, layout.n - n));
  if (matrix.transposed) {
    for (int64_t k = 0; k < layout.k; ++k)
      placeLanes(matrix.at(n, k), count, layout.format, tile + k * tile_rows * bytes);
    return;
  }
  const uint8_t *rows[tile_rows] = {};
  for (int lane = 0; lane < count; ++lane)
    rows[lanePlace(layout.format, lane)] = matrix.at(n + lane, 0);
  transposeRows(rows, layout.k, bytes, tile);
}

absl::Status checkTile(const Matrix &matrix, const TileLayout &layout, int64_t n,
                       const uint8_t *tile) {
  if (isInteger(layout.format))
    return absl::OkStatus();
  return checkFinite(layout.format, tile, layout.k * tile_rows, [&](int64_t i) {
    int64_t lane = 0;
    while (lanePlace(layout.format, lane) != i % tile_rows)
      ++lane;
    return elementName(matrix.source, matrix.row(n + lane, i / tile_rows),
                       matrix.column(n + lane, i / tile_rows));
  });
}

absl::Status packScales(const Matrix &matrix, const TileLayout &layout, int64_t n,
                        uint8_t *scales) {
  if (layout.scale_mode == ScaleMode::none)
    return absl::OkStatus();
  int64_t per_block = layout.scale_mode == ScaleMode::tile ? 1 : tile_rows;
  for (int64_t k = 0, i = 0; k < layout.k; k += layout.params().scale_block_k)
    for (int64_t lane = 0; lane < per_block; ++lane, ++i) {
      if (n + lane >= layout.n)
        continue;
      int64_t row = matrix.row(n + lane, k), column = matrix.column(n + lane, k);
      float scale = scaleAt(matrix.source, row, column);
      LATHE_RETURN_IF_ERROR(checkScale(scale, matrix.source, row, column));
      if (layout.scale_mode == ScaleMode::lane_f16) {
        uint16_t half = f16FromF32(scale); // which it was made from
        std::memcpy(scales + i * 2, &half, sizeof(half));
      } else {
        std::memcpy(scales + i * 4, &scale, sizeof(scale));
      }
    }
  return absl::OkStatus();
}

// The rows of the source that a tile reads.
absl::StatusOr<Matrix> matrixOf(PackedRows &rows, const MatrixView &view, int64_t first_row,
                                const TileLayout &layout, int64_t n) {
  int64_t begin = first_row + (view.transposed ? 0 : n);
  int64_t count = view.transposed ? view.rows : std::min(tile_rows, layout.n - n);
  LATHE_ASSIGN_OR_RETURN(RowWindow window, rows.window(begin, begin + count));
  return Matrix{*window.matrix, view.transposed, first_row - window.first_row};
}

// The matrix of the view that begins at `first_row` of the source.
absl::Status packMatrix(PackedRows &rows, const MatrixView &view, int64_t first_row,
                        const TileLayout &layout, std::vector<uint8_t> &tile,
                        const PackSink &sink) {
  int64_t codes = codeBytes(layout.k, layout.format);
  std::vector<uint8_t> bytes;
  for (int64_t n = 0; n < layout.n; n += tile_rows) {
    LATHE_ASSIGN_OR_RETURN(Matrix matrix, matrixOf(rows, view, first_row, layout, n));
    std::fill(tile.begin() + layout.k * codeRowBytes(layout.format), tile.end(), 0);
    if (layout.format == Format::i4) {
      bytes.resize(static_cast<size_t>(layout.k * tile_rows));
      packCodes(matrix, layout, n, bytes.data());
      packNibbles(bytes, tile.data());
    } else {
      packCodes(matrix, layout, n, tile.data());
    }
    LATHE_RETURN_IF_ERROR(checkTile(matrix, layout, n, tile.data()));
    LATHE_RETURN_IF_ERROR(packScales(matrix, layout, n, tile.data() + codes));
    LATHE_RETURN_IF_ERROR(sink(tile));
  }
  return absl::OkStatus();
}

constexpr int64_t window_codes = 256 * 1024;

} // namespace

absl::Status packTiles(absl::Span<const SourceMatrix> sources, const MatrixView &view,
                       const TileLayout &layout, const PackSink &sink) {
  LATHE_ASSIGN_OR_RETURN(TileLayout expected, chooseTileLayout(sources, view));
  if (!(expected == layout))
    return absl::InvalidArgumentError(absl::StrCat(sources.front().name, ": the layout ",
                                                   layout.name(), " is not the one chosen for it, ",
                                                   expected.name()));
  std::vector<uint8_t> tile(static_cast<size_t>(layout.params().tile_bytes));
  for (const SourceMatrix &source : sources) {
    PackedRows rows(source);
    for (int64_t b = 0; b < view.batch; ++b)
      LATHE_RETURN_IF_ERROR(
          packMatrix(rows, view, view.offset + b * view.period, layout, tile, sink));
  }
  return absl::OkStatus();
}

absl::Status packVector(const std::string &name, Format::Kind format,
                        absl::Span<const uint8_t> values, const PackSink &sink) {
  int64_t bytes = formatBytes(format), count = static_cast<int64_t>(values.size()) / bytes;
  if (bytes == 1 || values.size() % static_cast<size_t>(bytes) != 0)
    return absl::InvalidArgumentError(absl::StrCat(name, ": ", values.size(),
                                                   " bytes are no vector of ", formatName(format),
                                                   "; vectors are f32, bf16 or f16"));
  LATHE_RETURN_IF_ERROR(checkFinite(format, values.data(), count, [&](int64_t i) {
    return absl::StrCat(name, ": element [", i, "]");
  }));
  std::vector<float> result(static_cast<size_t>(count));
  decodeRun(format, values.data(), count, result.data());
  return sink({reinterpret_cast<const uint8_t *>(result.data()), result.size() * 4});
}

absl::Status packTable(const SourceMatrix &source, const PackSink &sink) {
  LATHE_RETURN_IF_ERROR(checkSource(source, wholeMatrix(source)));
  int64_t bytes = formatBytes(source.format), total = source.rows * source.columns;
  for (int64_t first = 0; first < total; first += window_codes) {
    int64_t count = std::min(window_codes, total - first);
    absl::Span<const uint8_t> window = source.codes.subspan(static_cast<size_t>(first * bytes),
                                                            static_cast<size_t>(count * bytes));
    LATHE_RETURN_IF_ERROR(checkFinite(source.format, window.data(), count, [&](int64_t i) {
      return elementName(source, (first + i) / source.columns, (first + i) % source.columns);
    }));
    LATHE_RETURN_IF_ERROR(sink(window));
  }
  return absl::OkStatus();
}

} // namespace lathe::x86
