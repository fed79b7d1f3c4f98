#include "backends/plugin/constants.h"

#include <algorithm>
#include <cstring>

#include "backends/x86/pack/convert.h"
#include "backends/x86/pack/source.h"
#include "base/status.h"
#include "mlir/IR/Diagnostics.h"

namespace lathe::plugin {
namespace {

using x86::PackedRows;
using x86::RowWindow;
using x86::SourceMatrix;

int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

// One array of a matrix (its codes or its scales), as rows of so many bytes. Codes of i4 are a byte
// each here, as the packer has them.
struct Rows {
  int64_t count, bytes;
  int64_t matrix_rows; // of the matrix in each of these
};

Rows codeRows(const SourceMatrix &matrix) {
  return {matrix.rows, matrix.columns * std::max<int64_t>(x86::formatBytes(matrix.format), 1), 1};
}

Rows scaleRows(const SourceMatrix &matrix) {
  int64_t block = std::min(matrix.block_rows, matrix.rows);
  return {ceilDiv(matrix.rows, block),
          ceilDiv(matrix.columns, matrix.block_columns) * x86::scaleBytes(matrix.scale_type),
          block};
}

// Bytes [begin, end) of the rows as they are packed, to `out`.
absl::Status copyRows(const SourceMatrix &source, bool scales, int64_t begin, int64_t end,
                      uint8_t *out) {
  SourceMatrix form = packedForm(source);
  const Rows rows = scales ? scaleRows(form) : codeRows(form);
  PackedRows packed(source);
  while (begin < end) {
    const int64_t row = begin / rows.bytes;
    const int64_t first = row * rows.matrix_rows;
    LATHE_ASSIGN_OR_RETURN(RowWindow window,
                           packed.window(first, std::min(first + rows.matrix_rows, form.rows)));
    const SourceMatrix &there = *window.matrix;
    const uint8_t *base = scales ? there.scales.data() : there.codes.data();
    const int64_t skipped = (first - window.first_row) / rows.matrix_rows * rows.bytes;
    const int64_t count = std::min(end, (row + 1) * rows.bytes) - begin;
    std::memcpy(out, base + skipped + begin % rows.bytes, count);
    begin += count;
    out += count;
  }
  return absl::OkStatus();
}

// As copyRows, of codes that are two a byte in the array that is read.
absl::Status copyNibbles(const SourceMatrix &source, int64_t begin, int64_t end, uint8_t *out) {
  const int64_t elements = source.rows * source.columns;
  std::vector<uint8_t> codes(2 * (end - begin), 0);
  LATHE_RETURN_IF_ERROR(
      copyRows(source, false, 2 * begin, std::min(2 * end, elements), codes.data()));
  for (int64_t i = 0; i < end - begin; ++i)
    out[i] = static_cast<uint8_t>((codes[2 * i] & 15) | codes[2 * i + 1] << 4);
  return absl::OkStatus();
}

bool isNibbles(const SourceMatrix &form, bool scales) {
  return !scales && form.format == x86::Format::i4;
}

int64_t arrayBytes(const SourceMatrix &form, bool scales) {
  if (isNibbles(form, scales))
    return ceilDiv(form.rows * form.columns, 2);
  const Rows rows = scales ? scaleRows(form) : codeRows(form);
  return rows.count * rows.bytes;
}

} // namespace

absl::Status ConstantReader::choose(ir::WeightOp weight) {
  if (weight_ == weight)
    return absl::OkStatus();
  std::string errors;
  mlir::ScopedDiagnosticHandler handler(weight.getContext(), [&](mlir::Diagnostic &diagnostic) {
    errors += diagnostic.str();
    return mlir::success();
  });
  auto sources = x86::weightSources(weight, lookup_);
  if (mlir::failed(sources))
    return absl::InvalidArgumentError(errors);
  for (SourceMatrix &source : *sources) {
    if (weight.getRows() && !source.target) {
      LATHE_ASSIGN_OR_RETURN(source,
                             cutRows(source, (*weight.getRows())[0], (*weight.getRows())[1]));
    }
    LATHE_RETURN_IF_ERROR(checkSource(source, x86::wholeMatrix(source)));
  }
  matrices_ = *std::move(sources);
  weight_ = weight;
  return absl::OkStatus();
}

absl::Status ConstantReader::read(ir::WeightOp weight, bool scales, uint64_t offset, uint64_t size,
                                  void *destination) {
  LATHE_RETURN_IF_ERROR(choose(weight));
  const SourceMatrix form = packedForm(matrices_.front());
  if (scales && !form.has_scales)
    return absl::InvalidArgumentError(
        absl::StrCat("constant ", weight.getName().str(), ": has no scales"));
  const uint64_t each = arrayBytes(form, scales), total = each * matrices_.size();
  if (offset > total || size > total - offset)
    return absl::InvalidArgumentError(absl::StrCat("constant ", weight.getName().str(), ": bytes ",
                                                   offset, " to ", offset + size,
                                                   " are wanted; it has ", total));
  auto *out = static_cast<uint8_t *>(destination);
  while (size > 0) {
    const uint64_t within = offset % each, count = std::min(size, each - within);
    const SourceMatrix &matrix = matrices_[offset / each];
    LATHE_RETURN_IF_ERROR(isNibbles(form, scales)
                              ? copyNibbles(matrix, within, within + count, out)
                              : copyRows(matrix, scales, within, within + count, out));
    offset += count, size -= count, out += count;
  }
  return absl::OkStatus();
}

} // namespace lathe::plugin
