// Few heads: memory is what they wait for. Over blocks i of keys:
//
//   cube core      MTE2  ... P(i)  L(i+2) ...          latents go round three slots of L1, so that
//                  M     ... S(i+1)  O(i) ...          memory is read without a break, and each is
//                  FIX   ... S(i+1)  O(i) ...          read once, as key and as value
//   vector cores   V     ... softmax(i+1)  O(i) ...    half of the heads each
//
// S are scores, P exponents relative to the largest score so far, O their products with the
// latents; the vector cores scale their sum of O as larger scores come up.
#include "kernels/latent_kernel.h"

namespace npu::kernels {
namespace {

constexpr unsigned slots_l1 = 3;

class LatentDecode : LatentKernel {
public:
  LatentDecode(const Device &device, const LatentDecodePlan &plan, const LatentTiles &tiles,
               unsigned blocks)
      : LatentKernel(device, plan, tiles, blocks, "latent_decode") {}

  Result<Kernel> build() {
    cube();
    vectors();
    return kernel.finish();
  }

private:
  // ---- The cube core

  void cube() {
    CoreBuilder &b = kernel.aic();
    make_slots(b);
    q_l1 = b.allocate(Space::L1, t.heads * dim * 2, "q");
    q_l0a = b.allocate(Space::L0A, t.heads * dim * 2, "q");
    p_l1.emplace(b, Space::L1, t.heads * t.keys * 2, Pipe::MTE2, Pipe::MTE1, 2, "p");
    p_l0a.emplace(b, Space::L0A, t.heads * t.keys * 2, Pipe::MTE1, Pipe::M, 2, "p");
    l0b.emplace(b, Space::L0B, t.keys * std::max(t.k, t.n) * 2, Pipe::MTE1, Pipe::M, 2, "b");
    s_l0c.emplace(b, Space::L0C, t.heads * t.keys * 4, Pipe::M, Pipe::FIX, 1, "s");
    o_l0c.emplace(b, Space::L0C, t.heads * t.n * 4, Pipe::M, Pipe::FIX, 2, "o");
    each_item(b, [&](const Item &item) {
      b.when(Cmp::Gt, item.blocks, 0, [&] { cube_item(b, item); }); // splits may have no keys
    });
    for (unsigned i = 0; i < slots_l1; ++i)
      b.waitFlag(Pipe::MTE1, Pipe::MTE2, free_slot + i);
    for (auto *channel : {&p_l1, &p_l0a, &l0b, &s_l0c, &o_l0c})
      (*channel)->close();
  }

  void make_slots(CoreBuilder &b) {
    latents = b.allocate(Space::L1, slots_l1 * block_bytes(), "latents");
    for (unsigned i = 0; i < slots_l1; ++i) { // ids follow each other: they are the first
      unsigned filled = b.event(Pipe::MTE2, Pipe::MTE1), emptied = b.event(Pipe::MTE1, Pipe::MTE2);
      filled_slot = filled - i, free_slot = emptied - i;
      b.setFlag(Pipe::MTE1, Pipe::MTE2, emptied);
    }
  }

  void cube_item(CoreBuilder &b, const Item &item) {
    b.scope([&] { load_query(b, item); });
    Operand base = first_latent(b, item);
    load_block(b, item, base, 0);
    load_block(b, item, base, 1);
    scores(b, item, 0);
    b.loop(0, item.blocks, 1, [&](Reg i) {
      b.scope([&] { load_p(b, item, i); });
      b.scope([&] { load_block(b, item, base, b.add(i, 2)); });
      b.scope([&] { scores(b, item, b.add(i, 1)); });
      b.scope([&] { values(b, item, i); });
    });
  }

  void load_query(CoreBuilder &b, const Item &item) {
    Operand row = b.add(b.mul(item.token, plan.heads), item.head);
    b.sync(Pipe::MTE1, Pipe::MTE2);
    b.ldL1Nd(f16, q_l1, row_at(b, b.arg(q), row, dim * 2), item.heads, dim, dim * 2, t.heads);
    b.sync(Pipe::MTE2, Pipe::MTE1);
    b.sync(Pipe::M, Pipe::MTE1);
    for (uint64_t k = 0; k < dim; k += t.k)
      b.ldL0a(f16, q_l0a.at(k * t.heads * 2), q_l1.at(k * t.heads * 2), item.heads,
              std::min(t.k, dim - k), t.heads);
  }

  // Does nothing behind the last block; so does scores().
  void load_block(CoreBuilder &b, const Item &item, Operand base, Operand i) {
    b.when(Cmp::Lt, i, item.blocks, [&] {
      Operand slot = b.rem(i, slots_l1);
      b.waitFlag(Pipe::MTE1, Pipe::MTE2, b.add(slot, free_slot));
      b.ldL1(row_at(b, latents, slot, block_bytes()), row_at(b, base, i, block_bytes()),
             block_bytes());
      b.setFlag(Pipe::MTE2, Pipe::MTE1, b.add(slot, filled_slot));
    });
  }

  void load_p(CoreBuilder &b, const Item &item, Reg i) {
    b.crossWait(Pipe::MTE2, flag_p);
    b.ldL1Nd(f16, p_l1->produce(), turn(b, item.p, i, p_bytes), item.heads, t.keys, t.keys * 2,
             t.heads);
    p_l1->filled();
  }

  void scores(CoreBuilder &b, const Item &item, Operand i) {
    b.when(Cmp::Lt, i, item.blocks, [&] {
      Operand slot = b.rem(i, slots_l1), from = row_at(b, latents, slot, block_bytes());
      b.waitFlag(Pipe::MTE2, Pipe::MTE1, b.add(slot, filled_slot));
      Operand sum = s_l0c->produce();
      for (uint64_t k = 0; k < dim; k += t.k)
        b.scope([&] {
          uint64_t length = std::min(t.k, dim - k);
          b.ldL0b(f16, l0b->produce(), b.add(from, k * t.keys * 2), length, t.keys, t.keys);
          l0b->filled();
          b.mmad(f16, f16, sum, q_l0a.at(k * t.heads * 2), l0b->consume(), item.heads, t.keys,
                 length, {.accumulate = k > 0, .unit = false, .bias = {}});
          l0b->release();
        });
      s_l0c->filled();
      b.fixGm(f32, f32, turn(b, item.s, i, s_bytes), s_l0c->consume(), item.heads, t.keys,
              t.keys * 4);
      s_l0c->release();
      b.crossSet(Pipe::FIX, 2, flag_s);
    });
  }

  void values(CoreBuilder &b, const Item &item, Reg i) {
    Operand slot = b.rem(i, slots_l1), from = row_at(b, latents, slot, block_bytes());
    Operand to = turn(b, item.o, i, o_bytes);
    b.ldL0a(f16, p_l0a->produce(), p_l1->consume(), item.heads, t.keys, t.heads);
    p_l0a->filled();
    p_l1->release();
    Operand p = p_l0a->consume();
    for (uint64_t n = 0; n < plan.c; n += t.n)
      b.scope([&] {
        values_tile(b, item, b.add(from, n * t.keys * 2), p, b.add(to, n * 4),
                    std::min(t.n, plan.c - n));
      });
    p_l0a->release();
    b.setFlag(Pipe::MTE1, Pipe::MTE2, b.add(slot, free_slot));
    b.crossSet(Pipe::FIX, 2, flag_o);
  }

  void values_tile(CoreBuilder &b, const Item &item, Operand from, Operand p, Operand to,
                   uint64_t n) {
    b.ldL0b(f16, l0b->produce(), from, t.keys, n, t.keys, true);
    l0b->filled();
    Operand sum = o_l0c->produce();
    b.mmad(f16, f16, sum, p, l0b->consume(), item.heads, n, t.keys);
    l0b->release();
    o_l0c->filled();
    b.fixGm(f32, f32, to, o_l0c->consume(), item.heads, n, plan.c * 4);
    o_l0c->release();
  }

  // ---- The vector cores

  void vectors() {
    CoreBuilder &b = kernel.aiv();
    s_in.emplace(b, Space::UB, share() * t.keys * 4, Pipe::MTE2, Pipe::V, 2, "s");
    o_in.emplace(b, Space::UB, share() * plan.c * 4, Pipe::MTE2, Pipe::V, 2, "o");
    p_out.emplace(b, Space::UB, share() * t.keys * 2, Pipe::V, Pipe::MTE3, 2, "p");
    scaled = b.allocate(Space::UB, share() * t.keys * 4, "scaled");
    allocate_sums(b);
    each_vector_item(
        b, [&](const Item &item, Reg first, Reg mine) { vector_item(b, item, first, mine); });
    s_in->close(), o_in->close(), p_out->close();
  }

  void vector_item(CoreBuilder &b, const Item &item, Reg first, Reg mine) {
    b.loop(0, item.blocks, 1, [&](Reg i) {
      b.scope([&] { softmax(b, item, i, first, mine); });
      b.when(Cmp::Gt, i, 0, [&] { add_values(b, item, b.sub(i, 1), first, mine); });
      b.unary(Op::Vcopy, f32, factor_before, factor, {.cols = share()});
    });
    b.when(Cmp::Gt, item.blocks, 0,
           [&] { add_values(b, item, b.sub(item.blocks, 1), first, mine); });
    b.when(Cmp::Gt, mine, 0, [&] { store_sum(b, item, first, mine, 0, plan.c); });
  }

  void softmax(CoreBuilder &b, const Item &item, Reg i, Reg first, Reg mine) {
    b.crossWait(Pipe::MTE2, flag_s);
    b.when(Cmp::Gt, mine, 0, [&] {
      Operand from = b.add(turn(b, item.s, i, s_bytes), b.mul(first, t.keys * 4));
      b.ldUb(s_in->produce(), from, b.mul(mine, t.keys * 4));
      s_in->filled();
      Operand n = b.min(t.keys, b.sub(item.keys, b.mul(i, t.keys)));
      exponents(b, n, mine);
      Operand to = b.add(turn(b, item.p, i, p_bytes), b.mul(first, t.keys * 2));
      b.stGm(to, p_out->consume(), b.mul(mine, t.keys * 2));
      p_out->release();
    });
    b.crossSet(Pipe::MTE3, 2, flag_p);
  }

  // Keys behind the last one have an exponent of 0.
  void exponents(CoreBuilder &b, Operand n, Reg mine) {
    Tile all{.rows = mine, .cols = n, .ldd = t.keys * 4, .lda = t.keys * 4};
    Tile numbers{.cols = mine};
    b.withScalar(Op::Vmuls, f32, scaled, s_in->consume(), Operand::number(plan.scale), all);
    s_in->release();
    b.reduce(Op::Vrmax, f32, part, scaled, mine, n, t.keys * 4);
    b.binary(Op::Vmax, f32, part, part, top, numbers);
    correct_sum(b, mine);
    b.broadcastBlocks(f32, spread, top, mine);
    b.binary(Op::Vsub, f32, scaled, scaled, spread, all, true);
    b.unary(Op::Vexp, f32, scaled, scaled, all);
    b.reduce(Op::Vrsum, f32, part, scaled, mine, n, t.keys * 4);
    b.binary(Op::Vadd, f32, sum, sum, part, numbers);
    Operand p = p_out->produce();
    b.when(Cmp::Lt, n, t.keys,
           [&] { b.fill(f16, p, 0, {.rows = 1, .cols = b.mul(mine, t.keys)}); });
    all.ldd = t.keys * 2;
    b.cast(f32, f16, p, scaled, all);
    p_out->filled();
  }

  // sum_o = sum_o * factor of the block + O of the block
  void add_values(CoreBuilder &b, const Item &item, Operand i, Reg first, Reg mine) {
    b.crossWait(Pipe::MTE2, flag_o);
    b.when(Cmp::Gt, mine, 0, [&] {
      Operand from = b.add(turn(b, item.o, i, o_bytes), b.mul(first, plan.c * 4));
      b.ldUb(o_in->produce(), from, b.mul(mine, plan.c * 4));
      o_in->filled();
      Tile all{.rows = mine, .cols = plan.c};
      b.broadcastBlocks(f32, spread, factor_before, mine);
      b.binary(Op::Vmul, f32, sum_o, sum_o, spread, all, true);
      b.binary(Op::Vadd, f32, sum_o, sum_o, o_in->consume(), all);
      o_in->release();
    });
  }

  Buffer latents, q_l1, q_l0a;
  unsigned filled_slot = 0, free_slot = 0;
  std::optional<Channel> p_l1, p_l0a, l0b, s_l0c, o_l0c, s_in, o_in, p_out;
  Buffer scaled;
};

} // namespace

Result<Kernel> latent_decode_narrow(const Device &device, const LatentDecodePlan &plan,
                                    const LatentTiles &tiles, unsigned blocks) {
  return LatentDecode(device, plan, tiles, blocks).build();
}

} // namespace npu::kernels
