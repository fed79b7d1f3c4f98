#include "builder/builder.h"

namespace npu {

KernelBuilder::KernelBuilder(const Device &device, std::string name) : device(device) {
  kernel.name = std::move(name);
}

unsigned KernelBuilder::buffer(std::string name, ArgAccess access, uint64_t bytes) {
  kernel.args.push_back({std::move(name), ArgKind::Buffer, access, bytes});
  return static_cast<unsigned>(kernel.args.size()) - 1;
}

unsigned KernelBuilder::scalar(std::string name) {
  kernel.args.push_back({std::move(name), ArgKind::Scalar, ArgAccess::Read, 0});
  return static_cast<unsigned>(kernel.args.size()) - 1;
}

Result<Kernel> KernelBuilder::finish() {
  for (CoreBuilder *builder : {&cube, &vectors}) {
    if (!builder->code.empty())
      builder->emit(Op::End, DType::None, DType::None, {}, {});
    (builder->kind == CoreKind::Aic ? kernel.aic : kernel.aiv) = std::move(builder->code);
    kernel.buffers.insert(kernel.buffers.end(), builder->buffers.begin(), builder->buffers.end());
  }
  if (!failure.empty())
    return error("kernel '", kernel.name, "': ", failure);
  Module module{device.name, {std::move(kernel)}};
  NPU_RETURN_IF_ERROR(verify(module));
  NPU_RETURN_IF_ERROR(fits(device, module.kernels[0]));
  return std::move(module.kernels[0]);
}

void CoreBuilder::fail(std::string problem) {
  if (kernel.failure.empty())
    kernel.failure = text(".", name(kind), " #", code.size(), ": ", problem);
}

void CoreBuilder::place(Instruction instruction) {
  if (instruction.pipe == Pipe::V)
    vectorBarrier(instruction);
  code.push_back(instruction);
  if (instruction.pipe == Pipe::V)
    noteVectorWrites(instruction);
}

void CoreBuilder::emit(Op op, DType type, DType type2,
                       std::initializer_list<std::string_view> flags,
                       std::initializer_list<Operand> operands) {
  const OpInfo &info = infoOf(op);
  Instruction in;
  in.op = op, in.type = type, in.type2 = type2;
  for (std::string_view flag : flags)
    in.flags |= info.flag(flag);
  unsigned i = 0;
  for (const Operand &operand : operands) {
    if (i == info.operands.size())
      return fail(text(info.mnemonic, " takes ", info.operands.size(), " operands"));
    in.operands[i] = operand.value();
    in.registers |= static_cast<uint16_t>(operand.isRegister()) << i;
    ++i;
  }
  for (; i < info.operands.size(); ++i) {
    if (!info.operands[i].fallback)
      return fail(text(info.mnemonic, " lacks operand ", info.operands[i].name));
    in.operands[i] = *info.operands[i].fallback;
  }
  in.pipe =
      info.pipe == Pipe::NAMED ? static_cast<Pipe>(in.operands[info.pipeOperand()]) : info.pipe;
  place(in);
}

static int64_t choice(auto value) { return static_cast<int64_t>(value); }

Reg CoreBuilder::reg() {
  for (unsigned i = 0; i < numRegisters; ++i)
    if (!registersUsed[i]) {
      registersUsed[i] = true;
      return {static_cast<uint8_t>(i)};
    }
  fail("all registers are in use; end a scope earlier");
  return {};
}

Reg CoreBuilder::copy(Operand value) {
  Reg target = reg();
  set(target, value);
  return target;
}

void CoreBuilder::set(Reg target, Operand value) {
  emit(Op::SMov, DType::None, DType::None, {}, {target, value});
}

static std::optional<int64_t> folded(Op op, Operand a, Operand b) {
  if (a.isRegister() || b.isRegister())
    return std::nullopt;
  int64_t x = a.value(), y = b.value();
  switch (op) {
  case Op::SAdd: return x + y;
  case Op::SSub: return x - y;
  case Op::SMul: return x * y;
  case Op::SMin: return std::min(x, y);
  case Op::SMax: return std::max(x, y);
  case Op::SDiv: return y ? std::optional(x / y) : std::nullopt;
  case Op::SRem: return y ? std::optional(x % y) : std::nullopt;
  default: return std::nullopt;
  }
}

Operand CoreBuilder::arithmetic(Op op, Operand a, Operand b) {
  if (std::optional<int64_t> value = folded(op, a, b))
    return Operand(*value);
  bool zero = !b.isRegister() && b.value() == 0, one = !b.isRegister() && b.value() == 1;
  if ((zero && (op == Op::SAdd || op == Op::SSub)) || (one && (op == Op::SMul || op == Op::SDiv)))
    return a;
  Reg target = reg();
  emit(op, DType::None, DType::None, {}, {target, a, b});
  return target;
}

void CoreBuilder::update(Op op, Reg target, Operand by) {
  emit(op, DType::None, DType::None, {}, {target, target, by});
}

Operand CoreBuilder::arg(unsigned index) {
  Reg target = reg();
  emit(Op::SLdArg, DType::None, DType::None, {}, {target, index});
  return target;
}

Operand CoreBuilder::workspace() { return arg(static_cast<unsigned>(kernel.kernel.args.size())); }

Operand CoreBuilder::id(Id what) {
  Reg target = reg();
  emit(Op::SId, DType::None, DType::None, {}, {target, choice(what)});
  return target;
}

Operand CoreBuilder::loadGm(DType type, Operand address) {
  Reg target = reg();
  emit(Op::SLdGm, type, DType::None, {}, {target, address});
  return target;
}

Operand CoreBuilder::loadUb(DType type, Operand address) {
  Reg target = reg();
  emit(Op::SLdUb, type, DType::None, {}, {target, address});
  return target;
}

size_t CoreBuilder::branch(Op op, std::initializer_list<Operand> operands) {
  emit(op, DType::None, DType::None, {}, operands);
  return code.size() - 1;
}

void CoreBuilder::land(size_t branch) {
  code[branch].operands[code[branch].op == Op::BIf ? 3 : 0] = static_cast<int64_t>(code.size());
  forgetVectorWrites();
}

static Cmp opposite(Cmp how) {
  constexpr Cmp table[] = {Cmp::Ne, Cmp::Eq, Cmp::Ge, Cmp::Gt, Cmp::Le, Cmp::Lt};
  return table[static_cast<unsigned>(how)];
}

void CoreBuilder::loop(Operand from, Operand to, Operand step,
                       const std::function<void(Reg)> &body) {
  scope([&] {
    Reg i = copy(from);
    int64_t top = static_cast<int64_t>(code.size());
    forgetVectorWrites();
    size_t out = branch(Op::BIf, {choice(Cmp::Ge), i, to, 0});
    scope([&] { body(i); });
    update(Op::SAdd, i, step);
    branch(Op::B, {top});
    land(out);
  });
}

void CoreBuilder::when(Cmp how, Operand a, Operand b, const std::function<void()> &then,
                       const std::function<void()> &otherwise) {
  size_t over = branch(Op::BIf, {choice(opposite(how)), a, b, 0});
  scope(then);
  if (!otherwise)
    return land(over);
  size_t out = branch(Op::B, {0});
  land(over);
  scope(otherwise);
  land(out);
}

void CoreBuilder::scope(const std::function<void()> &body) {
  auto registers = registersUsed;
  auto memory = memoryUsed;
  body();
  registersUsed = registers;
  memoryUsed = memory;
}

Buffer CoreBuilder::allocate(Space space, uint64_t bytes, std::string_view bufferName) {
  const MemorySpec &spec = kernel.device.spec(space);
  uint64_t &used = memoryUsed[static_cast<unsigned>(spec.same)];
  uint64_t begin = (used + spec.align - 1) / spec.align * spec.align;
  if (begin + bytes > spec.bytes)
    fail(text(bufferName, " takes ", bytes, " bytes of ", name(space), ", ",
              spec.bytes - std::min(begin, spec.bytes), " of ", spec.bytes,
              " are left; use smaller tiles"));
  used = begin + bytes;
  buffers.push_back({std::string(bufferName), kind, space, begin, bytes});
  return {space, begin, bytes};
}

uint64_t CoreBuilder::freeBytes(Space space) const {
  const MemorySpec &spec = kernel.device.spec(space);
  return spec.bytes - memoryUsed[static_cast<unsigned>(spec.same)];
}

unsigned CoreBuilder::event(Pipe source, Pipe target) {
  uint8_t &used = eventsUsed[static_cast<unsigned>(source)][static_cast<unsigned>(target)];
  for (unsigned id = 0; id < kernel.device.sync.eventsPerPair; ++id)
    if (!(used >> id & 1)) {
      used |= 1u << id;
      return id;
    }
  fail(text("all events ", name(source), "->", name(target), " are in use; release one"));
  return 0;
}

void CoreBuilder::releaseEvent(Pipe source, Pipe target, unsigned id) {
  eventsUsed[static_cast<unsigned>(source)][static_cast<unsigned>(target)] &= ~(1u << id);
}

void CoreBuilder::setFlag(Pipe source, Pipe target, Operand id) {
  emit(Op::SetFlag, DType::None, DType::None, {}, {choice(source), choice(target), id});
}

void CoreBuilder::waitFlag(Pipe source, Pipe target, Operand id) {
  emit(Op::WaitFlag, DType::None, DType::None, {}, {choice(source), choice(target), id});
}

void CoreBuilder::sync(Pipe source, Pipe target) {
  unsigned events = kernel.device.sync.eventsPerPair;
  uint8_t used = eventsUsed[static_cast<unsigned>(source)][static_cast<unsigned>(target)];
  uint8_t &turn = eventTurn[static_cast<unsigned>(source)][static_cast<unsigned>(target)];
  for (unsigned i = 1; i <= events; ++i) {
    unsigned id = (turn + i) % events;
    if (used >> id & 1)
      continue;
    turn = static_cast<uint8_t>(id);
    setFlag(source, target, id);
    waitFlag(source, target, id);
    return;
  }
  fail(text("all events ", name(source), "->", name(target), " are in use; release one"));
}

void CoreBuilder::barrier(Pipe pipe) {
  emit(Op::PipeBarrier, DType::None, DType::None, {}, {choice(pipe)});
}
void CoreBuilder::barrierAll() {
  emit(Op::BarrierAll, DType::None, DType::None, {}, {});
  vectorWrites.clear();
  vectorWroteAnything = false;
}
void CoreBuilder::crossSet(Pipe pipe, unsigned mode, unsigned id) {
  emit(Op::Xset, DType::None, DType::None, {}, {choice(pipe), mode, id});
}
void CoreBuilder::crossWait(Pipe pipe, unsigned id) {
  emit(Op::Xwait, DType::None, DType::None, {}, {choice(pipe), id});
}
void CoreBuilder::syncAll() { emit(Op::SyncAll, DType::None, DType::None, {}, {}); }

void CoreBuilder::ldL1(Operand dst, Operand src, Operand bytes, Operand bursts, Operand srcStride,
                       Operand dstStride, bool pad) {
  emit(Op::LdL1, DType::None, DType::None, {pad ? "pad" : ""},
       {dst, src, bursts, bytes, srcStride, dstStride});
}
void CoreBuilder::ldL1Nd(DType type, Operand dst, Operand src, Operand rows, Operand cols,
                         Operand ld, Operand pitch, bool nocache) {
  emit(Op::LdL1Nd, type, DType::None, {nocache ? "nocache" : ""},
       {dst, src, rows, cols, ld, pitch});
}
void CoreBuilder::ldUb(Operand dst, Operand src, Operand bytes, Operand bursts, Operand srcStride,
                       Operand dstStride, bool pad, bool nocache) {
  emit(Op::LdUb, DType::None, DType::None, {pad ? "pad" : "", nocache ? "nocache" : ""},
       {dst, src, bursts, bytes, srcStride, dstStride});
}
void CoreBuilder::ldUbGather(Operand dst, Operand base, Operand index, Operand n, Operand rowBytes,
                             Operand rowStride, Operand tableRows, Operand dstStride) {
  emit(Op::LdUbGather, DType::None, DType::None, {},
       {dst, base, index, n, rowBytes, rowStride, tableRows, dstStride});
}
void CoreBuilder::ldL0a(DType type, Operand dst, Operand src, Operand m, Operand k, Operand pitch,
                        bool transposed) {
  emit(Op::LdL0a, type, DType::None, {transposed ? "t" : ""}, {dst, src, m, k, pitch});
}
void CoreBuilder::ldL0b(DType type, Operand dst, Operand src, Operand k, Operand n, Operand pitch,
                        bool transposed) {
  emit(Op::LdL0b, type, DType::None, {transposed ? "t" : ""}, {dst, src, k, n, pitch});
}
void CoreBuilder::mmad(DType a, DType b, Operand c, Operand addressA, Operand addressB, Operand m,
                       Operand n, Operand k, const MmadFlags &flags) {
  emit(Op::Mmad, a, b,
       {flags.accumulate ? "acc" : "", flags.bias ? "bias" : "", flags.unit ? "unit" : ""},
       {c, addressA, addressB, m, n, k, flags.bias.value_or(0)});
}

void CoreBuilder::fix(Op op, DType from, DType to, Operand dst, Operand c, Operand m, Operand n,
                      Operand ldd, const Fix &fix) {
  emit(op, from, to,
       {fix.perColumn ? "fb" : "", fix.relu ? "relu" : "", fix.nz ? "nz" : "",
        fix.unit ? "unit" : ""},
       {dst, c, m, n, ldd, fix.perColumn ? Operand::number(1.0f) : fix.scale,
        fix.perColumn ? fix.scale : Operand(0), fix.pitch});
}
void CoreBuilder::stGm(Operand dst, Operand src, Operand bytes, Operand bursts, Operand srcStride,
                       Operand dstStride) {
  emit(Op::StGm, DType::F32, DType::None, {}, {dst, src, bursts, bytes, srcStride, dstStride});
}
void CoreBuilder::stGmScatter(Operand base, Operand src, Operand index, Operand n, Operand rowBytes,
                              Operand rowStride, Operand tableRows, Operand srcStride) {
  emit(Op::StGmScatter, DType::None, DType::None, {},
       {base, src, index, n, rowBytes, rowStride, tableRows, srcStride});
}
void CoreBuilder::binary(Op op, DType type, Operand dst, Operand a, Operand b, const Tile &tile,
                         bool blockB) {
  emit(op, type, DType::None, {blockB ? "blk" : ""},
       {dst, a, b, tile.rows, tile.cols, tile.ldd, tile.lda, tile.ldb});
}
void CoreBuilder::withScalar(Op op, DType type, Operand dst, Operand a, Operand scalar,
                             const Tile &tile) {
  emit(op, type, DType::None, {}, {dst, a, scalar, tile.rows, tile.cols, tile.ldd, tile.lda});
}
void CoreBuilder::unary(Op op, DType type, Operand dst, Operand a, const Tile &tile) {
  emit(op, type, DType::None, {}, {dst, a, tile.rows, tile.cols, tile.ldd, tile.lda});
}
void CoreBuilder::cast(DType from, DType to, Operand dst, Operand a, const Tile &tile,
                       Round round) {
  emit(Op::Vcast, from, to, {}, {dst, a, choice(round), tile.rows, tile.cols, tile.ldd, tile.lda});
}
void CoreBuilder::reduce(Op op, DType type, Operand dst, Operand a, Operand rows, Operand cols,
                         Operand lda) {
  emit(op, type, DType::None, {}, {dst, a, rows, cols, lda});
}
void CoreBuilder::fill(DType type, Operand dst, Operand scalar, const Tile &tile) {
  emit(Op::Vdup, type, DType::None, {}, {dst, scalar, tile.rows, tile.cols, tile.ldd});
}
void CoreBuilder::broadcastBlocks(DType type, Operand dst, Operand a, Operand n) {
  emit(Op::Vbrcb, type, DType::None, {}, {dst, a, n});
}

} // namespace npu
