// Cosines and sines without an instruction for them: the angle minus its quarter turns, what is
// left through polynomials, and sides exchanged and signs set by which quarter it is. Within 2e-7
// up to 2^16 radians.
#include "kernels/kernels.h"

#include <bit>
#include <numbers>

namespace npu::kernels {
namespace {

class RopeTable {
public:
  RopeTable(const Device &device, const RopeTablePlan &plan)
      : device(device), plan(plan), kernel(device, "rope_table"), b(vector_core(kernel)),
        half(plan.frequencies.size()), pitch(row_pitch(f32, half)),
        tile(std::min<uint64_t>(8, b.freeBytes(Space::UB) * 9 / 10 / (10 * pitch))) {}

  Result<Kernel> build() {
    Operand positions = b.arg(kernel.buffer("positions", ArgAccess::Read, 0));
    Operand out = b.arg(kernel.buffer("out", ArgAccess::Write, 0));
    Operand rows = b.arg(kernel.scalar("rows"));
    if (!tile)
      return error("rope_table: ", half, " frequencies do not fit the vector memory");
    allocate();
    b.scope([&] { write_frequencies(); });
    share_out(b, b.div(b.add(rows, tile - 1), tile), [&](Reg item) {
      Operand row = b.mul(item, tile), count = b.min(tile, b.sub(rows, row));
      order(device, b, Pipe::V, Pipe::MTE2);
      b.ldUb(numbers, row_at(b, positions, row, 4), b.mul(count, 4), 1, 0, 0, true);
      order(device, b, Pipe::MTE2, Pipe::V);
      order(device, b, Pipe::MTE3, Pipe::V);
      compute(count);
      order(device, b, Pipe::V, Pipe::MTE3);
      Operand to = row_at(b, out, row, 2 * half * 4);
      b.stGm(to, cosine, half * 4, count, pitch, 2 * half * 4);
      b.stGm(b.add(to, half * 4), sine, half * 4, count, pitch, 2 * half * 4);
    });
    return kernel.finish();
  }

private:
  void allocate() {
    auto room = [&](uint64_t bytes, const char *what) {
      return b.allocate(Space::UB, bytes, what);
    };
    frequencies = room(pitch, "frequencies");
    numbers = room(32, "positions"), reals = room(32, "reals"), blocks = room(32 * 8, "blocks");
    for (Buffer *each : {&angle, &turns, &mask, &odd, &square, &sine, &cosine, &other})
      *each = room(tile * pitch, "work");
  }

  void write_frequencies() {
    for (uint64_t i = 0; i < half; ++i)
      b.emit(Op::SStUb, f32, DType::None, {},
             {frequencies.offset + i * 4, Operand::number(plan.frequencies[i])});
    order(device, b, Pipe::S, Pipe::V);
  }

  Tile all(Operand count) const { return {.rows = count, .cols = half}; }
  void times(Buffer to, Buffer from, float factor, Operand count) {
    b.withScalar(Op::Vmuls, f32, to, from, Operand::number(factor), all(count));
  }
  void plus(Buffer to, float term, Operand count) {
    b.withScalar(Op::Vadds, f32, to, to, Operand::number(term), all(count));
  }
  void product(Buffer to, Buffer x, Buffer y, Operand count) {
    b.binary(Op::Vmul, f32, to, x, y, all(count));
  }

  // to = sum of terms[i] * square^i, the highest term first.
  void polynomial(Buffer to, std::initializer_list<double> terms, Operand count) {
    bool begun = false;
    for (double term : terms) {
      if (!begun)
        b.fill(f32, to, Operand::number(static_cast<float>(term)), all(count));
      else {
        product(to, to, square, count);
        plus(to, static_cast<float>(term), count);
      }
      begun = true;
    }
  }

  void compute(Operand count) {
    b.cast(i32, f32, reals, numbers, {.cols = count});
    b.broadcastBlocks(f32, blocks, reals, count);
    b.binary(Op::Vmul, f32, angle, frequencies, blocks,
             {.rows = count, .cols = half, .lda = 0, .ldb = 32}, true);
    reduce(count);
    product(square, angle, angle, count);
    polynomial(sine, {1.0 / 362880, -1.0 / 5040, 1.0 / 120, -1.0 / 6}, count);
    product(sine, sine, square, count);
    product(sine, sine, angle, count);
    plus_rows(sine, angle, count); // x + x^3 (...): the first term is exact
    polynomial(cosine, {-1.0 / 3628800, 1.0 / 40320, -1.0 / 720, 1.0 / 24, -1.0 / 2, 1}, count);
    turn(count);
    if (plan.magnitude != 1) {
      times(sine, sine, plan.magnitude, count);
      times(cosine, cosine, plan.magnitude, count);
    }
  }

  // angle -= pi / 2 * its quarter turns. Half of pi comes in three parts, of which the first has so
  // few bits that its product with the turns is exact.
  void reduce(Operand count) {
    constexpr double quarter = std::numbers::pi / 2;
    constexpr float high = 1.5703125f;
    const float middle = std::bit_cast<float>(
        std::bit_cast<uint32_t>(static_cast<float>(quarter - double{high})) & 0xfffff000u);
    const float low = static_cast<float>(quarter - double{high} - double{middle});
    times(other, angle, static_cast<float>(1 / quarter), count);
    b.cast(f32, i32, turns, other, all(count));
    b.cast(i32, f32, other, turns, all(count));
    for (float part : {high, middle, low})
      b.emit(Op::Vaxpy, f32, DType::None, {}, {angle, other, Operand::number(-part), count, half});
  }

  void plus_rows(Buffer to, Buffer term, Operand count) {
    b.binary(Op::Vadd, f32, to, to, term, all(count));
  }

  // other = 1 - (turns & bit) * 2 / bit: -1 where the bit is set
  void sign_of(int bit, Operand count) {
    b.fill(i32, mask, bit, all(count));
    b.binary(Op::Vand, i32, mask, turns, mask, all(count));
    b.cast(i32, f32, other, mask, all(count));
    times(other, other, -2.0f / static_cast<float>(bit), count);
    plus(other, 1, count);
  }

  // Odd quarters exchange sides; sines of the third and fourth are negative, cosines of the second
  // and third.
  void turn(Operand count) {
    b.fill(i32, mask, 1, all(count));
    b.binary(Op::Vand, i32, mask, turns, mask, all(count));
    b.emit(Op::Vcmps, i32, DType::None, {}, {odd, mask, 1, int(Cmp::Eq), count, half});
    b.emit(Op::Vsel, f32, DType::None, {}, {angle, odd, cosine, sine, count, half});
    b.emit(Op::Vsel, f32, DType::None, {}, {square, odd, sine, cosine, count, half});
    sign_of(2, count);
    product(sine, angle, other, count);
    b.withScalar(Op::Vadds, i32, turns, turns, 1, all(count));
    sign_of(2, count);
    product(cosine, square, other, count);
  }

  const Device &device;
  const RopeTablePlan &plan;
  KernelBuilder kernel;
  CoreBuilder &b;
  const uint64_t half, pitch, tile;
  Buffer frequencies, numbers, reals, blocks, angle, turns, mask, odd, square, sine, cosine, other;
};

} // namespace

Result<Kernel> rope_table(const Device &device, const RopeTablePlan &plan) {
  return RopeTable(device, plan).build();
}

} // namespace npu::kernels
