// The scalar unit: arithmetic, control flow, loads and stores, waits for the core's pipes and for
// other cores.
#include "sim/core.h"

#include <cstring>

namespace npu {

namespace {

bool compare(Cmp how, int64_t a, int64_t b) {
  switch (how) {
  case Cmp::Eq: return a == b;
  case Cmp::Ne: return a != b;
  case Cmp::Lt: return a < b;
  case Cmp::Le: return a <= b;
  case Cmp::Gt: return a > b;
  case Cmp::Ge: return a >= b;
  }
  return false;
}

// Wraps as 64-bit two's complement does; the caller has seen to division by zero.
int64_t arithmetic(Op op, int64_t a, int64_t b) {
  uint64_t x = static_cast<uint64_t>(a), y = static_cast<uint64_t>(b);
  switch (op) {
  case Op::SMov: return a;
  case Op::SAdd: return static_cast<int64_t>(x + y);
  case Op::SSub: return static_cast<int64_t>(x - y);
  case Op::SMul: return static_cast<int64_t>(x * y);
  case Op::SDiv: return b == -1 ? static_cast<int64_t>(0 - x) : a / b;
  case Op::SRem: return b == -1 ? 0 : a % b;
  case Op::SAnd: return a & b;
  case Op::SOr: return a | b;
  case Op::SXor: return a ^ b;
  case Op::SShl: return static_cast<int64_t>(x << (y & 63));
  case Op::SShr: return a >> (y & 63);
  case Op::SMin: return std::min(a, b);
  case Op::SMax: return std::max(a, b);
  default: return 0;
  }
}

} // namespace

int64_t Core::identity(Id what) const {
  switch (what) {
  case Id::Block: return block;
  case Id::Blocks: return launch.blocks;
  case Id::Sub: return sub;
  case Id::Subs: return launch.device.perGroup(kind);
  }
  return 0;
}

void Core::executeScalar(const Instruction &in) {
  int64_t &d = registers[in.operands[0]];
  switch (in.op) {
  case Op::SCmp: d = compare(static_cast<Cmp>(in.operands[1]), value(in, 2), value(in, 3)); return;
  case Op::SSel: d = value(in, 1) ? value(in, 2) : value(in, 3); return;
  case Op::SId: d = identity(static_cast<Id>(in.operands[1])); return;
  case Op::SLdArg: {
    uint64_t at = static_cast<uint64_t>(value(in, 1));
    if (at < launch.args.size()) {
      d = static_cast<int64_t>(launch.args[at]);
      return;
    }
    resolve(in, scratch);
    return fail(scratch, Pipe::S,
                text("argument ", at, " is asked for, the kernel has ", launch.args.size() - 1,
                     " and the workspace"));
  }
  default: break;
  }
  int64_t b = in.op == Op::SMov ? 0 : value(in, 2);
  if ((in.op == Op::SDiv || in.op == Op::SRem) && b == 0) {
    resolve(in, scratch);
    return fail(scratch, Pipe::S, "division by zero");
  }
  d = arithmetic(in.op, value(in, 1), b);
}

void Core::executeControl(const Instruction &in) {
  switch (in.op) {
  case Op::B: pc = static_cast<uint32_t>(in.operands[0]); return;
  case Op::BIf:
    pc = compare(static_cast<Cmp>(in.operands[0]), value(in, 1), value(in, 2))
             ? static_cast<uint32_t>(in.operands[3])
             : pc + 1;
    return;
  case Op::End: finished = true; return;
  case Op::ProfMark: marks.emplace_back(pc++, value(in, 0)); return;
  default: break;
  }
  resolve(in, scratch);
  if (in.op == Op::Trap)
    return fail(scratch, Pipe::S, text("trap ", value(in, 0)));
  bool call = in.op == Op::Call;
  if (call ? calls.size() == 16 : calls.empty())
    return fail(scratch, Pipe::S, call ? "calls are 16 deep already" : "ret without a call");
  if (call) {
    calls.push_back(pc + 1);
    pc = static_cast<uint32_t>(in.operands[0]);
  } else {
    pc = calls.back();
    calls.pop_back();
  }
}

Core::Step Core::scalarMemory(const Instruction &in) {
  resolve(in, scratch);
  bool load = infoOf(in.op).form == Form::ScalarLoad;
  if (load)
    registers[in.operands[0]] = 0;
  perform(scratch, Pipe::S);
  ++pc;
  if (!faultText.empty() || !load)
    return Step::Advanced;
  Space space = infoOf(in.op).operands[1].space;
  const std::byte *source = bytesAt(space, static_cast<uint64_t>(scratch.v[1]));
  if (!launch.data && space != Space::GM)
    source = nullptr;
  int64_t &d = registers[in.operands[0]];
  if (!source)
    return Step::Advanced; // an address without bytes reads as 0
  auto read = [&](auto sample) {
    std::memcpy(&sample, source, sizeof sample);
    d = static_cast<int64_t>(sample);
  };
  switch (in.type) {
  case DType::U8: read(uint8_t{}); break;
  case DType::I32: read(int32_t{}); break;
  case DType::F32: read(uint32_t{}); break;
  default: read(int64_t{}); break;
  }
  return Step::Advanced;
}

// Classes of pipes for sync_class: 1 io, 2 move, 4 compute.
static int64_t classOf(Pipe pipe) {
  switch (pipe) {
  case Pipe::MTE2:
  case Pipe::MTE3:
  case Pipe::FIX: return 1;
  case Pipe::MTE1: return 2;
  case Pipe::M:
  case Pipe::V: return 4;
  default: return 0;
  }
}

bool Core::idleClasses(int64_t mask) const {
  for (unsigned p = 1; p < numPipes; ++p)
    if ((classOf(static_cast<Pipe>(p)) & mask) && !idle(static_cast<Pipe>(p)))
      return false;
  return true;
}

void Core::learnAll(int64_t classMask) {
  for (unsigned p = 1; p < numPipes; ++p) {
    if (!(classOf(static_cast<Pipe>(p)) & classMask))
      continue;
    scalar.join(pipes[p].clock);
    scalar.local[p] = pipes[p].sequence;
  }
}

Core::Step Core::scalarSync(const Instruction &in) {
  int64_t all = 7, mask = in.op == Op::SyncClass ? value(in, 0) : all;
  switch (in.op) {
  case Op::BarrierAll:
  case Op::SyncClass:
    if (!idleClasses(mask))
      return Step::Blocked;
    learnAll(mask);
    break;
  case Op::SyncAll:
    if (gridBarrier() == Step::Blocked)
      return Step::Blocked;
    break;
  default:
    resolve(in, scratch);
    if (!ready(scratch, Pipe::S))
      return Step::Blocked;
    applySync(scratch, Pipe::S);
  }
  ++pc;
  return Step::Advanced;
}

Core::Step Core::gridBarrier() {
  if (released) {
    released = false;
    return Step::Advanced;
  }
  if (!arrived && allIdle()) {
    learnAll(7);
    arrived = true;
  }
  return Step::Blocked;
}

void Core::releaseGrid(const std::shared_ptr<const RemoteCounts> &counts) {
  arrived = false;
  released = true;
  if (launch.checks)
    scalar.receive(counts, number);
}

bool Core::scalarTouchesOthers(const Instruction &instruction) {
  Form form = infoOf(instruction.op).form;
  return instruction.pipe == Pipe::S && (form == Form::Sync || form == Form::ScalarLoad ||
                                         form == Form::ScalarStore || instruction.op == Op::End);
}

} // namespace npu
