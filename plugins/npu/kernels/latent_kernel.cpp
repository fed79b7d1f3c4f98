#include "kernels/latent_kernel.h"

namespace npu::kernels {

LatentKernel::LatentKernel(const Device &device, const LatentDecodePlan &plan,
                           const LatentTiles &tiles, unsigned blocks, std::string name)
    : device(device), plan(plan), t(tiles), kernel(device, std::move(name)), dim(plan.c + plan.r),
      s_bytes(t.scores_bytes()), p_bytes(t.exponents_bytes()), o_bytes(t.sums_bytes(plan)) {
  q = kernel.buffer("q", ArgAccess::Read, 0);
  cache = kernel.buffer("cache", ArgAccess::Read, plan.slots * latent_slot_bytes(plan, t));
  out = kernel.buffer("out", ArgAccess::Write, 0);
  work = kernel.buffer("work", ArgAccess::ReadWrite, blocks * t.work_bytes);
  slots = kernel.buffer("slots", ArgAccess::Read, 0);
  positions = kernel.buffer("positions", ArgAccess::Read, 0);
  rows = kernel.scalar("rows");
  if (plan.splits > 1)
    stats = kernel.buffer("stats", ArgAccess::Write, 0);
}

void LatentKernel::each_item(CoreBuilder &b, const std::function<void(const Item &)> &body) {
  b.scope([&] {
    Operand count = b.mul(b.arg(rows), head_tiles() * plan.splits);
    b.loop(b.id(Id::Block), count, b.id(Id::Blocks), [&](Reg number) {
      Item item;
      for (Reg *each : {&item.token, &item.head, &item.heads, &item.split, &item.begin, &item.keys,
                        &item.blocks, &item.s, &item.p, &item.o})
        *each = b.reg();
      b.scope([&] { find(b, item, number); });
      body(item);
    });
  });
}

void LatentKernel::find(CoreBuilder &b, const Item &item, Reg number) {
  b.set(item.split, b.rem(number, plan.splits));
  Operand tile = b.div(number, plan.splits);
  b.set(item.token, b.div(tile, head_tiles()));
  b.set(item.head, b.mul(b.rem(tile, head_tiles()), t.heads));
  b.set(item.heads, b.min(t.heads, b.sub(plan.heads, item.head)));
  b.set(item.keys, b.add(b.loadGm(i32, row_at(b, b.arg(positions), item.token, 4)), 1));
  b.when(Cmp::Gt, item.keys, plan.max_context,
         [&] { b.emit(Op::Trap, DType::None, DType::None, {}, {6}); });
  Operand all = b.div(b.add(item.keys, t.keys - 1), t.keys);
  Operand each = b.div(b.add(all, plan.splits - 1), plan.splits);
  b.set(item.begin, b.mul(item.split, each));
  b.set(item.blocks, b.max(0, b.min(each, b.sub(all, item.begin))));
  b.set(item.keys, b.sub(item.keys, b.mul(item.begin, t.keys)));
  Operand mine = row_at(b, b.arg(work), b.id(Id::Block), t.work_bytes);
  b.set(item.s, mine);
  b.set(item.p, b.add(mine, 2 * s_bytes));
  b.set(item.o, b.add(mine, 2 * s_bytes + 2 * p_bytes));
}

Operand LatentKernel::first_latent(CoreBuilder &b, const Item &item) {
  Reg base = b.reg();
  b.scope([&] {
    Operand slot = b.loadGm(i32, row_at(b, b.arg(slots), item.token, 4));
    auto trap = [&] { b.emit(Op::Trap, DType::None, DType::None, {}, {7}); };
    b.when(Cmp::Lt, slot, 0, trap);
    b.when(Cmp::Ge, slot, plan.slots, trap);
    b.set(base, row_at(b, row_at(b, b.arg(cache), slot, latent_slot_bytes(plan, t)), item.begin,
                       block_bytes()));
  });
  return base;
}

void LatentKernel::allocate_sums(CoreBuilder &b) {
  sum_o = b.allocate(Space::UB, share() * plan.c * 4, "sum_o");
  spread = b.allocate(Space::UB, share() * 32, "spread");
  for (Buffer *each : {&top, &sum, &part, &factor, &factor_before})
    *each = b.allocate(Space::UB, round_up(share() * 4, 32), "numbers");
}

void LatentKernel::each_vector_item(
    CoreBuilder &b, const std::function<void(const Item &, Reg first, Reg mine)> &body) {
  each_item(b, [&](const Item &item) {
    Reg first = b.reg(), mine = b.reg();
    b.scope([&] {
      b.set(first, b.mul(b.id(Id::Sub), share()));
      b.set(mine, b.max(0, b.min(share(), b.sub(item.heads, first))));
    });
    b.fill(f32, top, Operand::number(-1e30f), {.cols = share()});
    for (const Buffer &each : {sum, factor})
      b.fill(f32, each, Operand::number(0), {.cols = share()});
    b.fill(f32, sum_o, Operand::number(0), {.cols = share() * plan.c});
    body(item, first, mine);
    if (plan.splits > 1)
      b.when(Cmp::Gt, mine, 0, [&] { store_numbers(b, item, first, mine); });
  });
}

void LatentKernel::correct_sum(CoreBuilder &b, Operand mine) {
  Tile numbers{.cols = mine};
  b.binary(Op::Vsub, f32, factor, top, part, numbers);
  b.unary(Op::Vexp, f32, factor, factor, numbers);
  b.unary(Op::Vcopy, f32, top, part, numbers);
  b.binary(Op::Vmul, f32, sum, sum, factor, numbers);
}

void LatentKernel::store_sum(CoreBuilder &b, const Item &item, Operand first, Operand mine,
                             Operand column, Operand columns) {
  Operand from = b.add(column, sum_o);
  if (plan.splits == 1) {
    b.unary(Op::Vrec, f32, part, sum, {.cols = mine});
    b.broadcastBlocks(f32, spread, part, mine);
    b.binary(Op::Vmul, f32, from, from, spread,
             {.rows = mine, .cols = columns, .ldd = plan.c * 4, .lda = plan.c * 4}, true);
  }
  b.sync(Pipe::V, Pipe::MTE3);
  Operand split = b.add(b.mul(item.token, plan.splits), item.split);
  Operand row = b.add(b.add(b.mul(split, plan.heads), item.head), first);
  b.stGm(b.add(row_at(b, b.arg(out), row, plan.c * 4), column), from, b.mul(columns, 4), mine,
         plan.c * 4, plan.c * 4);
  b.sync(Pipe::MTE3, Pipe::V); // which writes there for the next item
}

// What the sum is relative to.
void LatentKernel::store_numbers(CoreBuilder &b, const Item &item, Reg first, Reg mine) {
  Operand head = b.add(item.head, first);
  Operand numbers = b.add(b.mul(item.token, plan.heads), head);
  Operand to = b.add(row_at(b, b.arg(stats), numbers, 2 * plan.splits * 4), b.mul(item.split, 4));
  for (const Buffer &each : {top, sum}) {
    b.broadcastBlocks(f32, spread, each, mine);
    b.sync(Pipe::V, Pipe::MTE3);
    b.stGm(to, spread, 4, mine, 32, 2 * plan.splits * 4);
    b.sync(Pipe::MTE3, Pipe::V);
    to = b.add(to, plan.splits * 4);
  }
}

} // namespace npu::kernels
