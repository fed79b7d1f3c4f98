// Elementwise steps. A core takes tiles of some rows by some columns; a ring brings each input in
// and one takes the result out, so that transfers and the vector unit overlap.
#include "kernels/kernels.h"

namespace npu::kernels {
namespace {

class Map {
public:
  Map(const Device &device, const MapPlan &plan)
      : device(device), plan(plan), kernel(device, "map"), b(vector_core(kernel)) {}

  Result<Kernel> build() {
    for (size_t i = 0; i < plan.inputs.size(); ++i)
      arguments.push_back(b.arg(kernel.buffer(text("in", i), ArgAccess::Read, 0)));
    out = b.arg(kernel.buffer("out", ArgAccess::Write, 0));
    rows = b.arg(kernel.scalar("rows"));
    choose_tile();
    make_rings();
    uint64_t across = ceil_div(plan.cols, tile_cols);
    Operand down = b.div(b.add(rows, tile_rows - 1), tile_rows);
    share_out(b, b.mul(down, across), [&](Reg item) { one_tile(item, across); });
    for (auto &ring : rings)
      ring->close();
    result->close();
    return kernel.finish();
  }

private:
  // As much as two buffers for each matrix, and one for what is in between, leave room for.
  void choose_tile() {
    uint64_t bytes = 2 * parts() * bitsOf(plan.output.type) / 8 + 4;
    for (const MapPlan::Matrix &input : plan.inputs)
      bytes += 2 * bitsOf(input.type) / 8;
    uint64_t elements = std::min<uint64_t>(4096, b.freeBytes(Space::UB) * 9 / 10 / bytes);
    tile_cols = std::min(round_up(plan.cols, 16), elements / 16 * 16);
    tile_rows = std::max<uint64_t>(1, elements / tile_cols);
  }

  uint64_t parts() const { return plan.op == MapOp::Split ? 2 : 1; }
  uint64_t part_bytes() const { return round_up(tile_rows * pitch(plan.output.type), 64); }
  uint64_t pitch(DType type) const { return bytesOf(type, tile_cols); }

  void make_rings() {
    for (const MapPlan::Matrix &input : plan.inputs)
      rings.push_back(std::make_unique<Ring>(device, b, Space::UB, tile_rows * pitch(input.type),
                                             Pipe::MTE2, Pipe::V, "in"));
    result.emplace(device, b, Space::UB, parts() * part_bytes(), Pipe::V, Pipe::MTE3, "out");
    if (plan.op == MapOp::Round)
      rounding.emplace(b);
    between = b.allocate(Space::UB, tile_rows * pitch(f32), "between");
  }

  void one_tile(Reg item, uint64_t across) {
    Operand row = b.mul(b.div(item, across), tile_rows);
    Operand col = b.mul(b.rem(item, across), tile_cols);
    Operand m = b.min(tile_rows, b.sub(rows, row)), n = b.min(tile_cols, b.sub(plan.cols, col));
    std::vector<Operand> from;
    for (size_t i = 0; i < rings.size(); ++i)
      b.scope([&] { load(i, row, col, m, n); });
    for (auto &ring : rings)
      from.push_back(ring->consume());
    Operand to = result->produce();
    compute(to, from, m, n);
    result->filled();
    for (auto &ring : rings)
      ring->release();
    b.scope([&] { store(row, col, m, n); });
  }

  Operand place(const MapPlan::Matrix &matrix, Operand base, Operand row, Operand col) {
    return b.add(row_at(b, base, row, matrix.ld), b.mul(col, bitsOf(matrix.type) / 8));
  }

  void load(size_t i, Operand row, Operand col, Operand m, Operand n) {
    const MapPlan::Matrix &input = plan.inputs[i];
    Operand to = rings[i]->produce();
    b.ldUb(to, place(input, arguments[i], row, col), b.mul(n, bitsOf(input.type) / 8),
           input.ld ? m : Operand(1), input.ld, pitch(input.type), true);
    rings[i]->filled();
  }

  void store(Operand row, Operand col, Operand m, Operand n) {
    Operand from = result->consume();
    unsigned size = bitsOf(plan.output.type) / 8;
    for (uint64_t part = 0; part < parts(); ++part)
      b.stGm(b.add(place(plan.output, out, row, col), part * plan.cols * size),
             b.add(from, part * part_bytes()), b.mul(n, size), m, pitch(plan.output.type),
             plan.output.ld);
    result->release();
  }

  int64_t stride(size_t i) const { return plan.inputs[i].ld ? pitch(plan.inputs[i].type) : 0; }

  void compute(Operand to, const std::vector<Operand> &from, Operand m, Operand n) {
    Tile tile{.rows = m, .cols = n, .ldd = pitch(plan.output.type), .lda = stride(0)};
    switch (plan.op) {
    case MapOp::Copy: return copy(to, from[0], tile);
    case MapOp::Scale:
      return b.withScalar(Op::Vmuls, f32, to, from[0], Operand::number(plan.factor), tile);
    case MapOp::Add:
      tile.ldb = stride(1);
      return b.binary(Op::Vadd, f32, to, from[0], from[1], tile);
    case MapOp::Swiglu: return swiglu(to, from[0], from[1], tile);
    case MapOp::Split: return split(to, from[0], tile);
    case MapOp::Round: return rounding->apply(to, from[0], tile);
    }
  }

  void copy(Operand to, Operand from, const Tile &tile) {
    DType in = plan.inputs[0].type, made = plan.output.type;
    if (in == made)
      return b.unary(Op::Vcopy, in, to, from, tile);
    // A number beyond f16 becomes its largest, not infinity.
    b.emit(Op::Vcast, in, made, {made == f16 ? "sat" : ""},
           {to, from, static_cast<int>(Round::Rint), tile.rows, tile.cols, tile.ldd, tile.lda});
  }

  void split(Operand to, Operand from, Tile tile) {
    const DType type = plan.output.type;
    Tile back = tile, rest = tile;
    back.lda = tile.ldd, back.ldd = rest.ldd = rest.ldb = pitch(f32);
    b.cast(f32, type, to, from, tile);
    b.cast(type, f32, between, to, back);
    b.binary(Op::Vsub, f32, between, from, between, rest);
    rest.lda = rest.ldd, rest.ldd = tile.ldd;
    b.cast(f32, type, b.add(to, part_bytes()), between, rest);
  }

  // gate * e^min(gate, 0) / (1 + e^-|gate|) * up: no exponent grows beyond 1.
  void swiglu(Operand to, Operand gate, Operand up, Tile tile) {
    const Operand one = Operand::number(1);
    Tile inside = tile;
    inside.lda = inside.ldb = inside.ldd;
    b.withScalar(Op::Vmins, f32, between, gate, Operand::number(0), tile);
    b.unary(Op::Vexp, f32, between, between, inside);
    tile.ldb = inside.ldd;
    b.binary(Op::Vmul, f32, between, gate, between, tile);
    b.unary(Op::Vabs, f32, to, gate, tile);
    b.withScalar(Op::Vmuls, f32, to, to, Operand::number(-1), inside);
    b.unary(Op::Vexp, f32, to, to, inside);
    b.withScalar(Op::Vadds, f32, to, to, one, inside);
    b.binary(Op::Vdiv, f32, to, between, to, inside);
    inside.ldb = stride(1);
    b.binary(Op::Vmul, f32, to, to, up, inside);
  }

  const Device &device;
  const MapPlan &plan;
  KernelBuilder kernel;
  CoreBuilder &b;
  std::vector<Operand> arguments;
  Operand out = 0, rows = 0;
  uint64_t tile_rows = 1, tile_cols = 16;
  std::vector<std::unique_ptr<Ring>> rings;
  std::optional<Ring> result;
  std::optional<RoundToBf16> rounding;
  Buffer between;
};

} // namespace

Result<Kernel> map(const Device &device, const MapPlan &plan) { return Map(device, plan).build(); }

} // namespace npu::kernels
