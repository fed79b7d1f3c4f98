// Items (an expert or token, a group, a tile of n) go round the cube cores. For each tile of rows
// of a, chunks of both operands come through L1, tiles of them through L0A and L0B, and the sum
// stays in L0C until all of k is in it. Where L1 holds fractals, operands are made into them on the
// way in, or were packed so; elsewhere they are rows.
#include "kernels/kernels.h"

namespace npu::kernels {
namespace {

class Product {
public:
  Product(const Device &device, const ProductPlan &plan, const ProductTiles &tiles)
      : device(device), plan(plan), tiles(tiles), kernel(device, "product"), b(kernel.aic()),
        size(bitsOf(plan.type) / 8), rows_in_l1(device.spec(Space::L1).layout == Layout::Rows) {}

  Result<Kernel> build() {
    declare();
    l1.emplace(device, b, Space::L1, bytes_a() + bytes_b(), Pipe::MTE2, Pipe::MTE1, "chunk");
    l0a.emplace(device, b, Space::L0A, tiles.m * tiles.k * size, Pipe::MTE1, Pipe::M, "a");
    l0b.emplace(device, b, Space::L0B, l0b_bytes(), Pipe::MTE1, Pipe::M, "b");
    l0c.emplace(device, b, Space::L0C, tiles.m * tiles.n * 4, Pipe::M, Pipe::FIX, "c");
    if (plan.factors) {
      factors_l1 = b.allocate(Space::L1, round_up(tiles.n * 4, 64), "factors");
      factors_fb = b.allocate(Space::FB, round_up(tiles.n * 4, 64), "factors");
    }
    share_out(b, item_count(), [&](Reg item) { one_item(item); });
    l1->close(), l0a->close(), l0b->close(), l0c->close();
    return kernel.finish();
  }

private:
  bool cached() const {
    return plan.form == ProductForm::Scores || plan.form == ProductForm::Values;
  }
  bool packed() const { return !cached(); }
  bool by_k() const { return plan.form == ProductForm::Values; } // b is [k, n]
  uint64_t across() const { return ceil_div(plan.n, tiles.n); }
  uint64_t chunk_k() const { return tiles.k * tiles.steps; }
  uint64_t bytes_part() const { return round_up(tiles.m * chunk_k() * size, 64); }
  uint64_t bytes_a() const { return plan.parts * bytes_part(); }
  uint64_t bytes_b() const { return round_up(tiles.n * chunk_k() * size, 64); }
  uint64_t l0b_bytes() const {
    bool blocks_of_64 = device.spec(Space::L0B).layout == Layout::Lt;
    return (blocks_of_64 ? round_up(tiles.n, 64) : tiles.n) * tiles.k * size;
  }
  // Packed: strips of tiles.n rows, each with all of k, then factors.
  uint64_t k_packed() const { return round_up(plan.k, 32 / size); }
  uint64_t strip_numbers() const { return tiles.n * k_packed() * size; }
  uint64_t strip() const { return strip_numbers() + (plan.factors ? tiles.n * 4 : 0); }

  void declare() {
    uint64_t b_bytes = packed() ? plan.experts * plan.groups * across() * strip() : 0;
    a = kernel.buffer("a", ArgAccess::Read, 0);
    w = kernel.buffer("b", ArgAccess::Read, b_bytes);
    c = kernel.buffer("c", ArgAccess::Write, 0);
    if (plan.form == ProductForm::Experts) {
      offsets = kernel.buffer("offsets", ArgAccess::Read, (plan.experts + 1) * 4);
      active = kernel.buffer("active", ArgAccess::Read, (plan.experts + 1) * 4);
    }
    if (cached()) {
      slots = kernel.buffer("slots", ArgAccess::Read, 4);
      positions = kernel.buffer("positions", ArgAccess::Read, 4);
    }
    if (plan.form != ProductForm::Experts)
      rows = kernel.scalar("rows");
    if (cached())
      first = kernel.scalar("first");
  }

  Operand item_count() {
    Operand outer = 1;
    if (plan.form == ProductForm::Experts)
      outer = b.min(plan.experts, b.loadGm(i32, b.arg(active)));
    if (cached())
      outer = b.max(0, b.min(plan.tokens, b.sub(b.arg(rows), b.arg(first))));
    return b.mul(outer, plan.groups * across());
  }

  // Where the item's operands begin and how large they are; which item it is.
  struct Item {
    Reg a, w, c, m, n, k, outer, group, column;
  };

  void one_item(Reg number) {
    Item item;
    for (Reg *each : {&item.a, &item.w, &item.c, &item.m, &item.n, &item.k, &item.outer,
                      &item.group, &item.column})
      *each = b.reg();
    find(item, number);
    b.when(Cmp::Gt, item.n, 0, [&] {
      if (plan.factors)
        b.scope([&] { load_factors(item); });
      b.loop(0, item.m, tiles.m, [&](Reg row) { one_tile(item, row); });
    });
  }

  // Numbers in between give their registers back.
  void give(Reg target, const std::function<Operand()> &value) {
    b.scope([&] { b.set(target, value()); });
  }

  void find(const Item &item, Reg number) {
    uint64_t inner = plan.groups * across();
    give(item.outer, [&] { return b.div(number, inner); });
    give(item.group, [&] { return b.div(b.rem(number, inner), across()); });
    give(item.column, [&] { return b.mul(b.rem(number, across()), tiles.n); });
    give(item.a, [&] { return row_at(b, b.arg(a), item.group, plan.a_group); });
    give(item.c, [&] { return row_at(b, b.arg(c), item.group, plan.c_group); });
    b.set(item.m, plan.m), b.set(item.n, plan.n), b.set(item.k, plan.k);
    if (plan.form == ProductForm::Weights) {
      give(item.m, [&] { return b.arg(rows); });
      give(item.w, [&] { return row_at(b, b.arg(w), number, strip()); });
    } else if (plan.form == ProductForm::Experts)
      expert(item);
    else
      token(item);
    give(item.n, [&] { return b.min(tiles.n, b.sub(item.n, item.column)); });
    give(item.c, [&] { return row_at(b, item.c, item.column, 4); });
  }

  void expert(const Item &item) {
    b.scope([&] {
      Operand number = b.loadGm(i32, row_at(b, b.add(b.arg(active), 4), item.outer, 4));
      auto trap = [&] { b.emit(Op::Trap, DType::None, DType::None, {}, {8}); };
      b.when(Cmp::Ge, number, plan.experts, trap);
      b.when(Cmp::Lt, number, 0, trap);
      b.set(item.outer, number);
    });
    b.scope([&] {
      Operand at = row_at(b, b.arg(offsets), item.outer, 4);
      Operand begin = b.loadGm(i32, at);
      b.set(item.m, b.sub(b.loadGm(i32, b.add(at, 4)), begin));
      b.set(item.a, row_at(b, item.a, begin, plan.a_ld));
      b.set(item.c, row_at(b, item.c, begin, plan.c_ld));
    });
    give(item.w, [&] {
      Operand strips = b.add(b.mul(item.outer, across()), b.div(item.column, tiles.n));
      return row_at(b, b.arg(w), strips, strip());
    });
  }

  // a of Values and c of Scores are kept for the tokens of this launch only.
  void token(const Item &item) {
    uint64_t of_token = plan.m * plan.groups;
    b.scope([&] {
      Operand all = b.add(item.outer, b.arg(first));
      Operand keys = b.add(b.loadGm(i32, row_at(b, b.arg(positions), all, 4)), 1);
      Operand slot = b.loadGm(i32, row_at(b, b.arg(slots), all, 4));
      guard(slot, keys);
      b.set(by_k() ? item.k : item.n, keys);
      b.set(item.w, row_at(b, b.arg(w), slot, plan.b_slot));
      b.set(item.a, row_at(b, item.a, by_k() ? Operand(item.outer) : all, of_token * plan.a_ld));
      b.set(item.c, row_at(b, item.c, by_k() ? all : Operand(item.outer), of_token * plan.c_ld));
    });
    give(item.w, [&] { return row_at(b, item.w, item.group, plan.b_group); });
    give(item.w, [&] { return row_at(b, item.w, item.column, by_k() ? size : plan.b_ld); });
  }

  // Numbers of a step are not to be trusted with addresses.
  void guard(Operand slot, Operand keys) {
    auto trap = [&] { b.emit(Op::Trap, DType::None, DType::None, {}, {1}); };
    b.when(Cmp::Ge, slot, plan.slots, trap);
    b.when(Cmp::Lt, slot, 0, trap);
    b.when(Cmp::Gt, keys, by_k() ? plan.k : plan.n, trap);
  }

  void one_tile(const Item &item, Reg row) {
    Operand m = b.min(tiles.m, b.sub(item.m, row));
    Operand from = row_at(b, item.a, row, plan.a_ld);
    Operand sum = l0c->produce();
    b.loop(0, item.k, chunk_k(), [&](Reg k) {
      Operand length = b.min(chunk_k(), b.sub(item.k, k));
      b.scope([&] { load_chunk(item, from, m, k, length); });
      Operand chunk = l1->consume();
      b.loop(0, length, tiles.k, [&](Reg step) {
        multiply(sum, chunk, m, item.n, k, step, b.min(tiles.k, b.sub(length, step)));
      });
      l1->release();
    });
    l0c->filled();
    Operand done = l0c->consume();
    Fix how;
    if (plan.factors)
      how.scale = factors_fb, how.perColumn = true;
    b.fixGm(f32, f32, row_at(b, item.c, row, plan.c_ld), done, m, item.n, plan.c_ld, how);
    l0c->release();
  }

  void load_factors(const Item &item) {
    order(device, b, Pipe::FIX, Pipe::MTE2); // which reads those of the item before
    b.ldL1(factors_l1, b.add(item.w, strip_numbers()), tiles.n * 4);
    order(device, b, Pipe::MTE2, Pipe::FIX);
    b.emit(Op::LdFb, DType::None, DType::None, {}, {factors_fb, factors_l1, tiles.n * 4});
  }

  void load_chunk(const Item &item, Operand from, Operand m, Reg k, Operand length) {
    Operand to = l1->produce(), to_b = b.add(to, bytes_a());
    for (uint64_t part = 0; part < plan.parts; ++part)
      load_rows(b.add(to, part * bytes_part()),
                b.add(b.add(from, b.mul(k, size)), part * plan.a_part), m, length, plan.a_ld,
                tiles.m, chunk_k());
    if (packed())
      load_packed(to_b, item.w, k, length);
    else if (by_k())
      load_rows(to_b, row_at(b, item.w, k, plan.b_ld), length, item.n, plan.b_ld, chunk_k(),
                tiles.n);
    else
      load_rows(to_b, b.add(item.w, b.mul(k, size)), item.n, length, plan.b_ld, tiles.n, chunk_k());
    l1->filled();
  }

  // rows x cols into room for most_rows x most_cols.
  void load_rows(Operand to, Operand from, Operand count, Operand cols, uint64_t ld,
                 uint64_t most_rows, uint64_t most_cols) {
    if (rows_in_l1)
      b.ldL1(to, from, b.mul(cols, size), count, ld, most_cols * size, true);
    else
      b.ldL1Nd(plan.type, to, from, count, cols, ld, most_rows);
  }

  void load_packed(Operand to, Operand from, Reg k, Operand length) {
    if (rows_in_l1)
      return b.ldL1(to, b.add(from, b.mul(k, size)), b.mul(length, size), tiles.n,
                    k_packed() * size, chunk_k() * size, true);
    Operand blocks = b.div(b.add(length, 32 / size - 1), 32 / size);
    b.ldL1(to, b.add(from, b.mul(k, size * tiles.n)), b.mul(blocks, tiles.n * 32));
  }

  // Begin of column k of what load_rows or load_packed has put into L1.
  Operand column_at(Operand base, Operand k, uint64_t pitch) {
    return b.add(base, rows_in_l1 ? b.mul(k, size) : b.mul(k, pitch * size));
  }

  void load_l0b(Operand chunk, Reg step, Operand n, Operand length) {
    Operand to = l0b->produce();
    uint64_t pitch = by_k() ? (rows_in_l1 ? tiles.n * size : chunk_k())
                            : (rows_in_l1 ? chunk_k() * size : tiles.n);
    Operand from = by_k() ? b.add(chunk, b.mul(step, rows_in_l1 ? pitch : 32))
                          : column_at(chunk, step, tiles.n);
    b.ldL0b(plan.type, to, from, length, n, pitch, by_k());
  }

  // All parts of a meet a tile of b.
  void multiply(Operand sum, Operand chunk, Operand m, Operand n, Reg k, Reg step, Operand length) {
    b.scope([&] { load_l0b(b.add(chunk, bytes_a()), step, n, length); });
    l0b->filled();
    Operand from_b = l0b->consume();
    for (uint64_t part = 0; part < plan.parts; ++part) {
      b.scope([&] {
        b.ldL0a(plan.type, l0a->produce(),
                column_at(b.add(chunk, part * bytes_part()), step, tiles.m), m, length,
                rows_in_l1 ? chunk_k() * size : tiles.m);
      });
      l0a->filled();
      Operand from_a = l0a->consume();
      auto emit = [&](bool accumulate) {
        b.mmad(plan.type, plan.type, sum, from_a, from_b, m, n, length,
               {.accumulate = accumulate, .unit = false, .bias = {}});
      };
      if (part > 0)
        emit(true);
      else
        b.when(
            Cmp::Eq, b.add(k, step), 0, [&] { emit(false); }, [&] { emit(true); });
      l0a->release();
    }
    l0b->release();
  }

  const Device &device;
  const ProductPlan &plan;
  const ProductTiles tiles;
  KernelBuilder kernel;
  CoreBuilder &b;
  const uint64_t size;
  const bool rows_in_l1;
  unsigned a = 0, w = 0, c = 0, offsets = 0, active = 0, slots = 0, positions = 0, rows = 0,
           first = 0;
  std::optional<Ring> l1, l0a, l0b, l0c;
  Buffer factors_l1, factors_fb;
};

} // namespace

Result<Kernel> product(const Device &device, const ProductPlan &plan) {
  NPU_ASSIGN_OR_RETURN(ProductTiles tiles, product_tiles(device, plan));
  return Product(device, plan, tiles).build();
}

} // namespace npu::kernels
