// Many heads: the cube is what they wait for, if the way out of it is not in the way. Sums of one
// block of keys would take that way half as long again as the cube takes for them, so they stay in
// L0C over a run of blocks, a tile of columns at a time, for which latents are read once more, out
// of the L2. A run has as many blocks as there are tiles of columns, or a multiple of that (where
// the cube then has so many S for an O), so that it alternates:
//
//   cube core      M     ... S(x)  O(x - lag)  S(x + 1)  O(x + 1 - lag) ...
//   vector cores   V     ... softmax(run)  O of the run before ...
//
// S(x) are scores of block x; O(y) is tile y of what run y / tiles sums. Scores of all of a run's
// blocks have to be there before its exponents, and those before its first sum: `lag` is that
// distance, and half a run for the vector cores. Everything moves in chunks of `keys` latents by a
// tile of columns.
#include "kernels/latent_kernel.h"

namespace npu::kernels {
namespace {

// How far above the reference a score may be, as bits: e^8 times 2^-14 is still far from 0, and e^8
// from the largest f16.
constexpr int64_t farthest = std::bit_cast<uint32_t>(8.0f);

class LatentDecodeWide : LatentKernel {
public:
  LatentDecodeWide(const Device &device, const LatentDecodePlan &plan, const LatentTiles &tiles,
                   unsigned blocks)
      : LatentKernel(device, plan, tiles, blocks, "latent_decode_wide"), run(tiles.run),
        tiles(ceil_div(plan.c, tiles.n)) {}

  Result<Kernel> build() {
    cube();
    vectors();
    return kernel.finish();
  }

private:
  // Every second core a tile later, so that one half of them reads memory while the other half
  // reads the L2. Below two runs: see turn().
  Operand lag(CoreBuilder &b) {
    return b.min(b.add(run + run / 2, b.rem(b.id(Id::Block), 2)), 2 * run - 1);
  }
  uint64_t chunk_bytes(uint64_t columns) const { return t.keys * columns * 2; }
  uint64_t p_block() const { return t.heads * t.keys * 2; }
  uint64_t p_row() const { return run * t.keys * 2; }
  uint64_t s_block() const { return t.heads * t.keys * 4; }
  Operand blocks_of(CoreBuilder &b, const Item &item, Operand at) {
    return b.min(run, b.sub(item.blocks, b.mul(at, run)));
  }
  Operand runs_of(CoreBuilder &b, const Item &item) {
    return b.div(b.add(item.blocks, run - 1), run);
  }

  // ---- The cube core

  void cube() {
    CoreBuilder &b = kernel.aic();
    q_l1 = b.allocate(Space::L1, t.heads * dim * 2, "q");
    chunks.emplace(b, Space::L1, chunk_bytes(t.n), Pipe::MTE2, Pipe::MTE1, latent_chunk_slots,
                   "chunk");
    p_l1.emplace(b, Space::L1, run * p_block(), Pipe::MTE2, Pipe::MTE1, 1, "p");
    l0a.emplace(b, Space::L0A, t.heads * std::max(t.n, t.keys) * 2, Pipe::MTE1, Pipe::M, 2, "a");
    l0b.emplace(b, Space::L0B, chunk_bytes(t.n), Pipe::MTE1, Pipe::M, 2, "b");
    l0c.emplace(b, Space::L0C, t.heads * std::max(t.n, t.keys) * 4, Pipe::M, Pipe::FIX, 2, "c");
    each_item(b, [&](const Item &item) {
      b.when(Cmp::Gt, item.blocks, 0, [&] { cube_item(b, item); }); // splits may have no keys
    });
    for (auto *channel : {&chunks, &p_l1, &l0a, &l0b, &l0c})
      (*channel)->close();
  }

  // Chunks are asked for a tile before they are used.
  void cube_item(CoreBuilder &b, const Item &item) {
    b.scope([&] { load_query(b, item); });
    Operand base = first_latent(b, item), late = lag(b);
    load_scores(b, item, base, 0);
    b.loop(0, b.add(b.mul(runs_of(b, item), run), late), 1, [&](Reg x) {
      Operand behind = b.sub(x, late);
      at_tiles(b, behind, [&](Operand y) { load_values(b, item, base, y); });
      scores(b, item, x);
      load_scores(b, item, base, b.add(x, 1));
      at_tiles(b, behind, [&](Operand y) { values(b, item, y); });
    });
  }

  // The tiles of a run come at even distances between its blocks.
  void at_tiles(CoreBuilder &b, Operand block, const std::function<void(Operand)> &body) {
    uint64_t distance = run / tiles;
    b.when(Cmp::Ge, block, 0, [&] {
      b.when(Cmp::Eq, b.rem(block, distance), 0, [&] { body(b.div(block, distance)); });
    });
  }

  void load_query(CoreBuilder &b, const Item &item) {
    Operand row = b.add(b.mul(item.token, plan.heads), item.head);
    b.sync(Pipe::MTE1, Pipe::MTE2);
    b.ldL1Nd(f16, q_l1, row_at(b, b.arg(q), row, dim * 2), item.heads, dim, dim * 2, t.heads);
    b.sync(Pipe::MTE2, Pipe::MTE1);
  }

  void load_chunk(CoreBuilder &b, Operand from, Operand columns) {
    b.ldL1(chunks->produce(), from, b.mul(columns, t.keys * 2));
    chunks->filled();
  }

  // Does nothing behind the last block; so does scores().
  void load_scores(CoreBuilder &b, const Item &item, Operand base, Operand x) {
    b.when(Cmp::Lt, x, item.blocks, [&] {
      Operand from = row_at(b, base, x, block_bytes());
      for (uint64_t k = 0; k < dim; k += t.n)
        b.scope([&] { load_chunk(b, b.add(from, chunk_bytes(k)), std::min(t.n, dim - k)); });
    });
  }

  void scores(CoreBuilder &b, const Item &item, Operand x) {
    b.when(Cmp::Lt, x, item.blocks, [&] {
      Operand sum = l0c->produce();
      for (uint64_t k = 0; k < dim; k += t.n) {
        uint64_t columns = std::min(t.n, dim - k);
        b.ldL0a(f16, l0a->produce(), q_l1.at(k * t.heads * 2), item.heads, columns, t.heads);
        l0a->filled();
        b.ldL0b(f16, l0b->produce(), chunks->consume(), columns, t.keys, t.keys);
        multiply(b, sum, item.heads, t.keys, columns, k > 0);
      }
      l0c->filled();
      Operand to = b.add(turn(b, item.s, b.div(x, run), s_bytes), b.mul(b.rem(x, run), s_block()));
      Fix scaled;
      scaled.scale = Operand::number(plan.scale);
      b.fixGm(f32, f32, to, l0c->consume(), item.heads, t.keys, t.keys * 4, scaled);
      l0c->release();
      b.crossSet(Pipe::FIX, 2, flag_s);
    });
  }

  // What was put into L0A and L0B, out of a chunk that is free then.
  void multiply(CoreBuilder &b, Operand sum, Operand m, Operand n, Operand k, bool accumulates) {
    l0b->filled();
    chunks->release();
    b.mmad(f16, f16, sum, l0a->consume(), l0b->consume(), m, n, k,
           {.accumulate = accumulates, .unit = false, .bias = {}});
    l0a->release();
    l0b->release();
  }

  void load_values(CoreBuilder &b, const Item &item, Operand base, Operand y) {
    Operand at = b.div(y, tiles), tile = b.rem(y, tiles), count = blocks_of(b, item, at);
    b.when(Cmp::Eq, tile, 0, [&] { load_exponents(b, item, at, count); });
    Operand columns = b.min(t.n, b.sub(plan.c, b.mul(tile, t.n)));
    Operand from = row_at(b, base, b.mul(at, run), block_bytes());
    from = b.add(from, b.mul(tile, chunk_bytes(t.n)));
    b.loop(0, count, 1, [&](Reg i) { load_chunk(b, row_at(b, from, i, block_bytes()), columns); });
  }

  void load_exponents(CoreBuilder &b, const Item &item, Operand at, Operand count) {
    b.crossWait(Pipe::MTE2, flag_p);
    b.ldL1Nd(f16, p_l1->produce(), turn(b, item.p, at, p_bytes), item.heads, b.mul(count, t.keys),
             p_row(), t.heads);
    p_l1->filled();
  }

  void values(CoreBuilder &b, const Item &item, Operand y) {
    Operand at = b.div(y, tiles), tile = b.rem(y, tiles);
    Operand columns = b.min(t.n, b.sub(plan.c, b.mul(tile, t.n)));
    b.when(Cmp::Eq, tile, 0, [&] { p_l1->consume(); });
    Operand sum = l0c->produce();
    b.loop(0, blocks_of(b, item, at), 1, [&](Reg i) { add_block(b, item, sum, i, columns); });
    l0c->filled();
    b.when(Cmp::Eq, tile, tiles - 1, [&] { p_l1->release(); });
    Operand to = b.add(turn(b, item.o, at, o_bytes), b.mul(tile, t.n * 4));
    b.fixGm(f32, f32, to, l0c->consume(), item.heads, columns, plan.c * 4);
    l0c->release();
    b.crossSet(Pipe::FIX, 2, flag_o);
  }

  void add_block(CoreBuilder &b, const Item &item, Operand sum, Reg i, Operand columns) {
    b.ldL0a(f16, l0a->produce(), b.add(b.mul(i, p_block()), p_l1->address()), item.heads, t.keys,
            t.heads);
    l0a->filled();
    b.ldL0b(f16, l0b->produce(), chunks->consume(), t.keys, columns, t.keys, true);
    b.when(
        Cmp::Eq, i, 0, [&] { multiply(b, sum, item.heads, columns, t.keys, false); },
        [&] { multiply(b, sum, item.heads, columns, t.keys, true); });
  }

  // ---- The vector cores, some rows (heads) at a time

  void vectors() {
    CoreBuilder &b = kernel.aiv();
    in.emplace(b, Space::UB, t.rows * std::max(t.keys, t.n) * 4, Pipe::MTE2, Pipe::V, 2, "in");
    p_out.emplace(b, Space::UB, t.rows * t.keys * 2, Pipe::V, Pipe::MTE3, 2, "p");
    folded = b.allocate(Space::UB, t.rows * t.keys * 2, "folded");
    numbers = b.allocate(Space::UB, t.keys * 4, "numbers");
    seen = b.allocate(Space::UB, 32, "seen");
    sum_before = b.allocate(Space::UB, round_up(share() * 4, 32), "sum_before");
    allocate_sums(b);
    b.emit(Op::Viota, i32, DType::None, {}, {numbers, 0, 1, t.keys});
    each_vector_item(
        b, [&](const Item &item, Reg first, Reg mine) { vector_item(b, item, first, mine); });
    in->close(), p_out->close();
  }

  void vector_item(CoreBuilder &b, const Item &item, Reg first, Reg mine) {
    Operand runs = runs_of(b, item);
    b.loop(0, runs, 1, [&](Reg at) {
      b.scope([&] { softmax(b, item, at, first, mine); });
      b.when(Cmp::Gt, at, 0, [&] { add_values(b, item, b.sub(at, 1), first, mine); });
      b.unary(Op::Vcopy, f32, factor_before, factor, {.cols = share()});
    });
    b.when(Cmp::Gt, runs, 0, [&] { add_values(b, item, b.sub(runs, 1), first, mine); });
  }

  void each_rows(CoreBuilder &b, Reg mine, const std::function<void(uint64_t, Operand)> &body) {
    for (uint64_t row = 0; row < share(); row += t.rows)
      b.when(Cmp::Gt, mine, row, [&] { body(row, b.min(t.rows, b.sub(mine, row))); });
  }

  // What one run needs: where it hands over, its number and its blocks.
  struct Run {
    Operand scores, exponents, number, blocks;
    Reg mine;
  };

  // Scores are read once, unless one is so far above what exponents are relative to that these
  // would leave f16. Then, and in the first run, all of the run's are made anew.
  void softmax(CoreBuilder &b, const Item &item, Reg at, Reg first, Reg mine) {
    Run r{row_at(b, turn(b, item.s, at, s_bytes), first, t.keys * 4),
          row_at(b, turn(b, item.p, at, p_bytes), first, p_row()), at, blocks_of(b, item, at),
          mine};
    b.unary(Op::Vcopy, f32, part, top, {.cols = share()});
    b.unary(Op::Vcopy, f32, sum_before, sum, {.cols = share()});
    b.fill(f32, factor, Operand::number(1), {.cols = share()});
    b.loop(0, r.blocks, 1, [&](Reg i) {
      b.crossWait(Pipe::MTE2, flag_s);
      each_rows(b, mine, [&](uint64_t row, Operand n) {
        Operand piece = load_scores_of(b, item, r, i, row, n);
        find_top(b, piece, row, n);
        b.when(
            Cmp::Gt, at, 0, [&] { exponents(b, r, i, piece, row, n); }, [&] { in->release(); });
      });
    });
    b.when(Cmp::Gt, mine, 0, [&] {
      b.when(Cmp::Gt, distance(b, at, mine), farthest, [&] { make_anew(b, item, r); });
    });
    b.crossSet(Pipe::MTE3, 2, flag_p);
  }

  // The largest of part - top as bits, of which positive numbers have the order of integers.
  Operand distance(CoreBuilder &b, Reg at, Reg mine) {
    Reg far = b.copy(farthest + 1);
    b.when(Cmp::Gt, at, 0, [&] {
      b.binary(Op::Vsub, f32, spread, part, top, {.cols = mine});
      b.reduce(Op::Vrmax, f32, folded, spread, 1, mine);
      b.sync(Pipe::V, Pipe::S);
      b.set(far, b.loadUb(f32, folded));
      b.sync(Pipe::S, Pipe::V);
    });
    return far;
  }

  void make_anew(CoreBuilder &b, const Item &item, const Run &r) {
    b.unary(Op::Vcopy, f32, sum, sum_before, {.cols = share()});
    correct_sum(b, r.mine);
    b.loop(0, r.blocks, 1, [&](Reg i) {
      each_rows(b, r.mine, [&](uint64_t row, Operand n) {
        exponents(b, r, i, load_scores_of(b, item, r, i, row, n), row, n);
      });
    });
  }

  // Scores of keys behind the last one are so low that their exponent is 0.
  Operand load_scores_of(CoreBuilder &b, const Item &item, const Run &r, Reg i, uint64_t row,
                         Operand n) {
    b.ldUb(in->produce(), b.add(row_at(b, r.scores, i, s_block()), row * t.keys * 4),
           b.mul(n, t.keys * 4));
    in->filled();
    Operand piece = in->consume();
    Operand keys = b.sub(item.keys, b.mul(b.add(b.mul(r.number, run), i), t.keys));
    b.when(Cmp::Lt, keys, t.keys, [&] {
      b.emit(Op::Vcmps, i32, DType::None, {}, {seen, numbers, keys, int(Cmp::Lt), 1, t.keys});
      b.emit(Op::Vsels, f32, DType::None, {},
             {piece, seen, piece, Operand::number(-1e30f), n, t.keys, t.keys * 4, 0, t.keys * 4});
    });
    return piece;
  }

  // One half of each row on the other, which takes less time than a reduction of both.
  void fold(CoreBuilder &b, Op op, Operand piece, Operand n) {
    Tile halves{
        .rows = n, .cols = t.keys / 2, .ldd = t.keys * 2, .lda = t.keys * 4, .ldb = t.keys * 4};
    b.binary(op, f32, folded, piece, b.add(piece, t.keys * 2), halves);
  }

  void find_top(CoreBuilder &b, Operand piece, uint64_t row, Operand n) {
    fold(b, Op::Vmax, piece, n);
    b.reduce(Op::Vrmax, f32, spread, folded, n, t.keys / 2);
    b.binary(Op::Vmax, f32, part.at(row * 4), part.at(row * 4), spread, {.cols = n});
  }

  void exponents(CoreBuilder &b, const Run &r, Reg i, Operand piece, uint64_t row, Operand n) {
    Tile all{.rows = n, .cols = t.keys};
    b.broadcastBlocks(f32, spread, top.at(row * 4), n);
    b.binary(Op::Vsub, f32, piece, piece, spread, all, true);
    b.unary(Op::Vexp, f32, piece, piece, all);
    fold(b, Op::Vadd, piece, n);
    b.cast(f32, f16, p_out->produce(), piece, all);
    p_out->filled();
    in->release();
    b.reduce(Op::Vrsum, f32, spread, folded, n, t.keys / 2);
    b.binary(Op::Vadd, f32, sum.at(row * 4), sum.at(row * 4), spread, {.cols = n});
    b.stGm(b.add(row_at(b, r.exponents, i, t.keys * 2), row * p_row()), p_out->consume(),
           t.keys * 2, n, t.keys * 2, p_row());
    p_out->release();
  }

  // sum_o = sum_o * factor of the run + O of the run
  void add_values(CoreBuilder &b, const Item &item, Operand at, Reg first, Reg mine) {
    Operand from = row_at(b, turn(b, item.o, at, o_bytes), first, plan.c * 4);
    for (uint64_t column = 0; column < plan.c; column += t.n) {
      b.crossWait(Pipe::MTE2, flag_o);
      each_rows(b, mine, [&](uint64_t row, Operand n) {
        uint64_t place = (row * plan.c + column) * 4;
        add_tile(b, sum_o.at(place), b.add(from, place), row, n, std::min(t.n, plan.c - column));
      });
    }
  }

  void add_tile(CoreBuilder &b, Operand to, Operand from, uint64_t row, Operand n,
                uint64_t columns) {
    b.ldUb(in->produce(), from, columns * 4, n, plan.c * 4, t.n * 4);
    in->filled();
    Tile tile{.rows = n, .cols = columns, .ldd = plan.c * 4, .lda = plan.c * 4};
    b.broadcastBlocks(f32, spread, factor_before.at(row * 4), n);
    b.binary(Op::Vmul, f32, to, to, spread, tile, true);
    tile.ldb = t.n * 4;
    b.binary(Op::Vadd, f32, to, to, in->consume(), tile);
    in->release();
  }

  const uint64_t run, tiles; // blocks of keys in a run, tiles of columns in a sum
  Buffer q_l1, folded, numbers, seen, sum_before;
  std::optional<Channel> chunks, p_l1, l0a, l0b, l0c, in, p_out;
};

} // namespace

Result<Kernel> latent_decode_wide(const Device &device, const LatentDecodePlan &plan,
                                  const LatentTiles &tiles, unsigned blocks) {
  return LatentDecodeWide(device, plan, tiles, blocks).build();
}

} // namespace npu::kernels
