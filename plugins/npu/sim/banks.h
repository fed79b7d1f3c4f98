// Where operands of a vector instruction meet in the banks of its memory.
#pragma once

#include "device/device.h"
#include "sim/issued.h"

namespace npu {

// Cycles that an instruction of `repeats` repeats loses. A repeat takes up to eight blocks of 32
// bytes of each operand; neighbouring blocks lie in neighbouring bank groups.
// - Two reads must not share a bank group.
// - A write and a read must not share a bank. Where both begin in the same one, so that all their
//   blocks would meet, the unit writes a repeat later and nothing meets.
// (Vendor's study of Add with operands at eight sets of addresses.)
double bankConflicts(const VectorSpec &vector, const Issued &issued, int64_t repeats);

} // namespace npu
