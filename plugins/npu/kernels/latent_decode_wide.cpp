// Many heads: the cube is what they wait for, if memory, the L2 and the way out of the cube are all
// kept busy. Sums of one block of keys would take that way half as long again as the cube takes for
// them, so they stay in L0C over a run of blocks, a tile of columns at a time, for which latents
// are read once more, out of the L2.
//
// A step has the scores of one block and as many chunks of sums as there are tiles of columns, each
// of one block; a run of sums takes as many steps as a run of scores. Both are made in turns, chunk
// by chunk of a tile of columns, so that what a core reads comes from memory and from the L2 in
// turns:
//
//   cube core      M     S  O  S  O  S  O  S  O  S | S  O ...     a step
//                  FIX   O of a tile ..  S of a block .....       each behind its last chunk
//   vector cores   V     softmax of a block, O of a tile that is there
//
// Sums are made `late` steps behind scores: those of all of a run's blocks have to be there before
// its exponents, and those before its first sum.
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
  uint64_t chunk_bytes(uint64_t columns) const { return t.keys * columns * 2; }
  uint64_t p_block() const { return t.heads * t.keys * 2; }
  uint64_t p_row() const { return run * t.keys * 2; }
  uint64_t s_block() const { return t.heads * t.keys * 4; }
  uint64_t half() const { return ceil_div(run, 2); }

  // ---- Steps. Step x has block x - pad: as if `pad` blocks stood before the first one, so that
  // the last run is shorter than the others. Of a shorter run exponents are there sooner, and its
  // sums take as long to leave the cube as to be made.

  uint64_t last_run() const { return run - run / 4; }

  struct Steps {
    Reg pad, end, runs; // end: behind the last block
  };
  Steps steps_of(CoreBuilder &b, const Item &item) {
    Steps s{b.reg(), b.reg(), b.reg()};
    b.scope([&] {
      b.set(s.pad, b.rem(b.add(b.mul(item.blocks, run - 1), last_run()), run));
      b.set(s.end, b.add(s.pad, item.blocks));
      b.set(s.runs, b.div(b.add(s.end, run - 1), run));
    });
    return s;
  }
  // Of the blocks of a run, as many as there are.
  Operand first_of(CoreBuilder &b, const Steps &s, Operand at) {
    return b.max(0, b.sub(s.pad, b.mul(at, run)));
  }
  Operand last_of(CoreBuilder &b, const Steps &s, Operand at) {
    return b.sub(b.min(run, b.sub(s.end, b.mul(at, run))), 1);
  }

  // Chunks of sums come so much later than those of scores: by a run, by a step for exponents, and
  // by half a step, so that sums and scores leave the cube in turns. Below two runs: see turn().
  uint64_t late() const { return (run + 1) * tiles + tiles / 2; }
  // Behind the last chunk of sums.
  Operand end_of_steps(CoreBuilder &b, const Steps &s) {
    return b.add(b.mul(s.runs, run), ceil_div(late(), tiles));
  }

  // ---- The cube core

  void cube() {
    CoreBuilder &b = kernel.aic();
    q_l1 = b.allocate(Space::L1, t.heads * dim * 2, "q");
    scores_l0c = b.allocate(Space::L0C, t.heads * t.keys * 4, "scores");
    sums_l0c = b.allocate(Space::L0C, t.heads * t.n * 4, "sums");
    chunks.emplace(b, Space::L1, chunk_bytes(t.n), Pipe::MTE2, Pipe::MTE1, latent_chunk_slots,
                   "chunk");
    for (auto &each : p_l1)
      each.emplace(b, Space::L1, half() * p_block(), Pipe::MTE2, Pipe::MTE1, 1, "p");
    l0a.emplace(b, Space::L0A, t.heads * std::max(t.n, t.keys) * 2, Pipe::MTE1, Pipe::M, 2, "a");
    l0b.emplace(b, Space::L0B, chunk_bytes(t.n), Pipe::MTE1, Pipe::M, 2, "b");
    stand_apart(b);
    each_item(b, [&](const Item &item) {
      b.when(Cmp::Gt, item.blocks, 0, [&] { cube_item(b, item); }); // splits may have no keys
    });
    for (auto *channel : {&chunks, &p_l1[0], &p_l1[1], &l0a, &l0b})
      (*channel)->close();
  }

  // Cores that do the same at the same time all wait for memory, then all for the L2. So they begin
  // one after the other, over the time that the cube takes for a block, of which the device's own
  // skew is a part. A turn takes three cycles.
  void stand_apart(CoreBuilder &b) {
    uint64_t block = t.heads / 16 * ceil_div(t.keys, 16) * (dim + plan.c) / 16;
    uint64_t skew = static_cast<uint64_t>(device.startSkew), apart = block / device.groups;
    uint64_t turns = apart > skew ? (apart - skew) / 3 : 0;
    b.scope([&] { b.loop(0, b.mul(b.id(Id::Block), turns), 1, [](Reg) {}); });
  }

  // Chunks are asked for a step before they are used.
  void cube_item(CoreBuilder &b, const Item &item) {
    b.scope([&] { load_query(b, item); });
    Operand base = first_latent(b, item);
    Steps s = steps_of(b, item);
    for (uint64_t k = 0; k < score_chunks(); ++k)
      load_score(b, s, base, s.pad, k);
    b.loop(s.pad, end_of_steps(b, s), 1, [&](Reg x) {
      Operand next = b.add(x, 1);
      for (uint64_t k = 0, j = 0; k < score_chunks() || j < tiles;) {
        if (k < score_chunks()) {
          load_score(b, s, base, next, k);
          score(b, item, s, x, k++);
        }
        if (j < tiles) {
          load_value(b, item, s, base, next, j);
          value(b, item, s, x, j++);
        }
      }
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

  // What was put into L0A and L0B, out of a chunk that is free then.
  void multiply(CoreBuilder &b, Operand sum, Operand m, Operand n, Operand k, bool accumulates) {
    l0b->filled();
    chunks->release();
    b.mmad(f16, f16, sum, l0a->consume(), l0b->consume(), m, n, k,
           {.accumulate = accumulates, .unit = true, .bias = {}});
    l0a->release();
    l0b->release();
  }

  // ---- Scores: chunk k of a block. Behind the last block there are none.

  uint64_t score_chunks() const { return ceil_div(dim, t.n); }
  uint64_t score_columns(uint64_t k) const { return std::min(t.n, dim - k * t.n); }

  void load_score(CoreBuilder &b, const Steps &s, Operand base, Operand x, uint64_t k) {
    b.when(Cmp::Lt, x, s.end, [&] {
      Operand block = row_at(b, base, b.sub(x, s.pad), block_bytes());
      load_chunk(b, b.add(block, chunk_bytes(k * t.n)), score_columns(k));
    });
  }

  void score(CoreBuilder &b, const Item &item, const Steps &s, Operand x, uint64_t k) {
    b.when(Cmp::Lt, x, s.end, [&] {
      b.ldL0a(f16, l0a->produce(), q_l1.at(k * t.n * t.heads * 2), item.heads, score_columns(k),
              t.heads);
      l0a->filled();
      b.ldL0b(f16, l0b->produce(), chunks->consume(), score_columns(k), t.keys, t.keys);
      multiply(b, scores_l0c, item.heads, t.keys, score_columns(k), k > 0);
      if (k + 1 == score_chunks())
        hand_over_scores(b, item, x);
    });
  }

  void hand_over_scores(CoreBuilder &b, const Item &item, Operand x) {
    Operand to = b.add(turn(b, item.s, b.div(x, run), s_bytes), b.mul(b.rem(x, run), s_block()));
    Fix scaled{.scale = Operand::number(plan.scale), .unit = true};
    b.sync(Pipe::M, Pipe::FIX);
    b.fixGm(f32, f32, to, scores_l0c, item.heads, t.keys, t.keys * 4, scaled);
    b.crossSet(Pipe::FIX, 2, flag_s);
  }

  // ---- Values: chunks of a run, tile after tile

  struct Value {
    Reg at, tile, i, first, last, columns; // block i of run `at`, and which blocks it has
  };
  // Calls body with chunk j of step x, if there is one.
  void at_value(CoreBuilder &b, const Steps &s, Operand x, uint64_t j,
                const std::function<void(const Value &)> &body) {
    b.scope([&] {
      Reg number = b.copy(b.sub(b.add(b.mul(x, tiles), j), late()));
      b.when(Cmp::Ge, number, 0, [&] {
        Value v{b.reg(), b.reg(), b.reg(), b.reg(), b.reg(), b.reg()};
        b.scope([&] { find_value(b, s, number, v); });
        b.when(Cmp::Ge, v.i, v.first, [&] { b.when(Cmp::Le, v.i, v.last, [&] { body(v); }); });
      });
    });
  }
  void find_value(CoreBuilder &b, const Steps &s, Reg number, const Value &v) {
    Operand y = b.div(number, run);
    b.set(v.at, b.div(y, tiles));
    b.set(v.tile, b.rem(y, tiles));
    b.set(v.i, b.rem(number, run));
    b.set(v.first, first_of(b, s, v.at));
    b.set(v.last, last_of(b, s, v.at));
    b.set(v.columns, columns_of(b, v.tile));
  }
  Operand columns_of(CoreBuilder &b, Operand tile) {
    return b.min(t.n, b.sub(plan.c, b.mul(tile, t.n)));
  }

  // Exponents lie in L1 in two halves, each of which is read again as soon as it is free. Calls
  // body where a half begins, or ends, with this chunk's block.
  void begins_half(CoreBuilder &b, const Value &v, const std::function<void(uint64_t)> &body) {
    for (uint64_t h : {0, 1})
      b.when(Cmp::Eq, v.i, b.max(v.first, h * half()),
             [&] { b.when(Cmp::Lt, v.i, (h + 1) * half(), [&] { body(h); }); });
  }
  void ends_half(CoreBuilder &b, const Value &v, const std::function<void(uint64_t)> &body) {
    for (uint64_t h : {0, 1})
      b.when(Cmp::Eq, v.i, b.min(v.last, (h + 1) * half() - 1),
             [&] { b.when(Cmp::Ge, v.i, h * half(), [&] { body(h); }); });
  }

  void load_value(CoreBuilder &b, const Item &item, const Steps &s, Operand base, Operand x,
                  uint64_t j) {
    at_value(b, s, x, j, [&](const Value &v) {
      b.when(Cmp::Eq, v.tile, 0, [&] {
        b.when(Cmp::Eq, v.i, v.first, [&] { b.crossWait(Pipe::MTE2, flag_p); });
        begins_half(b, v, [&](uint64_t h) { load_exponents(b, item, v, h); });
      });
      Operand block = b.sub(b.add(b.mul(v.at, run), v.i), s.pad);
      Operand from = row_at(b, base, block, block_bytes());
      load_chunk(b, b.add(from, b.mul(v.tile, chunk_bytes(t.n))), v.columns);
    });
  }

  void load_exponents(CoreBuilder &b, const Item &item, const Value &v, uint64_t h) {
    Operand count = b.sub(b.min((h + 1) * half(), b.add(v.last, 1)), v.i);
    Operand to = b.add(p_l1[h]->produce(), b.mul(b.sub(v.i, h * half()), p_block()));
    Operand from = b.add(turn(b, item.p, v.at, p_bytes), b.mul(v.i, t.keys * 2));
    b.ldL1Nd(f16, to, from, item.heads, b.mul(count, t.keys), p_row(), t.heads);
    p_l1[h]->filled();
  }

  void value(CoreBuilder &b, const Item &item, const Steps &s, Operand x, uint64_t j) {
    at_value(b, s, x, j, [&](const Value &v) {
      b.when(Cmp::Eq, v.tile, 0,
             [&] { begins_half(b, v, [&](uint64_t h) { p_l1[h]->consume(); }); });
      Operand p = b.add(p_l1[0]->address(), b.mul(v.i, p_block())); // the halves are neighbours
      b.ldL0a(f16, l0a->produce(), p, item.heads, t.keys, t.heads);
      l0a->filled();
      b.ldL0b(f16, l0b->produce(), chunks->consume(), t.keys, v.columns, t.keys, true);
      b.when(
          Cmp::Eq, v.i, v.first,
          [&] { multiply(b, sums_l0c, item.heads, v.columns, t.keys, false); },
          [&] { multiply(b, sums_l0c, item.heads, v.columns, t.keys, true); });
      b.when(Cmp::Eq, v.tile, tiles - 1,
             [&] { ends_half(b, v, [&](uint64_t h) { p_l1[h]->release(); }); });
      b.when(Cmp::Eq, v.i, v.last, [&] { hand_over_sum(b, item, v); });
    });
  }

  void hand_over_sum(CoreBuilder &b, const Item &item, const Value &v) {
    Operand to = b.add(turn(b, item.o, v.at, o_bytes), b.mul(v.tile, t.n * 4));
    b.sync(Pipe::M, Pipe::FIX);
    b.fixGm(f32, f32, to, sums_l0c, item.heads, v.columns, plan.c * 4, {.unit = true});
    b.crossSet(Pipe::FIX, 2, flag_o);
  }

  // ---- The vector cores, some rows (heads) at a time

  void vectors() {
    CoreBuilder &b = kernel.aiv();
    in.emplace(b, Space::UB, t.rows * std::max(t.keys, t.n) * 4, Pipe::MTE2, Pipe::V, 2, "in");
    p_out.emplace(b, Space::UB, t.rows * t.keys * 2, Pipe::V, Pipe::MTE3, 2, "p");
    folded = b.allocate(Space::UB, t.rows * t.keys * 2, "folded");
    numbers = b.allocate(Space::UB, t.keys * 4, "numbers");
    seen = b.allocate(Space::UB, 32, "seen");
    factors = b.allocate(Space::UB, 2 * factor_bytes(), "factors");
    sum_before = b.allocate(Space::UB, round_up(share() * 4, 32), "sum_before");
    allocate_sums(b);
    b.emit(Op::Viota, i32, DType::None, {}, {numbers, 0, 1, t.keys});
    each_vector_item(b, [&](const Item &item, Reg first, Reg mine) {
      b.when(
          Cmp::Gt, item.blocks, 0, [&] { vector_item(b, item, first, mine); },
          [&] { // the sum is 0
            b.when(Cmp::Gt, mine, 0, [&] { store_sum(b, item, first, mine, 0, plan.c); });
          });
    });
    in->close(), p_out->close();
  }

  void vector_item(CoreBuilder &b, const Item &item, Reg first, Reg mine) {
    Steps s = steps_of(b, item);
    Reg added = b.copy(0), all = b.copy(b.mul(s.runs, tiles));
    b.loop(s.pad, s.end, 1, [&](Reg x) {
      b.scope([&] { softmax(b, item, s, x, first, mine); });
      Reg made = b.reg();
      b.scope([&] { b.set(made, b.min(all, tiles_made(b, b.add(x, 2)))); });
      b.loop(added, made, 1, [&](Reg y) { add_values(b, item, s, y, first, mine); });
      b.set(added, b.max(added, made));
    });
    b.loop(added, all, 1, [&](Reg y) { add_values(b, item, s, y, first, mine); });
  }

  // Tiles of sums whose last chunk comes before step x.
  Operand tiles_made(CoreBuilder &b, Operand x) {
    return b.div(b.sub(b.mul(x, tiles), late()), run);
  }

  uint64_t factor_bytes() const { return round_up(share() * 4, 32); }

  void each_rows(CoreBuilder &b, Reg mine, const std::function<void(uint64_t, Operand)> &body) {
    for (uint64_t row = 0; row < share(); row += t.rows)
      b.when(Cmp::Gt, mine, row, [&] { body(row, b.min(t.rows, b.sub(mine, row))); });
  }

  // What one run needs: where it hands over, its number and its blocks.
  struct Run {
    Reg scores, exponents, first, last;
    Operand number;
    Reg pad, mine;
  };

  // Scores are read once, unless one is so far above what exponents are relative to that these
  // would leave f16. Then, and in the first run, all of the run's are made anew.
  void softmax(CoreBuilder &b, const Item &item, const Steps &s, Reg x, Reg first, Reg mine) {
    Operand at = b.div(x, run), i = b.rem(x, run);
    Run r{b.reg(), b.reg(), b.reg(), b.reg(), at, s.pad, mine};
    b.scope([&] {
      b.set(r.scores, row_at(b, turn(b, item.s, at, s_bytes), first, t.keys * 4));
      b.set(r.exponents, row_at(b, turn(b, item.p, at, p_bytes), first, p_row()));
      b.set(r.first, first_of(b, s, at));
      b.set(r.last, last_of(b, s, at));
    });
    b.when(Cmp::Eq, i, r.first, [&] {
      b.unary(Op::Vcopy, f32, part, top, {.cols = share()});
      b.unary(Op::Vcopy, f32, sum_before, sum, {.cols = share()});
    });
    b.crossWait(Pipe::MTE2, flag_s);
    each_rows(b, mine, [&](uint64_t row, Operand n) {
      Operand piece = load_scores_of(b, item, r, i, row, n);
      find_top(b, piece, row, n);
      b.when(
          Cmp::Gt, at, 0, [&] { exponents(b, r, i, piece, row, n); }, [&] { in->release(); });
    });
    b.when(Cmp::Eq, i, r.last, [&] { hand_over_exponents(b, item, r); });
  }

  void hand_over_exponents(CoreBuilder &b, const Item &item, const Run &r) {
    b.fill(f32, factor, Operand::number(1), {.cols = share()});
    b.when(Cmp::Gt, r.mine, 0, [&] {
      b.when(Cmp::Gt, distance(b, r.number, r.mine), farthest, [&] { make_anew(b, item, r); });
    });
    b.unary(Op::Vcopy, f32, turn(b, factors, r.number, factor_bytes()), factor, {.cols = share()});
    b.crossSet(Pipe::MTE3, 2, flag_p);
  }

  // The largest of part - top as bits, of which positive numbers have the order of integers.
  Operand distance(CoreBuilder &b, Operand at, Reg mine) {
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
    b.loop(r.first, b.add(r.last, 1), 1, [&](Reg i) {
      each_rows(b, r.mine, [&](uint64_t row, Operand n) {
        exponents(b, r, i, load_scores_of(b, item, r, i, row, n), row, n);
      });
    });
  }

  // Scores of keys behind the last one are so low that their exponent is 0.
  Operand load_scores_of(CoreBuilder &b, const Item &item, const Run &r, Operand i, uint64_t row,
                         Operand n) {
    b.ldUb(in->produce(), b.add(row_at(b, r.scores, i, s_block()), row * t.keys * 4),
           b.mul(n, t.keys * 4));
    in->filled();
    Operand piece = in->consume();
    Operand block = b.sub(b.add(b.mul(r.number, run), i), r.pad);
    Operand keys = b.sub(item.keys, b.mul(block, t.keys));
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

  void exponents(CoreBuilder &b, const Run &r, Operand i, Operand piece, uint64_t row, Operand n) {
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

  // sum_o = sum_o * factor of the run + O of the run, for a tile of columns. The last run's is
  // what the item gives.
  void add_values(CoreBuilder &b, const Item &item, const Steps &s, Reg y, Reg first, Reg mine) {
    Operand at = b.div(y, tiles), tile = b.rem(y, tiles), column = b.mul(tile, t.n * 4);
    Operand from = b.add(row_at(b, turn(b, item.o, at, o_bytes), first, plan.c * 4), column);
    Operand by = turn(b, factors, at, factor_bytes()), columns = columns_of(b, tile);
    b.crossWait(Pipe::MTE2, flag_o);
    each_rows(b, mine, [&](uint64_t row, Operand n) {
      uint64_t place = row * plan.c * 4;
      add_tile(b, b.add(column, sum_o.at(place)), b.add(from, place), b.add(by, row * 4), n,
               columns);
    });
    b.when(Cmp::Eq, b.add(at, 1), s.runs, [&] {
      b.when(Cmp::Gt, mine, 0, [&] { store_sum(b, item, first, mine, column, columns); });
    });
  }

  void add_tile(CoreBuilder &b, Operand to, Operand from, Operand by, Operand n, Operand columns) {
    b.ldUb(in->produce(), from, b.mul(columns, 4), n, plan.c * 4, t.n * 4);
    in->filled();
    Tile tile{.rows = n, .cols = columns, .ldd = plan.c * 4, .lda = plan.c * 4};
    b.broadcastBlocks(f32, spread, by, n);
    b.binary(Op::Vmul, f32, to, to, spread, tile, true);
    tile.ldb = t.n * 4;
    b.binary(Op::Vadd, f32, to, to, in->consume(), tile);
    in->release();
  }

  const uint64_t run, tiles; // blocks of keys in a run, tiles of columns in a sum
  Buffer q_l1, scores_l0c, sums_l0c, folded, numbers, seen, sum_before, factors;
  std::optional<Channel> chunks, p_l1[2], l0a, l0b, in, p_out;
};

} // namespace

Result<Kernel> latent_decode_wide(const Device &device, const LatentDecodePlan &plan,
                                  const LatentTiles &tiles, unsigned blocks) {
  return LatentDecodeWide(device, plan, tiles, blocks).build();
}

} // namespace npu::kernels
