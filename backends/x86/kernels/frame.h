// What a kernel is given and how its work is cut: the contract between the kernels, the code
// generator and the step program. Plain C++20 without the standard library, for both sides.
//
// A kernel NAME is
//   extern "C" void lathe_x86_NAME(const Frame *, const int64_t *operands, const NameParams *,
//                                  int64_t begin, int64_t end);
// It does the items [begin, end). The code generator wraps it with a constant `NameParams`, so that
// every shape is a constant after inlining; NameParams holds int64_t only and is stored as i64s.
// `NameOperand` names the places in `operands`; `nameItems(params)` says how many items there are.
// Items never write the same bytes and their results do not depend on how they are grouped.
// Unless a kernel says otherwise: rows are f32, strides count elements, 0-element extents are
// legal, and an operand may not overlap one that is written.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace lathe::x86 {

// The places of Frame::buffers: those of lathe_cpu_call, then the code's own constants.
struct Buffer {
  enum Kind : int64_t {
    tokens = 0,
    slots,
    positions,
    output_rows,
    logits,
    arena,
    weights,
    state,
    constants, // tables that the code generator stores with the code (rope frequencies)
    count
  };
};

struct Frame {
  char *buffers[Buffer::count];
  int64_t rows;
  int64_t output_rows;
  int64_t context; // keys that the row furthest into its context sees
};

// An operand: a buffer and a byte offset in it, below 2^48.
constexpr int64_t operand(Buffer::Kind buffer, int64_t offset) {
  return (static_cast<int64_t>(buffer) << 48) | offset;
}
constexpr int64_t no_operand = -1; // for an optional operand that is not there

constexpr int64_t bufferOf(int64_t operand) { return operand >> 48; }
constexpr int64_t offsetOf(int64_t operand) { return operand & ((int64_t{1} << 48) - 1); }

template <typename T> inline T *resolve(const Frame *frame, int64_t operand) {
  return reinterpret_cast<T *>(frame->buffers[bufferOf(operand)] + offsetOf(operand));
}

// What a wrapper looks like.
using Task = void(const Frame *, const int64_t *operands, int64_t begin, int64_t end);

// Which count a kernel's rows come from; none: one row. `context` counts keys and not rows.
struct RowSource {
  enum Kind : int64_t { none = 0, rows = 1, output_rows = 2, context = 3 };
};

constexpr int64_t rowCount(const Frame &frame, int64_t source) {
  return source == RowSource::rows          ? frame.rows
         : source == RowSource::output_rows ? frame.output_rows
         : source == RowSource::context     ? frame.context
                                            : 1;
}

constexpr int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t roundUp(int64_t a, int64_t b) { return ceilDiv(a, b) * b; }

// The item rule: `items` * (row_source ? ceil(count(row_source) * row_factor / rows_per_item) : 1).
struct Items {
  int64_t items = 1;
  int64_t rows_per_item = 1;
  int64_t row_factor = 1;
  int64_t row_source = RowSource::none;
};

constexpr int64_t itemCount(const Items &rule, int64_t source_rows) {
  return rule.items *
         (rule.row_source ? ceilDiv(source_rows * rule.row_factor, rule.rows_per_item) : 1);
}

// How a kernel that works row by row is cut: item i does the rows [i * rows_per_item, ...) of
// count(source) * factor rows in all (factor: K for rows of (token, choice) pairs).
struct RowSplit {
  int64_t source;
  int64_t factor;
  int64_t rows_per_item;
};

constexpr Items rowItems(const RowSplit &split) {
  return {1, split.source ? split.rows_per_item : 1, split.factor, split.source};
}

// One entry of a step's table: integers only, so that a deep model is a longer table and needs
// neither code nor relocations for it.
struct Region {
  int64_t task;     // index into the executable's tasks
  int64_t operands; // index of the first into the step's operands
  int64_t items;    // this and the next three: the item rule
  int64_t rows_per_item;
  int64_t row_factor;
  int64_t row_source;
  int64_t serial; // not 0: all items on the calling thread
  int64_t joined; // not 0: needs nothing of the region before; both run between the same barriers
};

// Float parameters travel as int64_t: the bits of the f32 in the low half.
constexpr int64_t floatBits(float value) { return __builtin_bit_cast(uint32_t, value); }
constexpr float bitsFloat(int64_t bits) {
  return __builtin_bit_cast(float, static_cast<uint32_t>(bits));
}

// Declares the kernel lathe_x86_NAME in a header.
#define LATHE_X86_KERNEL(name, Params)                                                             \
  extern "C" void lathe_x86_##name(const ::lathe::x86::Frame *frame, const int64_t *operands,      \
                                   const Params *params, int64_t begin, int64_t end);

} // namespace lathe::x86
