// Writes programs: registers, buffers, events and control flow are handed out here, so that a code
// generator says what is to be done and not where numbers lie.
//
//   KernelBuilder kernel(device, "double");
//   unsigned x = kernel.buffer("x", ArgAccess::ReadWrite, bytes);
//   CoreBuilder &b = kernel.aiv();
//   Operand gm = b.arg(x);
//   Buffer tile = b.allocate(Space::UB, 1024, "tile");
//   b.ldUb(tile, gm, 1024);
//   b.sync(Pipe::MTE2, Pipe::V);
//   b.withScalar(Op::Vmuls, DType::F32, tile, tile, Operand::number(2.0f), {.cols = 256});
//   ...
//   Result<Kernel> made = kernel.finish();
//
// The first thing that goes wrong (a memory that is full, no register left) is kept and comes out
// of finish(), so that calls in between need no checks.
#pragma once

#include "device/device.h"

#include <bit>
#include <functional>
#include <initializer_list>

namespace npu {

struct Reg {
  uint8_t number = 0;
};

// A piece of a core's memory.
struct Buffer {
  Space space = Space::UB;
  uint64_t offset = 0, bytes = 0;
  Buffer at(uint64_t begin) const { return {space, offset + begin, bytes - begin}; }
};

// A number known now, or a register that will hold it.
class Operand {
public:
  Operand(int value) : content(value) {}
  Operand(unsigned value) : content(value) {}
  Operand(long value) : content(value) {}
  Operand(unsigned long value) : content(static_cast<int64_t>(value)) {}
  Operand(Reg reg) : content(reg.number), registered(true) {}
  Operand(const Buffer &buffer) : content(static_cast<int64_t>(buffer.offset)) {}
  // What operands of kind num take: an f32 by its bits.
  static Operand number(float value) { return Operand(std::bit_cast<uint32_t>(value)); }

  bool isRegister() const { return registered; }
  int64_t value() const { return content; }

private:
  int64_t content;
  bool registered = false;
};

// Extents and strides of vector instructions; strides in bytes, -1 is dense rows of whole blocks.
struct Tile {
  Operand rows = 1, cols = 0;
  Operand ldd = -1, lda = -1, ldb = -1;
};

struct Fix {
  Operand scale = Operand::number(1.0f); // or, with `perColumn`, the FB address of n f32
  bool perColumn = false, relu = false, nz = false, unit = false;
  Operand pitch = 0;
};

struct MmadFlags {
  bool accumulate = false, unit = false;
  std::optional<Operand> bias; // address in the bias table
};

class KernelBuilder;

class CoreBuilder {
public:
  CoreBuilder(KernelBuilder &kernel, CoreKind kind) : kind(kind), kernel(kernel) {}
  CoreBuilder(const CoreBuilder &) = delete;

  // Any instruction by its table entry; operands in the table's order, those left out at the end
  // get their fallback. The calls below are this with names.
  void emit(Op op, DType type, DType type2, std::initializer_list<std::string_view> flags,
            std::initializer_list<Operand> operands);

  // Scalar values. What is known now is computed now; a register that is handed out lives until the
  // scope (the body of a loop, of an if, of scope()) ends.
  Reg reg();
  Reg copy(Operand value); // into a register of its own, to be changed with set()
  void set(Reg target, Operand value);
  Operand add(Operand a, Operand b) { return arithmetic(Op::SAdd, a, b); }
  Operand sub(Operand a, Operand b) { return arithmetic(Op::SSub, a, b); }
  Operand mul(Operand a, Operand b) { return arithmetic(Op::SMul, a, b); }
  Operand div(Operand a, Operand b) { return arithmetic(Op::SDiv, a, b); }
  Operand rem(Operand a, Operand b) { return arithmetic(Op::SRem, a, b); }
  Operand min(Operand a, Operand b) { return arithmetic(Op::SMin, a, b); }
  Operand max(Operand a, Operand b) { return arithmetic(Op::SMax, a, b); }
  Operand arithmetic(Op op, Operand a, Operand b);
  void update(Op op, Reg target, Operand by); // target = target op by
  Operand arg(unsigned index);
  Operand workspace();
  Operand id(Id what);
  Operand loadGm(DType type, Operand address);
  Operand loadUb(DType type, Operand address);

  // Control flow. `step` is a positive number or register.
  void loop(Operand from, Operand to, Operand step, const std::function<void(Reg)> &body);
  void when(Cmp how, Operand a, Operand b, const std::function<void()> &then,
            const std::function<void()> &otherwise = nullptr);
  void scope(const std::function<void()> &body); // also gives back memory that was allocated inside

  // Memory of the core.
  Buffer allocate(Space space, uint64_t bytes, std::string_view name);
  uint64_t freeBytes(Space space) const;

  // Flags. event() hands out an id for a pair of pipes; release() takes it back.
  unsigned event(Pipe source, Pipe target);
  void releaseEvent(Pipe source, Pipe target, unsigned id);
  void setFlag(Pipe source, Pipe target, Operand id);
  void waitFlag(Pipe source, Pipe target, Operand id);
  // Set and wait at once: target goes on behind source's work. Takes the free events in turn,
  // because an event must not be set again before the wait is known to have happened.
  void sync(Pipe source, Pipe target);
  void barrier(Pipe pipe);
  void barrierAll();
  void crossSet(Pipe pipe, unsigned mode, unsigned id);
  void crossWait(Pipe pipe, unsigned id);
  void syncAll();

  // Transfers, cube, vector: the operands are those of the reference page.
  void ldL1(Operand dst, Operand src, Operand bytes, Operand bursts = 1, Operand srcStride = 0,
            Operand dstStride = 0, bool pad = false);
  void ldL1Nd(DType type, Operand dst, Operand src, Operand rows, Operand cols, Operand ld,
              Operand pitch = 0, bool nocache = false);
  void ldUb(Operand dst, Operand src, Operand bytes, Operand bursts = 1, Operand srcStride = 0,
            Operand dstStride = 0, bool pad = false, bool nocache = false);
  void ldUbGather(Operand dst, Operand base, Operand index, Operand n, Operand rowBytes,
                  Operand rowStride, Operand tableRows, Operand dstStride = 0);
  void ldL0a(DType type, Operand dst, Operand src, Operand m, Operand k, Operand pitch,
             bool transposed = false);
  void ldL0b(DType type, Operand dst, Operand src, Operand k, Operand n, Operand pitch,
             bool transposed = false);
  void mmad(DType a, DType b, Operand c, Operand addressA, Operand addressB, Operand m, Operand n,
            Operand k, const MmadFlags &flags = {});
  void fixGm(DType from, DType to, Operand dst, Operand c, Operand m, Operand n, Operand ldd,
             const Fix &how = {}) {
    fix(Op::FixGm, from, to, dst, c, m, n, ldd, how);
  }
  void fixUb(DType from, DType to, Operand dst, Operand c, Operand m, Operand n, Operand ldd,
             const Fix &how = {}) {
    fix(Op::FixUb, from, to, dst, c, m, n, ldd, how);
  }
  void stGm(Operand dst, Operand src, Operand bytes, Operand bursts = 1, Operand srcStride = 0,
            Operand dstStride = 0);
  void stGmScatter(Operand base, Operand src, Operand index, Operand n, Operand rowBytes,
                   Operand rowStride, Operand tableRows, Operand srcStride = 0);
  void binary(Op op, DType type, Operand dst, Operand a, Operand b, const Tile &tile,
              bool blockB = false);
  void withScalar(Op op, DType type, Operand dst, Operand a, Operand scalar, const Tile &tile);
  void unary(Op op, DType type, Operand dst, Operand a, const Tile &tile);
  void cast(DType from, DType to, Operand dst, Operand a, const Tile &tile,
            Round round = Round::Rint);
  void reduce(Op op, DType type, Operand dst, Operand a, Operand rows, Operand cols,
              Operand lda = -1);
  void fill(DType type, Operand dst, Operand scalar, const Tile &tile);
  void broadcastBlocks(DType type, Operand dst, Operand a, Operand n);

  // Puts pipe_barrier V in front of vector instructions that may read what the pipe has written
  // since the last one. On by default where the device needs it.
  bool vectorBarriers = true;

  void fail(std::string problem);
  const CoreKind kind;

private:
  void fix(Op op, DType from, DType to, Operand dst, Operand c, Operand m, Operand n, Operand ldd,
           const Fix &fix);
  friend class KernelBuilder;
  void place(Instruction instruction);
  size_t branch(Op op, std::initializer_list<Operand> operands); // to be aimed with land()
  void land(size_t branch);                                      // at the next instruction
  void vectorBarrier(const Instruction &instruction);
  void noteVectorWrites(const Instruction &instruction);
  void forgetVectorWrites();

  KernelBuilder &kernel;
  std::vector<Instruction> code;
  std::vector<bool> registersUsed = std::vector<bool>(numRegisters);
  std::array<uint64_t, numSpaces> memoryUsed{};
  std::array<std::array<uint8_t, numPipes>, numPipes> eventsUsed{}, eventTurn{};
  struct Range {
    uint64_t begin, end;
  };
  std::vector<Range> vectorWrites;  // buffers the vector unit wrote since its last barrier
  bool vectorWroteAnything = false; // at a place that is not known now, or before a label
  std::vector<ScratchBuffer> buffers;
};

class KernelBuilder {
public:
  KernelBuilder(const Device &device, std::string name);

  // Arguments, in order; the number is what CoreBuilder::arg takes.
  unsigned buffer(std::string name, ArgAccess access, uint64_t bytes);
  unsigned scalar(std::string name);
  void workspace(uint64_t bytes) { kernel.workspaceBytes = bytes; }

  CoreBuilder &aic() { return cube; }
  CoreBuilder &aiv() { return vectors; }
  // Closes the code and checks it for the device.
  Result<Kernel> finish();

  const Device &device;

private:
  friend class CoreBuilder;
  Kernel kernel;
  CoreBuilder cube{*this, CoreKind::Aic}, vectors{*this, CoreKind::Aiv};
  std::string failure;
};

// Ping-pong from one pipe to another, or a ring of more slots of memory, each with a flag "filled"
// and a flag "free". Every slot is used in turn, on both sides, so a loop needs no unrolling:
// addresses and event ids go round in registers.
//
//   Channel tiles(b, Space::UB, bytes, Pipe::MTE2, Pipe::V, 2, "tiles");
//   b.loop(0, n, 1, [&](Reg i) {
//     Operand to = tiles.produce();   // MTE2 waits until the slot is free
//     b.ldUb(to, ...);
//     tiles.filled();
//     Operand from = tiles.consume(); // V waits until it is filled
//     b.unary(..., from, ...);
//     tiles.release();
//   });
//   tiles.close();
class Channel {
public:
  Channel(CoreBuilder &builder, Space space, uint64_t bytes, Pipe producer, Pipe consumer,
          unsigned slots, std::string_view name);
  Operand produce();
  void filled();
  Operand consume();
  void release();
  void close(); // takes back the flags; after the last release
  Operand address() const { return reading.address; } // what consume() gave

private:
  // A place in the ring: for one slot constants, for more registers.
  struct Side {
    Operand address = 0, ready = 0, free = 0;
  };
  Side sideAt();
  void turn(Side &side);
  void flip(const Operand &at, uint64_t first, uint64_t second);
  void advance(const Operand &at, Operand isLast, uint64_t first, uint64_t step);

  CoreBuilder &builder;
  Pipe producer, consumer;
  std::vector<Buffer> slots;
  std::vector<unsigned> readyEvents, freeEvents;
  Side writing, reading;
};

} // namespace npu
