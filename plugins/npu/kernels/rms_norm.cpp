// A row (a group of it) is read twice: for its sum of squares, then to be scaled. What fits into
// the core's memory at once is a chunk; rows are cut into as many as they need.
#include "kernels/kernels.h"

namespace npu::kernels {
namespace {

class RmsNorm {
public:
  RmsNorm(const Device &device, const NormPlan &plan)
      : device(device), plan(plan), kernel(device, "rms_norm"), b(vector_core(kernel)) {}

  Result<Kernel> build() {
    x = b.arg(kernel.buffer("x", ArgAccess::Read, 0));
    scale = b.arg(kernel.buffer("scale", ArgAccess::Read, plan.cols * 4));
    y = b.arg(kernel.buffer("y", ArgAccess::Write, 0));
    Operand rows = b.arg(kernel.scalar("rows"));
    chunk = std::min(round_up(plan.cols, 8), b.freeBytes(Space::UB) * 9 / 10 / 32 / 8 * 8);
    in.emplace(device, b, Space::UB, chunk * 4, Pipe::MTE2, Pipe::V, "x");
    gain.emplace(device, b, Space::UB, chunk * 4, Pipe::MTE2, Pipe::V, "scale");
    out.emplace(device, b, Space::UB, chunk * 4, Pipe::V, Pipe::MTE3, "y");
    square = b.allocate(Space::UB, chunk * 4, "square");
    part = b.allocate(Space::UB, 32, "part");
    sum = b.allocate(Space::UB, 32, "sum");
    factor = b.allocate(Space::UB, 32, "factor");
    share_out(b, b.mul(rows, plan.groups), [&](Reg item) { one_group(item); });
    in->close(), gain->close(), out->close();
    return kernel.finish();
  }

private:
  void one_group(Reg item) {
    Operand row = b.div(item, plan.groups), begin = b.mul(b.rem(item, plan.groups), plan.cols * 4);
    Operand from = b.add(row_at(b, x, row, plan.x_ld), begin);
    Operand to = b.add(row_at(b, y, row, plan.y_ld), begin);
    b.fill(f32, sum, Operand::number(0), {.cols = 1});
    each_chunk([&](Reg col, Operand n) { add_squares(from, col, n); });
    b.withScalar(Op::Vmuls, f32, sum, sum, Operand::number(1.0f / static_cast<float>(plan.cols)),
                 {.cols = 1});
    b.withScalar(Op::Vadds, f32, sum, sum, Operand::number(plan.epsilon), {.cols = 1});
    b.unary(Op::Vrsqrt, f32, sum, sum, {.cols = 1});
    b.broadcastBlocks(f32, factor, sum, 1);
    each_chunk([&](Reg col, Operand n) { scale_chunk(from, to, col, n); });
  }

  void each_chunk(const std::function<void(Reg, Operand)> &body) {
    b.loop(0, plan.cols, chunk, [&](Reg col) { body(col, b.min(chunk, b.sub(plan.cols, col))); });
  }

  void load(Ring &ring, Operand base, Reg col, Operand n) {
    b.scope([&] {
      b.ldUb(ring.produce(), row_at(b, base, col, 4), b.mul(n, 4), 1, 0, 0, true);
      ring.filled();
    });
  }

  void add_squares(Operand from, Reg col, Operand n) {
    load(*in, from, col, n);
    Operand tile = in->consume();
    b.binary(Op::Vmul, f32, square, tile, tile, {.cols = n});
    in->release();
    b.reduce(Op::Vrsum, f32, part, square, 1, n);
    b.binary(Op::Vadd, f32, sum, sum, part, {.cols = 1});
  }

  void scale_chunk(Operand from, Operand to, Reg col, Operand n) {
    load(*in, from, col, n);
    load(*gain, scale, col, n);
    Operand tile = in->consume();
    b.binary(Op::Vmul, f32, square, tile, factor, {.cols = n}, true);
    in->release();
    Operand made = out->produce();
    b.binary(Op::Vmul, f32, made, square, gain->consume(), {.cols = n});
    gain->release();
    out->filled();
    b.stGm(row_at(b, to, col, 4), out->consume(), b.mul(n, 4));
    out->release();
  }

  const Device &device;
  const NormPlan &plan;
  KernelBuilder kernel;
  CoreBuilder &b;
  Operand x = 0, scale = 0, y = 0;
  uint64_t chunk = 0;
  std::optional<Ring> in, gain, out;
  Buffer square, part, sum, factor;
};

} // namespace

Result<Kernel> rms_norm(const Device &device, const NormPlan &plan) {
  return RmsNorm(device, plan).build();
}

} // namespace npu::kernels
