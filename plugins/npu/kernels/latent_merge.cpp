// What the splits of a token's keys have summed, weighed by their largest scores and added. An item
// is a head of a token.
#include "kernels/latent_decode.h"

namespace npu::kernels {
namespace {

class LatentMerge {
public:
  LatentMerge(const Device &device, const LatentDecodePlan &plan)
      : device(device), plan(plan), kernel(device, "latent_merge"), b(vector_core(kernel)) {}

  Result<Kernel> build() {
    sums = b.arg(kernel.buffer("sums", ArgAccess::Read, 0));
    stats = b.arg(kernel.buffer("stats", ArgAccess::Read, 0));
    Operand out = b.arg(kernel.buffer("out", ArgAccess::Write, 0));
    Operand rows = b.arg(kernel.scalar("rows"));
    for (Buffer *each : {&tops, &totals, &weights, &spread})
      *each = b.allocate(Space::UB, round_up(plan.splits * 4, 32), "numbers");
    in.emplace(device, b, Space::UB, round_up(plan.c * 4, 32), Pipe::MTE2, Pipe::V, "part");
    sum.emplace(device, b, Space::UB, round_up(plan.c * 4, 32), Pipe::V, Pipe::MTE3, "sum");
    share_out(b, b.mul(rows, plan.heads), [&](Reg item) {
      b.scope([&] { weigh(item); });
      add(item, row_at(b, out, item, plan.c * 4));
    });
    in->close(), sum->close();
    return kernel.finish();
  }

private:
  // weights = e^(top - largest) / sum of these times totals
  void weigh(Reg item) {
    Tile all{.cols = plan.splits};
    Operand from = row_at(b, stats, item, 2 * plan.splits * 4);
    order(device, b, Pipe::V, Pipe::MTE2);
    b.ldUb(tops, from, plan.splits * 4, 1, 0, 0, true);
    b.ldUb(totals, b.add(from, plan.splits * 4), plan.splits * 4, 1, 0, 0, true);
    order(device, b, Pipe::MTE2, Pipe::V);
    order(device, b, Pipe::S, Pipe::V); // which reads the weights of the item before
    b.reduce(Op::Vrmax, f32, weights, tops, 1, plan.splits);
    b.broadcastBlocks(f32, spread, weights, 1);
    b.binary(Op::Vsub, f32, tops, tops, spread, all, true);
    b.unary(Op::Vexp, f32, tops, tops, all);
    b.binary(Op::Vmul, f32, totals, totals, tops, all);
    b.reduce(Op::Vrsum, f32, weights, totals, 1, plan.splits);
    b.broadcastBlocks(f32, spread, weights, 1);
    b.binary(Op::Vdiv, f32, weights, tops, spread, all, true);
    order(device, b, Pipe::V, Pipe::S);
  }

  void add(Reg item, Operand to) {
    Operand made = sum->produce();
    b.fill(f32, made, Operand::number(0), {.cols = plan.c});
    Operand token = b.div(item, plan.heads), head = b.rem(item, plan.heads);
    b.loop(0, plan.splits, 1, [&](Reg split) {
      Operand part = b.add(b.mul(token, plan.splits), split);
      Operand from = row_at(b, sums, b.add(b.mul(part, plan.heads), head), plan.c * 4);
      b.ldUb(in->produce(), from, plan.c * 4);
      in->filled();
      Operand weight = b.loadUb(f32, row_at(b, weights, split, 4));
      b.emit(Op::Vaxpy, f32, DType::None, {}, {made, in->consume(), weight, 1, plan.c});
      in->release();
    });
    sum->filled();
    b.stGm(to, sum->consume(), plan.c * 4);
    sum->release();
  }

  const Device &device;
  const LatentDecodePlan &plan;
  KernelBuilder kernel;
  CoreBuilder &b;
  Operand sums = 0, stats = 0;
  Buffer tops, totals, weights, spread;
  std::optional<Ring> in, sum;
};

} // namespace

Result<Kernel> latent_merge(const Device &device, const LatentDecodePlan &plan) {
  return LatentMerge(device, plan).build();
}

} // namespace npu::kernels
