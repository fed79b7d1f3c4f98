// Rows that f16 does not hold, for cubes that have nothing wider: each is multiplied by a power of
// two, which rounds nothing, so that its largest number is in [2^14, 2^15), and its products are
// multiplied by what undoes that.
#include "kernels/kernels.h"

namespace npu::kernels {
namespace {

// A row is read twice: for its largest number, then to be scaled.
class ScaleRows {
public:
  ScaleRows(const Device &device, const ScalePlan &plan)
      : device(device), plan(plan), kernel(device, "scale_rows"), b(vector_core(kernel)) {}

  Result<Kernel> build() {
    x = b.arg(kernel.buffer("x", ArgAccess::Read, 0));
    y = b.arg(kernel.buffer("y", ArgAccess::Write, 0));
    factors = b.arg(kernel.buffer("factors", ArgAccess::Write, 0));
    Operand rows = b.arg(kernel.scalar("rows"));
    chunk = std::min(round_up(plan.cols, 16), b.freeBytes(Space::UB) * 9 / 10 / 32 / 16 * 16);
    for (Buffer *each : {&top, &part, &block, &exponent})
      *each = b.allocate(Space::UB, 64, "number");
    factor = b.allocate(Space::UB, 64, "factor");
    work = b.allocate(Space::UB, chunk * 4, "work");
    back = b.allocate(Space::UB, chunk * 4, "back");
    in.emplace(device, b, Space::UB, chunk * 4, Pipe::MTE2, Pipe::V, "x");
    out.emplace(device, b, Space::UB, chunk * 2, Pipe::V, Pipe::MTE3, "y");
    b.fill(i32, exponent, 0x7f800000, {.cols = 8});
    share_out(b, rows, [&](Reg row) { one_row(row); });
    in->close(), out->close();
    return kernel.finish();
  }

private:
  void one_row(Reg row) {
    Operand from = row_at(b, x, row, plan.x_ld), to = row_at(b, y, row, plan.y_ld);
    // Of zeros, and of numbers that no power of two brings up, something to divide by.
    b.fill(f32, top, Operand::number(0x1p-100f), {.cols = 1});
    each_chunk([&](Reg col, Operand n) { look(from, col, n); });
    find_factor();
    order(device, b, Pipe::V, Pipe::MTE3);
    b.stGm(row_at(b, factors, row, 4), factor, 4);
    each_chunk([&](Reg col, Operand n) { write(from, to, col, n); });
    order(device, b, Pipe::MTE3, Pipe::V);
  }

  void each_chunk(const std::function<void(Reg, Operand)> &body) {
    b.loop(0, plan.cols, chunk, [&](Reg col) { body(col, b.min(chunk, b.sub(plan.cols, col))); });
  }

  void load(Operand from, Reg col, Operand n) {
    b.ldUb(in->produce(), row_at(b, from, col, 4), b.mul(n, 4), 1, 0, 0, true);
    in->filled();
  }

  void look(Operand from, Reg col, Operand n) {
    load(from, col, n);
    b.unary(Op::Vabs, f32, work, in->consume(), {.cols = n});
    in->release();
    b.reduce(Op::Vrmax, f32, part, work, 1, n);
    b.binary(Op::Vmax, f32, top, top, part, {.cols = 1});
  }

  // factor = 2^(e - 14) of a largest number in [2^e, 2^(e + 1)); block = 1 / factor.
  void find_factor() {
    b.withScalar(Op::Vmins, f32, top, top, Operand::number(0x1p127f), {.cols = 1}); // of infinity
    b.binary(Op::Vand, i32, part, top, exponent, {.cols = 1});
    b.withScalar(Op::Vmuls, f32, factor, part, Operand::number(0x1p-14f), {.cols = 1});
    b.unary(Op::Vrec, f32, part, factor, {.cols = 1});
    b.broadcastBlocks(f32, block, part, 1);
  }

  // Each part is what those before it lack.
  void write(Operand from, Operand to, Reg col, Operand n) {
    load(from, col, n);
    b.binary(Op::Vmul, f32, work, in->consume(), block, {.cols = n}, true);
    in->release();
    for (uint64_t i = 0; i < plan.parts; ++i) {
      Operand made = out->produce();
      b.emit(Op::Vcast, f32, f16, {"sat"}, {made, work, static_cast<int>(Round::Rint), 1, n});
      if (i + 1 < plan.parts) {
        b.cast(f16, f32, back, made, {.cols = n});
        b.binary(Op::Vsub, f32, work, work, back, {.cols = n});
      }
      out->filled();
      b.stGm(b.add(row_at(b, to, col, 2), i * plan.cols * 2), out->consume(), b.mul(n, 2));
      out->release();
    }
  }

  const Device &device;
  const ScalePlan &plan;
  KernelBuilder kernel;
  CoreBuilder &b;
  Operand x = 0, y = 0, factors = 0;
  uint64_t chunk = 0;
  std::optional<Ring> in, out;
  Buffer top, part, block, exponent, factor, work, back;
};

class UnscaleRows {
public:
  UnscaleRows(const Device &device, const UnscalePlan &plan)
      : device(device), plan(plan), kernel(device, "unscale_rows"), b(vector_core(kernel)) {}

  Result<Kernel> build() {
    c = b.arg(kernel.buffer("c", ArgAccess::ReadWrite, 0));
    factors = b.arg(kernel.buffer("factors", ArgAccess::Read, 0));
    Operand rows = b.arg(kernel.scalar("rows"));
    chunk = std::min(round_up(plan.cols, 16), b.freeBytes(Space::UB) * 9 / 10 / 16 / 16 * 16);
    in.emplace(device, b, Space::UB, chunk * 4, Pipe::MTE2, Pipe::V, "c");
    out.emplace(device, b, Space::UB, chunk * 4, Pipe::V, Pipe::MTE3, "made");
    share_out(b, b.mul(rows, plan.groups), [&](Reg item) { one_group(item); });
    in->close(), out->close();
    return kernel.finish();
  }

private:
  void one_group(Reg item) {
    Operand row = b.div(item, plan.groups), group = b.rem(item, plan.groups);
    Operand at = b.add(row_at(b, c, row, plan.ld), b.mul(group, plan.group));
    Operand factor = b.loadGm(f32, row_at(b, factors, row, 4));
    b.loop(0, plan.cols, chunk, [&](Reg col) {
      Operand n = b.min(chunk, b.sub(plan.cols, col)), place = row_at(b, at, col, 4);
      b.ldUb(in->produce(), place, b.mul(n, 4), 1, 0, 0, true);
      in->filled();
      b.withScalar(Op::Vmuls, f32, out->produce(), in->consume(), factor, {.cols = n});
      in->release();
      out->filled();
      b.stGm(place, out->consume(), b.mul(n, 4));
      out->release();
    });
  }

  const Device &device;
  const UnscalePlan &plan;
  KernelBuilder kernel;
  CoreBuilder &b;
  Operand c = 0, factors = 0;
  uint64_t chunk = 0;
  std::optional<Ring> in, out;
};

} // namespace

Result<Kernel> scale_rows(const Device &device, const ScalePlan &plan) {
  return ScaleRows(device, plan).build();
}

Result<Kernel> unscale_rows(const Device &device, const UnscalePlan &plan) {
  return UnscaleRows(device, plan).build();
}

} // namespace npu::kernels
