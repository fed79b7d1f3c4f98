#include "backends/x86/pack/source.h"

#include <cmath>

#include "base/float_formats.h"
#include "base/status.h"

namespace lathe::x86 {
namespace {

constexpr int64_t largest_block = int64_t{1} << 48;
bool isBlock(int64_t extent) { return extent >= 1 && extent <= largest_block; }

// a * b * c, or -1 if that is negative or does not fit.
int64_t product(int64_t a, int64_t b, int64_t c) {
  int64_t ab, abc;
  if (a < 0 || b < 0 || __builtin_mul_overflow(a, b, &ab) || __builtin_mul_overflow(ab, c, &abc))
    return -1;
  return abc;
}

absl::Status checkBytes(const SourceMatrix &source, const char *what, size_t have, int64_t want) {
  if (want >= 0 && have == static_cast<size_t>(want))
    return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(source.name, ": has ", have, " bytes of ", what, "; its shape needs ", want));
}

// Places of all bits that are set in a number which is not finite, and the bits that make it so:
// all of `exponent`, and for e4m3 the mantissa too.
struct NotFinite {
  uint32_t mask;
  uint32_t least; // masked bits from here on are not finite
};
NotFinite notFinite(Format::Kind format) {
  switch (format) {
  case Format::f32: return {0x7fffffff, 0x7f800000};
  case Format::bf16: return {0x7fff, 0x7f80};
  case Format::f16: return {0x7fff, 0x7c00};
  case Format::e4m3: return {0x7f, 0x7f};
  case Format::e5m2: return {0x7f, 0x7c};
  case Format::i8:
  case Format::i4: break; // all are
  }
  return {0, 1};
}

template <typename T> bool anyNotFinite(Format::Kind format, const uint8_t *codes, int64_t count) {
  NotFinite rule = notFinite(format);
  T mask = static_cast<T>(rule.mask), least = static_cast<T>(rule.least), bad = 0;
  for (int64_t i = 0; i < count; ++i)
    bad |= static_cast<T>((loadAt<T>(codes, i) & mask) >= least);
  return bad != 0;
}

uint32_t bitsAt(Format::Kind format, const uint8_t *codes, int64_t i) {
  int64_t bytes = formatBytes(format);
  return bytes == 4   ? loadAt<uint32_t>(codes, i)
         : bytes == 2 ? loadAt<uint16_t>(codes, i)
                      : codes[i];
}

} // namespace

std::string elementName(const SourceMatrix &source, int64_t row, int64_t column) {
  return absl::StrCat(source.name, ": element [", row, ", ", column, "]");
}

absl::Status checkSource(const SourceMatrix &source, const MatrixView &view) {
  int64_t codes = product(source.rows, source.columns, formatBytes(source.format));
  LATHE_RETURN_IF_ERROR(checkBytes(source, "codes", source.codes.size(), codes));
  if (source.has_scales) {
    if (!isBlock(source.block_rows) || !isBlock(source.block_columns))
      return absl::InvalidArgumentError(absl::StrCat(source.name, ": scale blocks are ",
                                                     source.block_rows, " x ", source.block_columns,
                                                     "; both must be 1 to ", largest_block));
    int64_t blocks =
        product(ceilDiv(source.rows, source.block_rows),
                ceilDiv(source.columns, source.block_columns), scaleBytes(source.scale_type));
    LATHE_RETURN_IF_ERROR(checkBytes(source, "scales", source.scales.size(), blocks));
  }
  int64_t span;
  bool fits = view.batch >= 1 && view.offset >= 0 && view.period >= 0 && view.rows >= 0 &&
              !__builtin_mul_overflow(view.batch - 1, view.period, &span) &&
              view.offset <= source.rows && span <= source.rows - view.offset &&
              view.rows <= source.rows - view.offset - span;
  if (!fits)
    return absl::InvalidArgumentError(absl::StrCat(
        source.name, ": a view of ", view.batch, " x ", view.rows, " rows from ", view.offset, ", ",
        view.period, " apart, does not fit its ", source.rows, " rows"));
  return absl::OkStatus();
}

absl::StatusOr<SourceMatrix> cutRows(const SourceMatrix &source, int64_t begin, int64_t end) {
  LATHE_RETURN_IF_ERROR(checkSource(source, {1, begin, 0, end - begin, false}));
  SourceMatrix part = source;
  int64_t row_bytes = source.columns * formatBytes(source.format);
  part.rows = end - begin;
  part.codes = source.codes.subspan(static_cast<size_t>(begin * row_bytes),
                                    static_cast<size_t>(part.rows * row_bytes));
  if (!source.has_scales)
    return part;
  if (begin % source.block_rows != 0)
    return absl::InvalidArgumentError(absl::StrCat(source.name, ": rows from ", begin,
                                                   " cut a block of ", source.block_rows, " rows"));
  int64_t block_bytes =
      ceilDiv(source.columns, source.block_columns) * scaleBytes(source.scale_type);
  part.scales = source.scales.subspan(
      static_cast<size_t>(begin / source.block_rows * block_bytes),
      static_cast<size_t>(ceilDiv(part.rows, source.block_rows) * block_bytes));
  return part;
}

int64_t scaleBytes(ScaleType type) {
  return type == ScaleType::f32 ? 4 : type == ScaleType::e8m0 ? 1 : 2;
}

absl::Status checkScale(float scale, const SourceMatrix &source, int64_t row, int64_t column) {
  if (std::isfinite(scale))
    return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      elementName(source, row, column), " has the scale ", scale, "; scales must be finite"));
}

float scaleAt(const SourceMatrix &source, int64_t row, int64_t column) {
  int64_t index = row / source.block_rows * ceilDiv(source.columns, source.block_columns) +
                  column / source.block_columns;
  switch (source.scale_type) {
  case ScaleType::f32: return loadAt<float>(source.scales.data(), index);
  case ScaleType::bf16: return f32FromBf16(loadAt<uint16_t>(source.scales.data(), index));
  case ScaleType::f16: return f32FromF16(loadAt<uint16_t>(source.scales.data(), index));
  case ScaleType::e8m0: return f32FromE8m0(source.scales[static_cast<size_t>(index)]);
  }
  return 0;
}

bool isFiniteCode(Format::Kind format, uint32_t bits) {
  NotFinite rule = notFinite(format);
  return (bits & rule.mask) < rule.least;
}

absl::Status checkFinite(Format::Kind format, const uint8_t *codes, int64_t count,
                         const std::function<std::string(int64_t)> &where) {
  int64_t bytes = formatBytes(format);
  bool bad = bytes == 4   ? anyNotFinite<uint32_t>(format, codes, count)
             : bytes == 2 ? anyNotFinite<uint16_t>(format, codes, count)
                          : anyNotFinite<uint8_t>(format, codes, count);
  for (int64_t i = 0; bad && i < count; ++i)
    if (!isFiniteCode(format, bitsAt(format, codes, i)))
      return absl::InvalidArgumentError(absl::StrCat(
          where(i), " is the ", formatName(format), " code 0x", absl::Hex(bitsAt(format, codes, i)),
          ", not a finite number; weights must be finite"));
  return absl::OkStatus();
}

} // namespace lathe::x86
