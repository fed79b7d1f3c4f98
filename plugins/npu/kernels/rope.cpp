// Rotation of pairs. The two sides of the pairs come into buffers of their own: two strided loads
// where they are halves, one load that is taken apart where they alternate. What is not rotated
// passes through.
#include "kernels/kernels.h"

namespace npu::kernels {
namespace {

class Rope {
public:
  Rope(const Device &device, const RopePlan &plan)
      : device(device), plan(plan), kernel(device, "rope"), b(vector_core(kernel)),
        half(plan.d / 2), pitch(row_pitch(f32, half)) {}

  Result<Kernel> build() {
    x = b.arg(kernel.buffer("x", ArgAccess::Read, 0));
    table = b.arg(kernel.buffer("table", ArgAccess::Read, 0));
    y = b.arg(kernel.buffer("y", ArgAccess::Write, 0));
    Operand rows = b.arg(kernel.scalar("rows"));
    uint64_t rest = row_pitch(f32, std::max(plan.offset, behind()));
    uint64_t room = b.freeBytes(Space::UB) * 9 / 10 - 2 * pitch;
    tile = std::min(plan.heads, room / (8 * pitch + rest));
    if (!tile)
      return error("rope: a head of ", plan.head_dim, " does not fit the vector memory");
    allocate(rest);
    if (plan.pairs) // what pads a row is taken apart with it
      b.fill(f32, both, Operand::number(0), {.cols = tile * 2 * pitch / 4});
    order(device, b, Pipe::V, Pipe::MTE2);
    uint64_t across = ceil_div(plan.heads, tile);
    share_out(b, b.mul(rows, across), [&](Reg item) {
      Operand row = b.div(item, across), head = b.mul(b.rem(item, across), tile);
      one_tile(row, head, b.min(tile, b.sub(plan.heads, head)));
    });
    return kernel.finish();
  }

private:
  uint64_t behind() const { return plan.head_dim - plan.offset - plan.d; }
  uint64_t step() const { return plan.head_dim * 4; }

  void allocate(uint64_t rest) {
    cosine = b.allocate(Space::UB, pitch, "cos"), sine = b.allocate(Space::UB, pitch, "sin");
    both = b.allocate(Space::UB, tile * 2 * pitch, "both");
    for (Buffer *each : {&left, &right, &made_left, &made_right, &term, &term2})
      *each = b.allocate(Space::UB, tile * pitch, "side");
    passing = b.allocate(Space::UB, tile * rest, "passing");
  }

  void one_tile(Operand row, Operand head, Operand count) {
    Operand begin = b.mul(head, step());
    Operand from = b.add(row_at(b, x, row, plan.x_ld), begin);
    Operand to = b.add(row_at(b, y, row, plan.y_ld), begin);
    order(device, b, Pipe::MTE3, Pipe::MTE2);
    load(row, b.add(from, plan.offset * 4), count);
    order(device, b, Pipe::MTE2, Pipe::V);
    order(device, b, Pipe::MTE3, Pipe::V);
    rotate(count);
    order(device, b, Pipe::V, Pipe::MTE3);
    store(b.add(to, plan.offset * 4), count);
    order(device, b, Pipe::V, Pipe::MTE2);
    pass(from, to, plan.offset, count);
    uint64_t skipped = (plan.offset + plan.d) * 4;
    pass(b.add(from, skipped), b.add(to, skipped), behind(), count);
  }

  void load(Operand row, Operand from, Operand count) {
    Operand angles = row_at(b, table, row, plan.d * 4);
    b.ldUb(cosine, angles, half * 4, 1, 0, 0, true);
    b.ldUb(sine, b.add(angles, half * 4), half * 4, 1, 0, 0, true);
    if (plan.pairs)
      return b.ldUb(both, from, plan.d * 4, count, step(), 2 * pitch, true);
    b.ldUb(left, from, half * 4, count, step(), pitch, true);
    b.ldUb(right, b.add(from, half * 4), half * 4, count, step(), pitch, true);
  }

  // Rows of `both` are two rows of a side long, so that all of it is taken apart at once.
  void rotate(Operand count) {
    Operand all = b.mul(count, pitch / 4);
    if (plan.pairs)
      b.emit(Op::Vdeinterleave, f32, DType::None, {}, {left, right, both, all});
    multiply_add(made_left, left, cosine, right, sine, Op::Vsub, count);
    multiply_add(made_right, left, sine, right, cosine, Op::Vadd, count);
    if (plan.pairs)
      b.emit(Op::Vinterleave, f32, DType::None, {}, {both, made_left, made_right, all});
  }

  void multiply_add(Buffer to, Buffer p, Buffer with_p, Buffer q, Buffer with_q, Op op,
                    Operand count) {
    Tile tile_of{.rows = count, .cols = half, .ldd = pitch, .lda = pitch, .ldb = 0};
    if (plan.pairs) // padding is interleaved as well
      b.fill(f32, to, Operand::number(0), {.rows = count, .cols = pitch / 4});
    b.binary(Op::Vmul, f32, term, p, with_p, tile_of);
    b.binary(Op::Vmul, f32, term2, q, with_q, tile_of);
    tile_of.ldb = pitch;
    b.binary(op, f32, to, term, term2, tile_of);
  }

  void store(Operand to, Operand count) {
    if (plan.pairs)
      return b.stGm(to, both, plan.d * 4, count, 2 * pitch, step());
    b.stGm(to, made_left, half * 4, count, pitch, step());
    b.stGm(b.add(to, half * 4), made_right, half * 4, count, pitch, step());
  }

  void pass(Operand from, Operand to, uint64_t cols, Operand count) {
    if (!cols)
      return;
    order(device, b, Pipe::MTE3, Pipe::MTE2);
    b.ldUb(passing, from, cols * 4, count, step(), row_pitch(f32, cols), true);
    order(device, b, Pipe::MTE2, Pipe::MTE3);
    b.stGm(to, passing, cols * 4, count, row_pitch(f32, cols), step());
  }

  const Device &device;
  const RopePlan &plan;
  KernelBuilder kernel;
  CoreBuilder &b;
  const uint64_t half, pitch;
  uint64_t tile = 0;
  Operand x = 0, table = 0, y = 0;
  Buffer cosine, sine, both, left, right, made_left, made_right, term, term2, passing;
};

} // namespace

Result<Kernel> rope(const Device &device, const RopePlan &plan) {
  return Rope(device, plan).build();
}

} // namespace npu::kernels
