#include "backends/x86/pack/pack.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "backends/x86/pack/convert.h"
#include "backends/x86/pack/encode.h"
#include "backends/x86/pack/source.h"
#include "backends/x86/pack/transpose.h"
#include "base/float_formats.h"
#include "base/parallel.h"
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

// Of up to eight k of e4m3. In bytes, so that the compiler makes vectors of the loops.
bool hasExponentOfZero(absl::Span<const uint8_t> codes) {
  uint8_t least = 0x78;
  for (uint8_t code : codes)
    least = std::min<uint8_t>(least, code & 0x78);
  return least == 0;
}
int64_t subnormalCodes(absl::Span<const uint8_t> codes) {
  uint8_t subnormal = 0; // up to 128
  for (uint8_t code : codes)
    subnormal += static_cast<uint8_t>((code & 0x7f) - 1) < 7;
  return subnormal;
}

// What a tile of e4m3 says of its codes.
void packFindings(const WeightParams &w, uint8_t *tile) {
  uint8_t *to = tile + behindScales(w);
  int64_t subnormal = 0;
  for (int64_t k = 0; k < w.k; k += 8) {
    absl::Span<const uint8_t> eight(tile + k * tile_rows,
                                    static_cast<size_t>(std::min<int64_t>(w.k - k, 8) * tile_rows));
    subnormal += subnormalCodes(eight);
    if (hasExponentOfZero(eight))
      to[few_bytes + k / 64] |= static_cast<uint8_t>(1 << k / 8 % 8);
  }
  uint32_t few = subnormal * few_subnormals <= w.k * tile_rows;
  std::memcpy(to, &few, few_bytes);
}

absl::Status packTile(const Matrix &matrix, const TileLayout &layout, int64_t n,
                      std::vector<uint8_t> &tile) {
  std::fill(tile.begin() + layout.k * codeRowBytes(layout.format), tile.end(), 0);
  if (layout.format == Format::i4) {
    std::vector<uint8_t> bytes(static_cast<size_t>(layout.k * tile_rows));
    packCodes(matrix, layout, n, bytes.data());
    packNibbles(bytes, tile.data());
  } else {
    packCodes(matrix, layout, n, tile.data());
  }
  if (layout.format == Format::e4m3)
    packFindings(layout.params(), tile.data());
  LATHE_RETURN_IF_ERROR(checkTile(matrix, layout, n, tile.data()));
  return packScales(matrix, layout, n, tile.data() + codeBytes(layout.k, layout.format));
}

// Of the matrix that begins at `first_row` of the source, the tiles of rows [begin, end).
absl::Status packRows(const SourceMatrix &source, const MatrixView &view, int64_t first_row,
                      const TileLayout &layout, int64_t begin, int64_t end, const PackSink &sink) {
  std::vector<uint8_t> tile(static_cast<size_t>(layout.params().tile_bytes));
  PackedRows rows(source);
  for (int64_t n = begin; n < end; n += tile_rows) {
    LATHE_ASSIGN_OR_RETURN(Matrix matrix, matrixOf(rows, view, first_row, layout, n));
    LATHE_RETURN_IF_ERROR(packTile(matrix, layout, n, tile));
    LATHE_RETURN_IF_ERROR(sink(tile));
  }
  return absl::OkStatus();
}

constexpr int64_t part_bytes = 512 * 1024;
// Rows of a matrix that a part has. Rows are converted in whole blocks, for a transposed matrix all
// of them: no two parts should convert the same.
int64_t rowsOfPart(const SourceMatrix &source, const MatrixView &view, const TileLayout &layout) {
  if (view.transposed && source.target)
    return layout.n;
  int64_t whole = std::max(tile_rows, source.target ? source.target->block_rows : 0);
  int64_t rows = part_bytes / layout.params().tile_bytes * tile_rows;
  return roundUp(std::max<int64_t>(rows, 1), roundUp(whole, tile_rows));
}

struct Made {
  std::vector<uint8_t> bytes;
  absl::Status status;

  void make(const PackPart &part) {
    bytes.clear();
    status = part([&](absl::Span<const uint8_t> more) {
      bytes.insert(bytes.end(), more.begin(), more.end());
      return absl::OkStatus();
    });
  }
};

} // namespace

absl::StatusOr<std::vector<PackPart>> tileParts(absl::Span<const SourceMatrix> sources,
                                                const MatrixView &view, const TileLayout &layout) {
  LATHE_ASSIGN_OR_RETURN(TileLayout expected, chooseTileLayout(sources, view));
  if (!(expected == layout))
    return absl::InvalidArgumentError(absl::StrCat(sources.front().name, ": the layout ",
                                                   layout.name(), " is not the one chosen for it, ",
                                                   expected.name()));
  std::vector<PackPart> parts;
  for (const SourceMatrix &source : sources)
    for (int64_t b = 0; b < view.batch; ++b)
      for (int64_t n = 0, step = rowsOfPart(source, view, layout); n < layout.n; n += step)
        parts.push_back([=, &source, first_row = view.offset + b * view.period,
                         end = std::min(n + step, layout.n)](const PackSink &sink) {
          return packRows(source, view, first_row, layout, n, end, sink);
        });
  return parts;
}

absl::StatusOr<PackPart> vectorPart(const std::string &name, Format::Kind format,
                                    absl::Span<const uint8_t> values) {
  int64_t bytes = formatBytes(format), count = static_cast<int64_t>(values.size()) / bytes;
  if (bytes == 1 || values.size() % static_cast<size_t>(bytes) != 0)
    return absl::InvalidArgumentError(absl::StrCat(name, ": ", values.size(),
                                                   " bytes are no vector of ", formatName(format),
                                                   "; vectors are f32, bf16 or f16"));
  return PackPart([=](const PackSink &sink) -> absl::Status {
    LATHE_RETURN_IF_ERROR(checkFinite(format, values.data(), count, [&](int64_t i) {
      return absl::StrCat(name, ": element [", i, "]");
    }));
    std::vector<float> result(static_cast<size_t>(count));
    decodeRun(format, values.data(), count, result.data());
    return sink({reinterpret_cast<const uint8_t *>(result.data()), result.size() * 4});
  });
}

absl::StatusOr<std::vector<PackPart>> tableParts(const SourceMatrix &source) {
  LATHE_RETURN_IF_ERROR(checkSource(source, wholeMatrix(source)));
  int64_t bytes = formatBytes(source.format), total = source.rows * source.columns;
  std::vector<PackPart> parts;
  for (int64_t first = 0, step = part_bytes / bytes; first < total; first += step) {
    int64_t count = std::min(step, total - first);
    absl::Span<const uint8_t> window = source.codes.subspan(static_cast<size_t>(first * bytes),
                                                            static_cast<size_t>(count * bytes));
    parts.push_back([=, &source](const PackSink &sink) -> absl::Status {
      LATHE_RETURN_IF_ERROR(checkFinite(source.format, window.data(), count, [&](int64_t i) {
        return elementName(source, (first + i) / source.columns, (first + i) % source.columns);
      }));
      return sink(window);
    });
  }
  return parts;
}

absl::Status packInOrder(absl::Span<const PackPart> parts, size_t threads, const PackSink &sink,
                         const std::function<absl::Status(size_t part)> &done) {
  const size_t round = 2 * std::max<size_t>(threads, 1);
  std::vector<Made> made, making(round); // `made`: the parts before `next`
  auto handOn = [&](size_t next) -> absl::Status {
    for (size_t i = 0; i < made.size(); ++i) {
      LATHE_RETURN_IF_ERROR(made[i].status);
      LATHE_RETURN_IF_ERROR(sink(made[i].bytes));
      LATHE_RETURN_IF_ERROR(done(next - made.size() + i));
    }
    return absl::OkStatus();
  };
  for (size_t next = 0; next < parts.size(); next += round) {
    making.resize(std::min(round, parts.size() - next));
    absl::Status taken;
    shareOut(threads, making.size() + 1, [&](size_t i) {
      if (i == 0)
        taken = handOn(next);
      else
        making[i - 1].make(parts[next + i - 1]);
    });
    LATHE_RETURN_IF_ERROR(taken);
    making.swap(made);
  }
  return handOn(parts.size());
}

} // namespace lathe::x86
