#include "backends/x86/pack/transpose.h"

#include <algorithm>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace lathe::x86 {
namespace {

template <typename T>
void transposePart(const uint8_t *const rows[16], int64_t begin, int64_t end, uint8_t *out) {
  for (int p = 0; p < 16; ++p)
    for (int64_t k = begin; k < end; ++k) {
      T value = 0;
      if (rows[p])
        std::memcpy(&value, rows[p] + k * static_cast<int64_t>(sizeof(T)), sizeof(T));
      std::memcpy(out + (k * 16 + p) * static_cast<int64_t>(sizeof(T)), &value, sizeof(T));
    }
}

// Columns go in short runs, so that the lines that are written stay in L1.
template <typename T>
void transposeScalar(const uint8_t *const rows[16], int64_t begin, int64_t columns, uint8_t *out) {
  constexpr int64_t run = 64;
  for (int64_t k = begin; k < columns; k += run)
    transposePart<T>(rows, k, std::min(columns, k + run), out);
}

#ifdef __SSE2__
// 16 x 16 bytes: four rounds of a perfect shuffle of the rows are a transposition.
void transposeBlock(const uint8_t *const rows[16], int64_t k, uint8_t *out) {
  __m128i a[16], b[16];
  for (int i = 0; i < 16; ++i)
    a[i] = rows[i] ? _mm_loadu_si128(reinterpret_cast<const __m128i *>(rows[i] + k))
                   : _mm_setzero_si128();
  auto shuffle = [](const __m128i *from, __m128i *to) {
    for (int i = 0; i < 8; ++i) {
      to[2 * i] = _mm_unpacklo_epi8(from[i], from[i + 8]);
      to[2 * i + 1] = _mm_unpackhi_epi8(from[i], from[i + 8]);
    }
  };
  shuffle(a, b);
  shuffle(b, a);
  shuffle(a, b);
  shuffle(b, a);
  for (int i = 0; i < 16; ++i)
    _mm_storeu_si128(reinterpret_cast<__m128i *>(out + (k + i) * 16), a[i]);
}
#endif

void transposeBytes(const uint8_t *const rows[16], int64_t columns, uint8_t *out) {
  int64_t k = 0;
#ifdef __SSE2__
  for (; k + 16 <= columns; k += 16)
    transposeBlock(rows, k, out);
#endif
  transposeScalar<uint8_t>(rows, k, columns, out);
}

} // namespace

void transposeRows(const uint8_t *const rows[16], int64_t columns, int64_t element_bytes,
                   uint8_t *out) {
  if (element_bytes == 1)
    return transposeBytes(rows, columns, out);
  if (element_bytes == 2)
    return transposeScalar<uint16_t>(rows, 0, columns, out);
  transposeScalar<uint32_t>(rows, 0, columns, out);
}

void placeLanes(const uint8_t *codes, int count, Format::Kind format, uint8_t *out) {
  int64_t bytes = formatBytes(format);
  std::memset(out, 0, static_cast<size_t>(16 * bytes));
  for (int64_t lane = 0; lane < count; ++lane)
    std::memcpy(out + lanePlace(format, lane) * bytes, codes + lane * bytes,
                static_cast<size_t>(bytes));
}

} // namespace lathe::x86
