// Tiles of C go round the blocks. For each, chunks of A and B come through L1 (two in flight),
// tiles of them through L0A and L0B (two in flight), and the sum stays in L0C until all of k is in
// it.
#include "programs/gemm.h"

namespace npu {
namespace {

class Gemm {
public:
  Gemm(const Device &device, const GemmPlan &plan)
      : plan(plan), kernel(device, "gemm"), b(kernel.aic()),
        sumType(device.cube.find(plan.type, plan.type) ? device.cube.find(plan.type, plan.type)->c
                                                       : DType::F32) {}

  Result<Kernel> build() {
    if (plan.k % chunkK() || plan.tileM % 16 || plan.tileN % 16 ||
        ceilDiv(plan.m, plan.tileM) % plan.groupRows)
      return error("gemm: tiles must be multiples of 16, k of ", chunkK(),
                   ", and rows of tiles of ", plan.groupRows);
    if (!plan.areaM != !plan.areaN || !plan.parts)
      return error("gemm: an area needs rows and columns, and A a part");
    declare();
    makeBuffers();
    if (plan.areaM)
      areaOfBlock();
    else
      tilesInTurn();
    l1->close();
    l0a->close();
    l0b->close();
    for (std::optional<Channel> *channel : {&l0c, &scaleA, &scaleB})
      if (*channel)
        (*channel)->close();
    return kernel.finish();
  }

private:
  static uint64_t ceilDiv(uint64_t a, uint64_t b) { return (a + b - 1) / b; }
  uint64_t bytes(uint64_t elements) const { return bytesOf(plan.type, elements); }
  uint64_t chunkK() const { return uint64_t{plan.tileK} * plan.stepK; }
  uint64_t bytesA() const { return bytes(plan.tileM * chunkK()); }
  uint64_t bytesB() const { return bytes(plan.tileN * chunkK()); }
  uint64_t scaleRow() const { return (chunkK() / 32 + 31) / 32 * 32; } // in L1
  uint64_t scaleBytes(uint64_t rows) const { return rows * scaleRow(); }

  void declare() {
    a = b.arg(kernel.buffer("a", ArgAccess::Read, bytes(plan.m * plan.k)));
    w = b.arg(kernel.buffer("b", ArgAccess::Read, bytes(plan.n * plan.k)));
    c = b.arg(kernel.buffer("c", ArgAccess::Write, bytesOf(plan.out, plan.m * plan.n)));
    if (!plan.blockScales)
      return;
    sa = b.arg(kernel.buffer("sa", ArgAccess::Read, plan.m * plan.k / 32));
    sb = b.arg(kernel.buffer("sb", ArgAccess::Read, plan.n * plan.k / 32));
  }

  void makeBuffers() {
    uint64_t scales = plan.blockScales ? scaleBytes(plan.tileM) + scaleBytes(plan.tileN) : 0;
    l1.emplace(b, Space::L1, bytesA() + bytesB() + scales, Pipe::MTE2, Pipe::MTE1, plan.slotsL1,
               "chunk");
    l0a.emplace(b, Space::L0A, bytes(plan.tileM * plan.tileK), Pipe::MTE1, Pipe::M, plan.slotsL0,
                "a");
    l0b.emplace(b, Space::L0B, bytes(plan.tileN * plan.tileK), Pipe::MTE1, Pipe::M, plan.slotsL0,
                "b");
    if (plan.unitFlag)
      sum = b.allocate(Space::L0C, uint64_t{plan.tileM} * plan.tileN * 4, "c");
    else
      l0c.emplace(b, Space::L0C, uint64_t{plan.tileM} * plan.tileN * 4, Pipe::M, Pipe::FIX, 1, "c");
    if (plan.blockScales) {
      scaleA.emplace(b, Space::MXA, plan.tileM * plan.tileK / 32, Pipe::MTE1, Pipe::M, plan.slotsL0,
                     "sa");
      scaleB.emplace(b, Space::MXB, plan.tileN * plan.tileK / 32, Pipe::MTE1, Pipe::M, plan.slotsL0,
                     "sb");
    }
  }

  void tilesInTurn() {
    Operand tiles = ceilDiv(plan.m, plan.tileM) * ceilDiv(plan.n, plan.tileN);
    Operand block = b.id(Id::Block), blocks = b.id(Id::Blocks);
    b.loop(block, tiles, blocks, [&](Reg tile) {
      placeInTurn(tile);
      oneTile(plan.m, plan.n);
    });
  }

  void areaOfBlock() {
    uint64_t part = ceilDiv(plan.m, plan.parts), areas = ceilDiv(part, plan.areaM);
    Operand block = b.id(Id::Block);
    Operand down = b.mul(b.rem(block, areas), plan.areaM);
    Operand across = b.mul(b.div(block, areas), plan.areaN);
    Operand endN = b.min(plan.n, b.add(across, plan.areaN));
    b.loop(0, plan.m, part, [&](Reg first) {
      Operand begin = b.add(first, down);
      Operand endM = b.min(b.min(plan.m, b.add(first, part)), b.add(begin, plan.areaM));
      auto overRows = [&](const auto &body) { b.loop(begin, endM, plan.tileM, body); };
      auto overColumns = [&](const auto &body) { b.loop(across, endN, plan.tileN, body); };
      auto tile = [&](Reg row, Reg column) {
        row0 = row, column0 = column;
        oneTile(endM, endN);
      };
      if (plan.alongRows)
        overRows([&](Reg row) { overColumns([&](Reg column) { tile(row, column); }); });
      else
        overColumns([&](Reg column) { overRows([&](Reg row) { tile(row, column); }); });
    });
  }

  void placeInTurn(Reg tile) {
    uint64_t perGroup = plan.groupRows * ceilDiv(plan.n, plan.tileN);
    Operand inGroup = b.rem(tile, perGroup);
    Operand row =
        b.add(b.mul(b.div(tile, perGroup), plan.groupRows), b.rem(inGroup, plan.groupRows));
    Operand column = b.div(inGroup, plan.groupRows);
    row0 = b.mul(row, plan.tileM);
    column0 = b.mul(column, plan.tileN);
  }

  // The tile at row0 and column0 of what ends at endM and endN.
  void oneTile(Operand endM, Operand endN) {
    rows = b.min(plan.tileM, b.sub(endM, row0));
    columns = b.min(plan.tileN, b.sub(endN, column0));
    Operand target = l0c ? l0c->produce() : Operand(sum);
    b.loop(0, plan.k, chunkK(), [&](Reg k) {
      b.scope([&] { loadChunk(k); });
      Operand chunk = l1->consume();
      b.loop(0, plan.stepK, 1, [&](Reg step) { multiply(target, chunk, k, step); });
      l1->release();
    });
    b.scope([&] { takeOut(target); });
  }

  void loadChunk(Reg k) {
    Operand inRow = b.div(b.mul(k, bitsOf(plan.type)), 8);
    Operand slot = l1->produce();
    Operand rowA = b.add(a, b.add(b.mul(row0, bytes(plan.k)), inRow));
    b.ldL1Nd(plan.type, slot, rowA, rows, chunkK(), bytes(plan.k), plan.tileM);
    Operand slotB = b.add(slot, bytesA());
    if (plan.kByN) {
      Operand inRowB = b.div(b.mul(column0, bitsOf(plan.type)), 8);
      Operand fromB = b.add(w, b.add(b.mul(k, bytes(plan.n)), inRowB));
      b.ldL1Nd(plan.type, slotB, fromB, chunkK(), columns, bytes(plan.n), chunkK());
    } else {
      Operand fromB = b.add(w, b.add(b.mul(column0, bytes(plan.k)), inRow));
      b.ldL1Nd(plan.type, slotB, fromB, columns, chunkK(), bytes(plan.k), plan.tileN);
    }
    if (plan.blockScales) {
      Operand scaleRow = b.div(k, 32);
      Operand fromA = b.add(sa, b.add(b.mul(row0, plan.k / 32), scaleRow));
      Operand fromB = b.add(sb, b.add(b.mul(column0, plan.k / 32), scaleRow));
      loadScales(b.add(slot, bytesA() + bytesB()), fromA, rows);
      loadScales(b.add(slot, bytesA() + bytesB() + scaleBytes(plan.tileM)), fromB, columns);
    }
    l1->filled();
  }

  // Scales of a chunk, as rows of whole blocks.
  void loadScales(Operand to, Operand from, Operand count) {
    b.ldL1(to, from, chunkK() / 32, count, plan.k / 32, scaleRow(), true);
  }

  void multiply(Operand target, Operand chunk, Reg k, Reg step) {
    // zN in L1: column blocks of 32 bytes, a tile high.
    Operand columnBlocks = b.mul(step, bytes(plan.tileK) / 32);
    Operand toA = l0a->produce();
    b.ldL0a(plan.type, toA, b.add(chunk, b.mul(columnBlocks, plan.tileM * 32)), rows, plan.tileK,
            plan.tileM);
    l0a->filled();
    Operand toB = l0b->produce();
    // Of B that is K x N, steps are rows of its blocks.
    Operand inB = plan.kByN ? b.mul(step, plan.tileK * 32) : b.mul(columnBlocks, plan.tileN * 32);
    b.ldL0b(plan.type, toB, b.add(b.add(chunk, bytesA()), inB), plan.tileK, columns,
            plan.kByN ? Operand(chunkK()) : Operand(plan.tileN), plan.kByN);
    l0b->filled();
    if (plan.blockScales)
      stageScales(chunk, step);
    Operand fromA = l0a->consume(), fromB = l0b->consume();
    Operand done = b.add(k, step);
    auto emit = [&](bool accumulate) {
      if (plan.blockScales)
        b.emit(Op::MmadMx, plan.type, plan.type,
               {accumulate ? "acc" : "", plan.unitFlag ? "unit" : ""},
               {target, fromA, fromB, scaleFromA, scaleFromB, rows, columns, plan.tileK});
      else
        b.mmad(plan.type, plan.type, target, fromA, fromB, rows, columns, plan.tileK,
               {.accumulate = accumulate, .unit = plan.unitFlag, .bias = {}});
    };
    b.when(
        Cmp::Eq, done, 0, [&] { emit(false); }, [&] { emit(true); });
    l0a->release();
    l0b->release();
    if (plan.blockScales) {
      scaleA->release();
      scaleB->release();
    }
  }

  void stageScales(Operand chunk, Reg step) {
    Operand begin = b.add(b.add(chunk, bytesA() + bytesB()), b.mul(step, plan.tileK / 32));
    auto stage = [&](Channel &channel, Op op, Operand from, Operand count) {
      Operand to = channel.produce();
      b.emit(op, DType::None, DType::None, {}, {to, from, count, plan.tileK / 32, scaleRow()});
      channel.filled();
      return channel.consume();
    };
    scaleFromA = stage(*scaleA, Op::LdMxa, begin, rows);
    scaleFromB = stage(*scaleB, Op::LdMxb, b.add(begin, scaleBytes(plan.tileM)), columns);
  }

  void takeOut(Operand source) {
    if (l0c) {
      l0c->filled();
      l0c->consume();
    }
    uint64_t rowBytes = bytesOf(plan.out, plan.n);
    Operand to = b.add(c, b.add(b.mul(row0, rowBytes), b.mul(column0, bytesOf(plan.out, 1))));
    b.fixGm(sumType, plan.out, to, source, rows, columns, rowBytes, {.unit = plan.unitFlag});
    if (l0c)
      l0c->release();
  }

  const GemmPlan &plan;
  KernelBuilder kernel;
  CoreBuilder &b;
  DType sumType;
  std::optional<Channel> l1, l0a, l0b, l0c, scaleA, scaleB;
  Buffer sum;
  Operand a = 0, w = 0, c = 0, sa = 0, sb = 0, scaleFromA = 0, scaleFromB = 0;
  Operand row0 = 0, column0 = 0, rows = 0, columns = 0;
};

} // namespace

Result<Kernel> gemm(const Device &device, const GemmPlan &plan) {
  return Gemm(device, plan).build();
}

} // namespace npu
