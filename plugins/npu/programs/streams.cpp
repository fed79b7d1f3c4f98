#include "programs/streams.h"

namespace npu {
namespace {

// Which of its kind this core is.
Operand thisCore(CoreBuilder &b) {
  return b.add(b.mul(b.id(Id::Block), b.id(Id::Subs)), b.id(Id::Sub));
}

// Runs body(i) for the tiles of this core: one run of `count` for each core of its kind.
void overTiles(CoreBuilder &b, uint64_t count, const std::function<void(Reg)> &body) {
  Operand core = thisCore(b), cores = b.mul(b.id(Id::Blocks), b.id(Id::Subs));
  Operand each = b.div(b.sub(b.add(cores, count), 1), cores);
  Operand first = b.min(count, b.mul(core, each));
  b.loop(first, b.min(count, b.add(first, each)), 1, body);
}

} // namespace

Result<Kernel> addKernel(const Device &device, const AddPlan &plan) {
  KernelBuilder kernel(device, "add");
  CoreBuilder &b = device.aivPerGroup ? kernel.aiv() : kernel.aic();
  uint64_t bytes = bytesOf(plan.type, plan.count), tileBytes = bytesOf(plan.type, plan.tile);
  if (plan.count % plan.tile)
    return error("add: ", plan.count, " elements are not whole tiles of ", plan.tile);
  Operand x = b.arg(kernel.buffer("a", ArgAccess::Read, bytes));
  Operand y = b.arg(kernel.buffer("b", ArgAccess::Read, bytes));
  Operand z = b.arg(kernel.buffer("c", ArgAccess::Write, bytes));
  Channel in(b, Space::UB, 2 * tileBytes, Pipe::MTE2, Pipe::V, plan.slots, "in");
  Channel out(b, Space::UB, tileBytes, Pipe::V, Pipe::MTE3, plan.slots, "out");
  auto load = [&](Operand to, Operand from) {
    b.ldUb(to, from, tileBytes, 1, 0, 0, /*pad=*/false, plan.nocache);
  };
  overTiles(b, plan.count / plan.tile, [&](Reg i) {
    Operand place = b.mul(i, tileBytes);
    Operand to = in.produce();
    load(to, b.add(x, place));
    load(b.add(to, tileBytes), b.add(y, place));
    in.filled();
    Operand from = in.consume(), result = out.produce();
    b.binary(Op::Vadd, plan.type, result, from, b.add(from, tileBytes), {.cols = plan.tile});
    in.release();
    out.filled();
    b.stGm(b.add(z, place), out.consume(), tileBytes);
    out.release();
  });
  in.close();
  out.close();
  return kernel.finish();
}

Result<Kernel> bankKernel(const Device &device, const BankPlan &plan) {
  KernelBuilder kernel(device, "banks");
  CoreBuilder &b = device.aivPerGroup ? kernel.aiv() : kernel.aic();
  Buffer all = b.allocate(Space::UB, 192 * 1024, "all");
  b.fill(DType::F32, all, Operand::number(1.0f), {.rows = 192, .cols = 256});
  b.barrier(Pipe::V);
  b.sync(Pipe::V, Pipe::S);
  b.emit(Op::ProfMark, DType::None, DType::None, {}, {0});
  b.loop(0, 1000, 1, [&](Reg) {
    if (plan.block)
      b.binary(Op::Vadd, DType::F32, all.at(plan.c), all.at(plan.b), all.at(plan.a),
               {.rows = 64, .cols = 64, .ldb = plan.step}, true);
    else
      b.binary(Op::Vadd, DType::F32, all.at(plan.c), all.at(plan.a), all.at(plan.b),
               {.cols = 4096});
  });
  b.sync(Pipe::V, Pipe::S);
  b.emit(Op::ProfMark, DType::None, DType::None, {}, {1});
  return kernel.finish();
}

Result<Kernel> copyKernel(const Device &device, const CopyPlan &plan) {
  KernelBuilder kernel(device, "copy");
  bool onCube = plan.toL1 || !device.aivPerGroup;
  CoreBuilder &b = onCube ? kernel.aic() : kernel.aiv();
  uint64_t rowBytes = plan.cols * 2, tileBytes = plan.tileCols * 2;
  uint64_t across = plan.cols / plan.tileCols, tiles = plan.rows / plan.tileRows * across;
  Operand x = b.arg(kernel.buffer("a", ArgAccess::Read, plan.rows * rowBytes + plan.offset));
  Buffer slot = b.allocate(plan.toL1 ? Space::L1 : Space::UB, plan.tileRows * tileBytes, "tile");
  uint64_t cores = device.groups * (onCube ? device.aicPerGroup : device.aivPerGroup);
  auto body = [&](Operand i) {
    Operand place = b.add(b.mul(b.div(i, across), plan.tileRows * rowBytes),
                          b.mul(b.rem(i, across), tileBytes));
    Operand from = b.add(b.add(x, place), plan.offset);
    if (plan.toL1)
      b.ldL1Nd(DType::F16, slot, from, plan.tileRows, plan.tileCols, rowBytes, 0, plan.nocache);
    else
      b.ldUb(slot, from, tileBytes, plan.tileRows, rowBytes, tileBytes, false, plan.nocache);
  };
  b.loop(0, plan.repeats, 1, [&](Reg) {
    if (plan.order == CopyPlan::Order::Runs)
      return overTiles(b, tiles, body);
    bool staggered = plan.order == CopyPlan::Order::Staggered;
    Operand first = b.mul(thisCore(b), staggered ? tiles / cores : 0);
    b.loop(0, tiles, 1, [&](Reg i) { body(b.rem(b.add(first, i), tiles)); });
  });
  return kernel.finish();
}

Result<Kernel> sumKernel(const Device &device, unsigned rows, unsigned cols, bool halving) {
  KernelBuilder kernel(device, "sum");
  CoreBuilder &b = device.aivPerGroup ? kernel.aiv() : kernel.aic();
  Operand x = b.arg(kernel.buffer("a", ArgAccess::Read, uint64_t{rows} * cols * 4));
  Operand y = b.arg(kernel.buffer("sums", ArgAccess::Write, uint64_t{rows} * 4));
  uint64_t row = (uint64_t{cols} * 4 + 31) / 32 * 32;
  Buffer data = b.allocate(Space::UB, rows * row, "data");
  Buffer partial[2] = {b.allocate(Space::UB, cols / 16 + 64, "partial0"),
                       b.allocate(Space::UB, cols / 16 + 64, "partial1")};
  Buffer sums = b.allocate(Space::UB, (rows * 32 + 31) / 32 * 32, "sums");
  b.ldUb(data, x, uint64_t{cols} * 4, rows, 0, 0, true);
  b.emit(Op::ProfMark, DType::None, DType::None, {}, {0});
  b.sync(Pipe::MTE2, Pipe::V);
  for (unsigned r = 0; r < rows; ++r) {
    Buffer at = data.at(r * row);
    unsigned left = cols;
    while (halving && left > 64) {
      unsigned half = (left + 15) / 16 * 8;
      b.binary(Op::Vadd, DType::F32, at, at, at.at(half * 4), {.cols = left - half});
      left = half;
    }
    for (unsigned turn = 0; left > 64; turn ^= 1) {
      Buffer to = partial[turn];
      b.reduce(Op::Vrsum, DType::F32, to, at, left / 64, 64);
      if (left % 64)
        b.reduce(Op::Vrsum, DType::F32, to.at(left / 64 * 4), at.at(left / 64 * 256), 1, left % 64);
      left = (left + 63) / 64;
      at = to;
    }
    b.reduce(Op::Vrsum, DType::F32, sums.at(r * 4), at, 1, left);
  }
  b.sync(Pipe::V, Pipe::S);
  b.emit(Op::ProfMark, DType::None, DType::None, {}, {1});
  b.sync(Pipe::V, Pipe::MTE3);
  b.stGm(y, sums, uint64_t{rows} * 4);
  return kernel.finish();
}

} // namespace npu
