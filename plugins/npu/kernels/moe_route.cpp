// A row of logits to its experts. Groups lie in rows of whole blocks, so that one instruction goes
// over all groups; what pads a row is minus infinity. The best is taken out again and again by
// vrmaxidx, which finds the first of equals.
#include "kernels/kernels.h"

#include <limits>

namespace npu::kernels {
namespace {

constexpr float lowest = -std::numeric_limits<float>::infinity();

class Route {
public:
  Route(const Device &device, const RoutePlan &plan)
      : device(device), plan(plan), kernel(device, "route"), b(vector_core(kernel)),
        size(plan.experts / plan.n_group),
        pitch(round_up(size * 4, std::max(32u, device.spec(Space::UB).align))),
        padded(plan.n_group * pitch / 4) {}

  Result<Kernel> build() {
    logits = b.arg(kernel.buffer("logits", ArgAccess::Read, 0));
    if (plan.bias)
      offsets = b.arg(kernel.buffer("bias", ArgAccess::Read, plan.experts * 4));
    indices = b.arg(kernel.buffer("indices", ArgAccess::Write, 0));
    weights = b.arg(kernel.buffer("weights", ArgAccess::Write, 0));
    Operand rows = b.arg(kernel.scalar("rows"));
    allocate();
    if (plan.bias)
      load(bias, offsets);
    share_out(b, rows, [&](Reg row) { one_row(row); });
    return kernel.finish();
  }

private:
  void allocate() {
    auto room = [&](uint64_t bytes) { return b.allocate(Space::UB, round_up(bytes, 32), "work"); };
    for (Buffer *each : {&scores, &selection, &rest, &bias})
      *each = room(plan.n_group * pitch);
    for (Buffer *each : {&group_best, &group_second, &group_index, &kept})
      *each = room(plan.n_group * 4);
    for (Buffer *each : {&number, &block})
      *each = room(32);
    chosen = room(plan.top_k * 4), chosen_weights = room(plan.top_k * 4);
  }

  Tile groups() const { return {.rows = plan.n_group, .cols = size, .ldd = pitch, .lda = pitch}; }

  void load(Buffer to, Operand from) {
    b.ldUb(to, from, size * 4, plan.n_group, size * 4, pitch, true);
    order(device, b, Pipe::MTE2, Pipe::V);
  }

  void one_row(Reg row) {
    order(device, b, Pipe::V, Pipe::MTE2);
    load(scores, row_at(b, logits, row, plan.experts * 4));
    b.fill(f32, selection, Operand::number(lowest), {.cols = padded});
    if (by_logits())
      b.unary(Op::Vcopy, f32, selection, scores, groups());
    plan.sigmoid ? sigmoid() : softmax();
    if (!by_logits())
      select_by_scores();
    if (plan.n_group > 1)
      drop_groups();
    order(device, b, Pipe::MTE3, Pipe::S);
    order(device, b, Pipe::MTE3, Pipe::V);
    for (uint64_t k = 0; k < plan.top_k; ++k)
      b.scope([&] { choose(k); });
    finish_weights();
    order(device, b, Pipe::V, Pipe::MTE3);
    b.stGm(row_at(b, indices, row, plan.top_k * 4), chosen, plan.top_k * 4);
    b.stGm(row_at(b, weights, row, plan.top_k * 4), chosen_weights, plan.top_k * 4);
  }

  // Scores rise with logits, and logits differ where scores have become 1. Only sums of scores are
  // another order.
  bool by_logits() const { return !plan.bias && !(plan.n_group > 1 && plan.top2_sum); }

  void select_by_scores() {
    Tile all = groups();
    all.ldb = pitch;
    if (plan.bias)
      b.binary(Op::Vadd, f32, selection, scores, bias, all);
    else
      b.unary(Op::Vcopy, f32, selection, scores, all);
  }

  void sigmoid() {
    b.withScalar(Op::Vmuls, f32, scores, scores, Operand::number(-1), groups());
    b.unary(Op::Vexp, f32, scores, scores, groups());
    b.withScalar(Op::Vadds, f32, scores, scores, Operand::number(1), groups());
    b.unary(Op::Vrec, f32, scores, scores, groups());
  }

  void softmax() {
    Tile same = groups();
    same.ldb = 0; // one block for all groups
    over_all(Op::Vrmax);
    b.binary(Op::Vsub, f32, scores, scores, block, same, true);
    b.unary(Op::Vexp, f32, scores, scores, groups());
    over_all(Op::Vrsum);
    b.binary(Op::Vdiv, f32, scores, scores, block, same, true);
  }

  // block = the maximum or sum of all scores
  void over_all(Op reduction) {
    b.reduce(reduction, f32, group_best, scores, plan.n_group, size, pitch);
    b.reduce(reduction, f32, number, group_best, 1, plan.n_group);
    b.broadcastBlocks(f32, block, number, 1);
  }

  void store(Operand to, float value) {
    b.emit(Op::SStUb, f32, DType::None, {}, {to, Operand::number(value)});
  }

  // The place of the first maximum of `count` numbers, known to the scalar unit.
  Operand best_of(Buffer values, uint64_t count) {
    b.emit(Op::Vrmaxidx, f32, DType::None, {}, {number, values, 1, count});
    order(device, b, Pipe::V, Pipe::S);
    return b.loadUb(i32, number);
  }

  void drop_groups() {
    b.reduce(Op::Vrmax, f32, group_best, selection, plan.n_group, size, pitch);
    if (plan.top2_sum && size > 1)
      add_second_best();
    b.fill(i32, kept, 0, {.cols = plan.n_group});
    for (uint64_t k = 0; k < plan.topk_group; ++k)
      b.scope([&] {
        Operand at = b.mul(best_of(group_best, plan.n_group), 4);
        b.emit(Op::SStUb, i32, DType::None, {}, {b.add(kept, at), 1});
        store(b.add(group_best, at), lowest);
        order(device, b, Pipe::S, Pipe::V);
      });
    order(device, b, Pipe::V, Pipe::S);
    b.loop(0, plan.n_group, 1, [&](Reg group) {
      b.when(Cmp::Eq, b.loadUb(i32, row_at(b, kept, group, 4)), 0, [&] {
        b.fill(f32, row_at(b, selection, group, pitch), Operand::number(lowest), {.cols = size});
      });
    });
  }

  void add_second_best() {
    b.emit(Op::Vrmaxidx, f32, DType::None, {}, {group_index, selection, plan.n_group, size, pitch});
    b.unary(Op::Vcopy, f32, rest, selection, groups());
    order(device, b, Pipe::V, Pipe::S);
    b.loop(0, plan.n_group, 1, [&](Reg group) {
      Operand at = b.mul(b.loadUb(i32, row_at(b, group_index, group, 4)), 4);
      store(b.add(row_at(b, rest, group, pitch), at), lowest);
    });
    order(device, b, Pipe::S, Pipe::V);
    b.reduce(Op::Vrmax, f32, group_second, rest, plan.n_group, size, pitch);
    b.binary(Op::Vadd, f32, group_best, group_best, group_second, {.cols = plan.n_group});
  }

  void choose(uint64_t k) {
    Operand place = best_of(selection, padded);
    Operand expert = b.add(b.mul(b.div(place, pitch / 4), size), b.rem(place, pitch / 4));
    Operand at = b.mul(place, 4);
    b.emit(Op::SStUb, i32, DType::None, {}, {chosen.offset + k * 4, expert});
    b.emit(Op::SStUb, f32, DType::None, {},
           {chosen_weights.offset + k * 4, b.loadUb(f32, b.add(scores, at))});
    store(b.add(selection, at), lowest);
    order(device, b, Pipe::S, Pipe::V);
  }

  void finish_weights() {
    Tile all{.cols = plan.top_k};
    if (plan.renormalize) {
      b.reduce(Op::Vrsum, f32, number, chosen_weights, 1, plan.top_k);
      b.withScalar(Op::Vadds, f32, number, number, Operand::number(1e-20f), {.cols = 1});
      b.broadcastBlocks(f32, block, number, 1);
      b.binary(Op::Vdiv, f32, chosen_weights, chosen_weights, block, all, true);
    }
    b.withScalar(Op::Vmuls, f32, chosen_weights, chosen_weights, Operand::number(plan.scale), all);
    order(device, b, Pipe::S, Pipe::MTE3);
  }

  const Device &device;
  const RoutePlan &plan;
  KernelBuilder kernel;
  CoreBuilder &b;
  const uint64_t size, pitch, padded;
  Operand logits = 0, offsets = 0, indices = 0, weights = 0;
  Buffer scores, selection, rest, bias, group_best, group_second, group_index, kept, number, block,
      chosen, chosen_weights;
};

} // namespace

Result<Kernel> route(const Device &device, const RoutePlan &plan) {
  return Route(device, plan).build();
}

} // namespace npu::kernels
