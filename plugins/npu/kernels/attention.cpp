// Around the products of attention: rows that go into a cache, and the softmax between them.
#include "kernels/kernels.h"

namespace npu::kernels {
namespace {

class Append {
public:
  Append(const Device &device, const AppendPlan &plan)
      : device(device), plan(plan), kernel(device, "append"), b(vector_core(kernel)) {}

  Result<Kernel> build() {
    x = b.arg(kernel.buffer("x", ArgAccess::Read, 0));
    slot_rows = plan.keys ? round_up(plan.max_context, plan.keys) : plan.max_context;
    cache =
        b.arg(kernel.buffer("cache", ArgAccess::ReadWrite, plan.slots * slot_rows * plan.cache_ld));
    slots = b.arg(kernel.buffer("slots", ArgAccess::Read, 0));
    positions = b.arg(kernel.buffer("positions", ArgAccess::Read, 0));
    Operand rows = b.arg(kernel.scalar("rows"));
    tile = std::min(round_up(plan.cols, 16), b.freeBytes(Space::UB) * 9 / 10 / 24 / 16 * 16);
    if (plan.as_bf16) {
      rounding.emplace(b);
      rounded = b.allocate(Space::UB, tile * 4, "rounded");
    }
    in.emplace(device, b, Space::UB, tile * 4, Pipe::MTE2, Pipe::V, "row");
    out.emplace(device, b, Space::UB, tile * 4, Pipe::V, Pipe::MTE3, "made");
    share_out(b, rows, [&](Reg row) { one_row(row); });
    in->close(), out->close();
    return kernel.finish();
  }

private:
  void one_row(Reg row) {
    Operand slot = b.loadGm(i32, row_at(b, slots, row, 4));
    Operand position = b.loadGm(i32, row_at(b, positions, row, 4));
    auto trap = [&] { b.emit(Op::Trap, DType::None, DType::None, {}, {2}); };
    b.when(Cmp::Lt, slot, 0, trap);
    b.when(Cmp::Ge, slot, plan.slots, trap);
    b.when(Cmp::Lt, position, 0, trap);
    b.when(Cmp::Ge, position, plan.max_context, trap);
    Operand to = place(slot, position);
    b.loop(0, plan.cols, tile, [&](Reg col) {
      Operand n = b.min(tile, b.sub(plan.cols, col));
      b.ldUb(in->produce(), row_at(b, row_at(b, x, row, plan.x_ld), col, 4), b.mul(n, 4), 1, 0, 0,
             true);
      in->filled();
      convert(out->produce(), in->consume(), n);
      in->release();
      out->filled();
      store(to, col, n);
      out->release();
    });
  }

  void convert(Operand to, Operand from, Operand n) {
    if (plan.as_bf16) {
      rounding->apply(rounded, from, {.cols = n});
      from = rounded;
    }
    b.emit(Op::Vcast, f32, plan.cache, {plan.cache == f16 ? "sat" : ""},
           {to, from, static_cast<int>(Round::Rint), 1, n});
  }

  Operand place(Operand slot, Operand position) {
    if (!plan.keys)
      return row_at(b, cache, b.add(b.mul(slot, slot_rows), position), plan.cache_ld);
    Operand row = b.add(b.mul(slot, slot_rows), b.mul(b.div(position, plan.keys), plan.keys));
    return row_at(b, row_at(b, cache, row, plan.cache_ld), b.rem(position, plan.keys), 32);
  }

  // A row, or a block of 32 bytes in each column block.
  void store(Operand to, Reg col, Operand n) {
    unsigned size = bitsOf(plan.cache) / 8;
    if (!plan.keys)
      return b.stGm(row_at(b, to, col, size), out->consume(), b.mul(n, size));
    b.stGm(row_at(b, to, col, size * plan.keys), out->consume(), 32, b.div(b.mul(n, size), 32), 32,
           plan.keys * 32);
  }

  const Device &device;
  const AppendPlan &plan;
  KernelBuilder kernel;
  CoreBuilder &b;
  Operand x = 0, cache = 0, slots = 0, positions = 0;
  uint64_t tile = 0, slot_rows = 0;
  std::optional<Ring> in, out;
  std::optional<RoundToBf16> rounding;
  Buffer rounded;
};

// Twice over a row: once for its largest score and the sum of the exponents, which is corrected as
// larger scores come up; once to write.
class Softmax {
public:
  Softmax(const Device &device, const SoftmaxPlan &plan)
      : device(device), plan(plan), kernel(device, "softmax"), b(vector_core(kernel)) {}

  Result<Kernel> build() {
    scores = b.arg(kernel.buffer("scores", ArgAccess::Read, 0));
    p = b.arg(kernel.buffer("p", ArgAccess::Write, 0));
    positions = b.arg(kernel.buffer("positions", ArgAccess::Read, 0));
    Operand rows = b.arg(kernel.scalar("rows"));
    first = b.arg(kernel.scalar("first"));
    chunk =
        std::min(round_up(plan.max_context, 16), b.freeBytes(Space::UB) * 8 / 10 / 16 / 16 * 16);
    in.emplace(device, b, Space::UB, chunk * 4, Pipe::MTE2, Pipe::V, "scores");
    out.emplace(device, b, Space::UB, chunk * 2, Pipe::V, Pipe::MTE3, "p");
    work = b.allocate(Space::UB, chunk * 4, "work");
    for (Buffer *each : {&top, &sum, &part, &factor, &block})
      *each = b.allocate(Space::UB, 32, "number");
    Operand tokens = b.max(0, b.min(plan.tokens, b.sub(rows, first)));
    share_out(b, b.mul(tokens, plan.heads), [&](Reg item) { one_row(item); });
    in->close(), out->close();
    return kernel.finish();
  }

private:
  void one_row(Reg item) {
    Operand token = b.add(b.div(item, plan.heads), first);
    Operand keys = b.add(b.loadGm(i32, row_at(b, positions, token, 4)), 1);
    b.when(Cmp::Gt, keys, plan.max_context,
           [&] { b.emit(Op::Trap, DType::None, DType::None, {}, {3}); });
    Operand from = row_at(b, scores, item, plan.scores_ld), to = row_at(b, p, item, plan.p_ld);
    // Whole blocks before the window have a probability of 0; its first key need not begin a block.
    Operand begin = plan.window ? b.max(0, b.sub(keys, plan.window)) : Operand(0);
    b.fill(f32, top, Operand::number(-1e30f), {.cols = 1});
    b.fill(f32, sum, Operand::number(0), {.cols = 1});
    each_chunk(keys, [&](Reg col, Operand n) { look(from, col, n, begin); });
    b.unary(Op::Vrec, f32, factor, sum, {.cols = 1});
    b.broadcastBlocks(f32, block, factor, 1);
    each_chunk(keys, [&](Reg col, Operand n) { write(from, to, col, n, begin); });
  }

  void each_chunk(Operand keys, const std::function<void(Reg, Operand)> &body) {
    b.loop(0, keys, chunk, [&](Reg col) { body(col, b.min(chunk, b.sub(keys, col))); });
  }

  // work = scores * scale; keys before the window are so low that their exponent is 0.
  void load(Operand from, Reg col, Operand n, Operand begin) {
    b.scope([&] {
      b.ldUb(in->produce(), row_at(b, from, col, 4), b.mul(n, 4), 1, 0, 0, true);
      in->filled();
      b.withScalar(Op::Vmuls, f32, work, in->consume(), Operand::number(plan.scale), {.cols = n});
      in->release();
      if (!plan.window)
        return;
      Operand hidden = b.max(0, b.min(n, b.sub(begin, col)));
      b.when(Cmp::Gt, hidden, 0,
             [&] { b.fill(f32, work, Operand::number(-1e30f), {.cols = hidden}); });
    });
  }

  // work = e^(work - top)
  void exponents(Operand n) {
    b.broadcastBlocks(f32, part, top, 1);
    b.binary(Op::Vsub, f32, work, work, part, {.cols = n}, true);
    b.unary(Op::Vexp, f32, work, work, {.cols = n});
  }

  void look(Operand from, Reg col, Operand n, Operand begin) {
    load(from, col, n, begin);
    b.reduce(Op::Vrmax, f32, part, work, 1, n);
    b.binary(Op::Vmax, f32, part, part, top, {.cols = 1});
    b.binary(Op::Vsub, f32, factor, top, part, {.cols = 1});
    b.unary(Op::Vexp, f32, factor, factor, {.cols = 1});
    b.unary(Op::Vcopy, f32, top, part, {.cols = 1});
    b.binary(Op::Vmul, f32, sum, sum, factor, {.cols = 1});
    exponents(n);
    b.reduce(Op::Vrsum, f32, part, work, 1, n);
    b.binary(Op::Vadd, f32, sum, sum, part, {.cols = 1});
  }

  void write(Operand from, Operand to, Reg col, Operand n, Operand begin) {
    load(from, col, n, begin);
    exponents(n);
    b.binary(Op::Vmul, f32, work, work, block, {.cols = n}, true);
    b.cast(f32, f16, out->produce(), work, {.cols = n});
    out->filled();
    b.stGm(row_at(b, to, col, 2), out->consume(), b.mul(n, 2));
    out->release();
  }

  const Device &device;
  const SoftmaxPlan &plan;
  KernelBuilder kernel;
  CoreBuilder &b;
  Operand scores = 0, p = 0, positions = 0, first = 0;
  uint64_t chunk = 0;
  std::optional<Ring> in, out;
  Buffer work, top, sum, part, factor, block;
};

} // namespace

Result<Kernel> append(const Device &device, const AppendPlan &plan) {
  return Append(device, plan).build();
}

Result<Kernel> softmax(const Device &device, const SoftmaxPlan &plan) {
  return Softmax(device, plan).build();
}

} // namespace npu::kernels
