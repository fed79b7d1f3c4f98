// Attention over blocks of keys with an online softmax (FlashAttention-2): what all attention
// kernels of many rows call. A row's result depends on its own query and keys alone: blocks stand
// at multiples of flash_keys, and a block in which a row sees nothing changes nothing.
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

// All of it for `count` rows of one slot. rowAt(i) gives a FlashRow; keysAt(start, keys) the block
// of keys [start, start + keys). `memory`: Form::memoryFloats(count, shape), 64-byte aligned.
template <typename Form, typename RowAt, typename KeysAt>
LATHE_INLINE void flash(int64_t count, const FlashShape &shape, float *memory, RowAt rowAt,
                        KeysAt keysAt) {
  Form form(count, shape, memory);
  int64_t first = INT64_MAX, last = -1;
  for (int64_t i = 0; i < count; ++i) {
    FlashRow row = rowAt(i);
    form.takeRow(i, row);
    first = smaller(first, row.first);
    last = larger(last, row.last);
  }
  for (int64_t start = first / flash_keys * flash_keys; start <= last; start += flash_keys) {
    int64_t keys = smaller(flash_keys, last + 1 - start);
    form.attendBlock(keysAt(start, keys), start, keys, rowAt);
  }
  form.finish(rowAt);
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

// Scratch on the stack whose size is a constant once the kernel is inlined.
#define LATHE_STACK_FLOATS(count)                                                                  \
  static_cast<float *>(__builtin_alloca_with_align(static_cast<size_t>(count) * 4, 512))

} // namespace lathe::x86
