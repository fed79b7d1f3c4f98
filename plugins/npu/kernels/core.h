// What every kernel needs of a core, on devices with flags and without: order between pipes, rings
// of buffers, and each core's share of the work.
#pragma once

#include "builder/builder.h"

#include <algorithm>
#include <memory>

namespace npu::kernels {

inline uint64_t ceil_div(uint64_t a, uint64_t b) { return (a + b - 1) / b; }
inline uint64_t round_up(uint64_t a, uint64_t unit) { return ceil_div(a, unit) * unit; }

inline constexpr DType f32 = DType::F32, f16 = DType::F16, i32 = DType::I32;

// The cores that have the vector unit: vector cores, or cube cores that have all pipes.
CoreBuilder &vector_core(KernelBuilder &kernel);
CoreKind vector_kind(const Device &device);
// How many cores of the kind a launch can use.
unsigned cores_of(const Device &device, CoreKind kind);

bool has_flags(const Device &device);

// Target goes on behind source's work. Devices without flags wait for all pipes.
void order(const Device &device, CoreBuilder &b, Pipe source, Pipe target);

// Two buffers from one pipe to another, in turn (Channel); one, with barriers, where there are no
// flags.
class Ring {
public:
  Ring(const Device &device, CoreBuilder &b, Space space, uint64_t bytes, Pipe producer,
       Pipe consumer, std::string_view name, unsigned slots = 2);
  Operand produce();
  void filled();
  Operand consume();
  void release();
  void close();

private:
  CoreBuilder &b;
  std::unique_ptr<Channel> channel;
  Buffer single;
};

// Calls body with each item of [0, count) that falls to this core.
void share_out(CoreBuilder &b, Operand count, const std::function<void(Reg)> &body);

// f32 numbers rounded to bf16, by their bits: some chips have no such cast.
class RoundToBf16 {
public:
  explicit RoundToBf16(CoreBuilder &b); // takes two blocks of UB
  void apply(Operand to, Operand from, const Tile &tile);

private:
  CoreBuilder &b;
  Buffer one, upper;
};

// Bytes of a row of `cols` elements in a core's memory.
inline uint64_t row_pitch(DType type, uint64_t cols) { return round_up(bytesOf(type, cols), 32); }

// Where row `row` of a matrix begins that starts at `base`.
Operand row_at(CoreBuilder &b, Operand base, Operand row, Operand stride);

} // namespace npu::kernels
