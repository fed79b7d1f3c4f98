// 16 rows of codes to [k][16], the order of a tile.
#pragma once

#include <cstdint>

#include "backends/x86/kernels/weight.h"

namespace lathe::x86 {

// out[k][p] = rows[p][k] for k < columns, elements of 1, 2 or 4 bytes; zeros where rows[p] is null.
void transposeRows(const uint8_t *const rows[16], int64_t columns, int64_t element_bytes,
                   uint8_t *out);

// out[lanePlace(format, lane)] = codes[lane] for lane < count, zeros in the other places.
void placeLanes(const uint8_t *codes, int count, Format::Kind format, uint8_t *out);

} // namespace lathe::x86
