// Attention over blocks of keys with an online softmax (FlashAttention-2): what all attention
// kernels of many rows call. A row's result depends on its own query and keys alone: blocks stand
// at multiples of flash_keys, pieces at multiples of theirs, and a block or a piece in which a row
// sees nothing changes nothing.
#pragma once

#include "backends/x86/kernels/flash_amx.h"
#include "backends/x86/kernels/flash_vectors.h"

namespace lathe::x86 {

#if LATHE_X86_AMX
typedef FlashAmx<all_terms, all_terms> FlashF32;
typedef FlashAmx<all_terms, 1> FlashBf16Keys; // keys and values are bf16 numbers
typedef FlashAmx<1, 1> FlashRounded;          // what is multiplied may be rounded to bf16
#else
typedef FlashVectors FlashF32, FlashBf16Keys, FlashRounded; // f32 is no slower
#endif

// Puts what `count` rows of one slot see into the running sums of `form`. rowAt(i) gives a
// FlashRow; keysAt(start, keys) the block of keys [start, start + keys).
template <typename Form, typename RowAt, typename KeysAt>
LATHE_INLINE void attendAll(Form &form, int64_t count, RowAt rowAt, KeysAt keysAt) {
  int64_t first = INT64_MAX, last = -1;
  for (int64_t i = 0; i < count; ++i) {
    FlashRow row = rowAt(i);
    form.takeRow(i, row);
    first = smaller(first, row.first);
    last = larger(last, row.last);
  }
  for (int64_t begin = first / flash_keys * flash_keys, start = begin; start <= last;
       start += flash_keys) {
    int64_t keys = smaller(flash_keys, last + 1 - start);
    if (start > begin)
      form.beginBlock(start);
    form.attendBlock(keysAt(start, keys), start, keys, rowAt);
  }
}

// All of it. `memory`: Form::memoryFloats(count, shape), 64-byte aligned.
template <typename Form, typename RowAt, typename KeysAt>
LATHE_INLINE void flash(int64_t count, const FlashShape &shape, float *memory,
                        const StoredRows &result, RowAt rowAt, KeysAt keysAt) {
  Form form(count, shape, memory);
  attendAll(form, count, rowAt, keysAt);
  form.finish(rowAt, result);
}

// Runs of rows [begin, end) that share a slot: body(slot, first, last + 1).
template <typename Body>
LATHE_INLINE void eachSegment(const int32_t *slots, int64_t begin, int64_t end, Body body) {
  for (int64_t first = begin; first < end;) {
    int64_t last = first + 1;
    while (last < end && slots[last] == slots[first])
      ++last;
    body(static_cast<int64_t>(slots[first]), first, last);
    first = last;
  }
}

} // namespace lathe::x86
