// Pairs of a token and an expert: sorted by expert for the products, and back. Sorting is counting
// on one scalar unit, a few instructions a pair; what goes over experts is the vector unit's.
#include "kernels/kernels.h"

namespace npu::kernels {
namespace {

class Dispatch {
public:
  Dispatch(const Device &device, const DispatchPlan &plan)
      : device(device), plan(plan), kernel(device, "dispatch"), b(vector_core(kernel)) {}

  Result<Kernel> build() {
    Operand indices = b.arg(kernel.buffer("indices", ArgAccess::Read, 0));
    Operand order_out = b.arg(kernel.buffer("order", ArgAccess::Write, 0));
    Operand tokens_out = b.arg(kernel.buffer("tokens", ArgAccess::Write, 0));
    Operand offsets_out = b.arg(kernel.buffer("offsets", ArgAccess::Write, (plan.experts + 1) * 4));
    Operand rows = b.arg(kernel.scalar("rows"));
    uint64_t pairs_bytes = round_up(plan.max_rows * plan.top_k * 4, 32);
    for (Buffer *each : {&chosen, &sorted, &tokens})
      *each = b.allocate(Space::UB, pairs_bytes, "pairs");
    for (Buffer *each : {&counts, &ends, &next})
      *each = b.allocate(Space::UB, round_up(plan.experts * 4, 32), "experts");
    zero = b.allocate(Space::UB, 32, "zero");
    share_out(b, 1, [&](Reg) {
      Operand pairs = b.mul(rows, plan.top_k);
      b.ldUb(chosen, indices, b.mul(pairs, 4), 1, 0, 0, true);
      for (const Buffer &each : {counts, zero})
        b.fill(i32, each, 0, {.cols = each.bytes / 4});
      order(device, b, Pipe::V, Pipe::S);
      order(device, b, Pipe::MTE2, Pipe::S);
      count(pairs);
      sort(pairs);
      order(device, b, Pipe::S, Pipe::MTE3);
      order(device, b, Pipe::V, Pipe::MTE3);
      b.stGm(order_out, sorted, b.mul(pairs, 4));
      b.stGm(tokens_out, tokens, b.mul(pairs, 4));
      b.stGm(offsets_out, zero, 4);
      b.stGm(b.add(offsets_out, 4), ends, plan.experts * 4);
    });
    return kernel.finish();
  }

private:
  Operand get(Buffer from, Operand index) { return b.loadUb(i32, row_at(b, from, index, 4)); }
  void put(Buffer to, Operand index, Operand value) {
    b.emit(Op::SStUb, i32, DType::None, {}, {row_at(b, to, index, 4), value});
  }

  // ends[e] = pairs of experts up to e; next[e] = where the next pair of e goes
  void count(Operand pairs) {
    b.loop(0, pairs, 1, [&](Reg pair) {
      Operand e = get(chosen, pair);
      auto trap = [&] { b.emit(Op::Trap, DType::None, DType::None, {}, {4}); };
      b.when(Cmp::Lt, e, 0, trap);
      b.when(Cmp::Ge, e, plan.experts, trap);
      put(counts, e, b.add(get(counts, e), 1));
    });
    order(device, b, Pipe::S, Pipe::V);
    b.unary(Op::Vcumsum, i32, ends, counts, {.cols = plan.experts});
    b.binary(Op::Vsub, i32, next, ends, counts, {.cols = plan.experts});
    order(device, b, Pipe::V, Pipe::S);
  }

  void sort(Operand pairs) {
    b.loop(0, pairs, 1, [&](Reg pair) {
      Operand e = get(chosen, pair), at = get(next, e);
      put(sorted, at, pair);
      put(tokens, at, b.div(pair, plan.top_k));
      put(next, e, b.add(at, 1));
    });
  }

  const Device &device;
  const DispatchPlan &plan;
  KernelBuilder kernel;
  CoreBuilder &b;
  Buffer chosen, sorted, tokens, counts, ends, next, zero;
};

class FindActive {
public:
  FindActive(const Device &device, uint64_t experts)
      : device(device), experts(experts), kernel(device, "find_active"), b(vector_core(kernel)) {}

  Result<Kernel> build() {
    uint64_t bytes = (experts + 1) * 4;
    Operand in = b.arg(kernel.buffer("offsets", ArgAccess::Read, bytes));
    Operand out = b.arg(kernel.buffer("active", ArgAccess::Write, bytes));
    Buffer offsets = b.allocate(Space::UB, round_up(bytes, 32), "offsets");
    Buffer active = b.allocate(Space::UB, round_up(bytes, 32), "active");
    share_out(b, 1, [&](Reg) {
      b.fill(i32, active, 0, {.cols = active.bytes / 4});
      b.ldUb(offsets, in, bytes, 1, 0, 0, true);
      order(device, b, Pipe::V, Pipe::S);
      order(device, b, Pipe::MTE2, Pipe::S);
      Reg count = b.copy(0), begin = b.copy(0);
      b.loop(0, experts, 1, [&](Reg e) {
        Operand end = b.loadUb(i32, b.add(row_at(b, offsets, e, 4), 4));
        b.when(Cmp::Lt, begin, end, [&] {
          b.update(Op::SAdd, count, 1);
          b.emit(Op::SStUb, i32, DType::None, {}, {row_at(b, active, count, 4), e});
        });
        b.set(begin, end);
      });
      b.emit(Op::SStUb, i32, DType::None, {}, {active.offset, count});
      order(device, b, Pipe::S, Pipe::MTE3);
      b.stGm(out, active, bytes);
    });
    return kernel.finish();
  }

private:
  const Device &device;
  const uint64_t experts;
  KernelBuilder kernel;
  CoreBuilder &b;
};

// Every core inverts the order for itself and then takes tokens.
class Combine {
public:
  Combine(const Device &device, const CombinePlan &plan)
      : device(device), plan(plan), kernel(device, "combine"), b(vector_core(kernel)) {}

  Result<Kernel> build() {
    x = b.arg(kernel.buffer("rows", ArgAccess::Read, 0));
    Operand order_in = b.arg(kernel.buffer("order", ArgAccess::Read, 0));
    weights = b.arg(kernel.buffer("weights", ArgAccess::Read, 0));
    out = b.arg(kernel.buffer("out", ArgAccess::Write, 0));
    Operand tokens = b.arg(kernel.scalar("tokens"));
    for (Buffer *each : {&pairs, &place})
      *each = b.allocate(Space::UB, round_up(plan.max_rows * plan.top_k * 4, 32), "pairs");
    tile = std::min(round_up(plan.cols, 16), b.freeBytes(Space::UB) * 9 / 10 / 16 / 16 * 16);
    in.emplace(device, b, Space::UB, tile * 4, Pipe::MTE2, Pipe::V, "row");
    sum.emplace(device, b, Space::UB, tile * 4, Pipe::V, Pipe::MTE3, "sum");
    invert(order_in, b.mul(tokens, plan.top_k));
    share_out(b, tokens, [&](Reg token) {
      b.loop(0, plan.cols, tile, [&](Reg col) { one_part(token, col); });
    });
    in->close(), sum->close();
    return kernel.finish();
  }

private:
  void invert(Operand order_in, Operand count) {
    b.ldUb(pairs, order_in, b.mul(count, 4), 1, 0, 0, true);
    order(device, b, Pipe::MTE2, Pipe::S);
    b.loop(0, count, 1, [&](Reg i) {
      Operand pair = b.loadUb(i32, row_at(b, pairs, i, 4));
      auto trap = [&] { b.emit(Op::Trap, DType::None, DType::None, {}, {5}); };
      b.when(Cmp::Lt, pair, 0, trap);
      b.when(Cmp::Ge, pair, count, trap);
      b.emit(Op::SStUb, i32, DType::None, {}, {row_at(b, place, pair, 4), i});
    });
  }

  void one_part(Reg token, Reg col) {
    Operand n = b.min(tile, b.sub(plan.cols, col));
    Operand to = sum->produce();
    b.fill(f32, to, Operand::number(0), {.cols = n});
    b.loop(0, plan.top_k, 1, [&](Reg k) {
      Operand pair = b.add(b.mul(token, plan.top_k), k);
      Operand row = b.loadUb(i32, row_at(b, place, pair, 4));
      Operand weight = b.loadGm(f32, row_at(b, weights, pair, 4));
      b.ldUb(in->produce(), row_at(b, row_at(b, x, row, plan.x_ld), col, 4), b.mul(n, 4), 1, 0, 0,
             true);
      in->filled();
      b.emit(Op::Vaxpy, f32, DType::None, {}, {to, in->consume(), weight, 1, n});
      in->release();
    });
    sum->filled();
    b.stGm(row_at(b, row_at(b, out, token, plan.out_ld), col, 4), sum->consume(), b.mul(n, 4));
    sum->release();
  }

  const Device &device;
  const CombinePlan &plan;
  KernelBuilder kernel;
  CoreBuilder &b;
  Operand x = 0, weights = 0, out = 0;
  Buffer pairs, place;
  uint64_t tile = 0;
  std::optional<Ring> in, sum;
};

} // namespace

Result<Kernel> dispatch(const Device &device, const DispatchPlan &plan) {
  return Dispatch(device, plan).build();
}

Result<Kernel> find_active(const Device &device, uint64_t experts) {
  return FindActive(device, experts).build();
}

Result<Kernel> combine(const Device &device, const CombinePlan &plan) {
  return Combine(device, plan).build();
}

} // namespace npu::kernels
