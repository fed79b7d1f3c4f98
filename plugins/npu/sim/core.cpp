// A core's memories, queues and flags. Its scalar unit is in core_scalar.cpp, checks are in
// core_checks.cpp.
#include "sim/core.h"

namespace npu {

CoreMemory::CoreMemory(const Device &device, CoreKind kind) {
  for (unsigned i = 0; i < numSpaces; ++i) {
    const MemorySpec &spec = device.memory[i];
    if (!spec.bytes || spec.core != kind || spec.same != static_cast<Space>(i))
      continue;
    Bank &bank = banks[i];
    bank.bytes = spec.bytes;
    bank.data = std::make_unique_for_overwrite<std::byte[]>(spec.bytes);
    bank.written = InitMap(spec.bytes);
  }
}

void CoreMemory::reset() {
  for (Bank &bank : banks) {
    if (bank.bytes)
      bank.written.clear(bank.touched);
    bank.touched = 0;
    bank.shadow.clear();
  }
}

Core::Core(const LaunchContext &launch, CoreMemory &memory, CoreKind kind, unsigned number,
           unsigned block, unsigned sub)
    : launch(launch), kind(kind), number(number), block(block), sub(sub),
      code(launch.kernel.code(kind)), memory(memory), finished(code.empty()),
      flags(numPipes * numPipes * 8) {
  for (unsigned p = 1; p < numPipes; ++p)
    if (launch.device.has(kind, static_cast<Pipe>(p)))
      pipes[p].slots.resize(launch.device.queueDepth);
}

const Issued &Core::head(Pipe pipe) const {
  const PipeState &state = pipes[index(pipe)];
  return state.slots[state.first];
}

Issued &Core::tail(Pipe pipe) {
  PipeState &state = pipes[index(pipe)];
  return state.slots[(state.first + state.count - 1) % state.slots.size()];
}

void Core::pop(Pipe pipe) {
  PipeState &state = pipes[index(pipe)];
  state.first = state.first + 1 == state.slots.size() ? 0 : state.first + 1;
  --state.count;
}

bool Core::allIdle() const {
  for (unsigned p = 1; p < numPipes; ++p)
    if (pipes[p].count || pipes[p].busy)
      return false;
  return true;
}

void Core::resolve(const Instruction &instruction, Issued &issued) {
  issued.in = &instruction;
  issued.info = &infoOf(instruction.op);
  issued.index = pc;
  for (unsigned i = 0; i < issued.info->operands.size(); ++i)
    issued.v[i] = value(instruction, i);
  if (launch.checks)
    issued.known = scalar;
  if (issued.flag("unit")) {
    Pipe other = instruction.pipe == Pipe::M ? Pipe::FIX : Pipe::M;
    issued.unitBefore = unitIssued[index(other)];
    ++unitIssued[index(instruction.pipe)];
  }
}

Core::Step Core::step() {
  if (finished || !faultText.empty())
    return Step::Done;
  const Instruction &instruction = code[pc];
  if (++steps > launch.maxSteps) {
    resolve(instruction, scratch);
    fail(scratch, Pipe::S,
         text("still runs after ", launch.maxSteps, " instructions; it may loop for ever"));
    return Step::Done;
  }
  Form form = infoOf(instruction.op).form;
  if (form == Form::Scalar) {
    executeScalar(instruction);
    ++pc;
    return Step::Advanced;
  }
  if (form == Form::Control) {
    executeControl(instruction);
    return Step::Advanced;
  }
  if (instruction.pipe == Pipe::S)
    return form == Form::Sync ? scalarSync(instruction) : scalarMemory(instruction);
  PipeState &state = pipes[index(instruction.pipe)];
  if (state.count == state.slots.size())
    return Step::Blocked;
  ++state.count;
  resolve(instruction, tail(instruction.pipe));
  issuedTo = instruction.pipe;
  ++pc;
  return Step::Issued;
}

Core::Flag &Core::flagOf(const Issued &issued) {
  size_t pair = static_cast<size_t>(issued.v[0]) * numPipes + static_cast<size_t>(issued.v[1]);
  return flags[pair * 8 + (static_cast<size_t>(issued.v[2]) & 7)];
}

bool Core::ready(const Issued &issued, Pipe pipe) const {
  switch (issued.op()) {
  case Op::WaitFlag: {
    bool valid = issued.v[2] >= 0 && issued.v[2] < launch.device.sync.eventsPerPair;
    return !valid || const_cast<Core *>(this)->flagOf(issued).set;
  }
  case Op::Xwait: {
    bool valid = issued.v[1] >= 0 && issued.v[1] < launch.device.sync.crossFlags;
    return !valid || !cross[static_cast<size_t>(issued.v[1])].counts.empty();
  }
  default: break;
  }
  if (!issued.unitBefore || !issued.flag("unit"))
    return true;
  return unitApplied[index(pipe == Pipe::M ? Pipe::FIX : Pipe::M)] >= issued.unitBefore;
}

void Core::apply(const Issued &issued, Pipe pipe) {
  if (!faultText.empty())
    return;
  PipeState &state = pipes[index(pipe)];
  if (launch.checks)
    state.clock.join(issued.known);
  if (issued.form() == Form::Sync)
    return applySync(issued, pipe);
  if (issued.flag("unit")) {
    ++unitApplied[index(pipe)];
    Pipe other = pipe == Pipe::M ? Pipe::FIX : Pipe::M;
    state.clock.local[index(other)] =
        std::max(state.clock.local[index(other)], pipes[index(other)].sequence);
  }
  if (launch.data)
    perform(issued, pipe);
}

// The wait counts as an instruction of its pipe, so that a later set can be asked whether it is
// ordered behind it.
void Core::clearFlag(const Issued &issued, Pipe pipe, Flag &flag) {
  Clock &clock = clockOf(pipe);
  flag.set = false;
  flag.clearedBy = issued.index;
  flag.clearedAt = clock.local[index(pipe)] = ++pipes[index(pipe)].sequence;
  if (launch.checks)
    clock.join(flag.clock);
}

void Core::raiseFlag(const Issued &issued, Pipe pipe, Flag &flag) {
  Clock &clock = clockOf(pipe);
  constexpr std::string_view hint =
      "; let the setter wait for the waiter first, or use another event";
  if (flag.set)
    return fail(issued, pipe, text("the flag is set already, by #", flag.setBy, hint));
  if (launch.checks && flag.clearedAt > clock.of(static_cast<Pipe>(issued.v[1])))
    return fail(issued, pipe,
                text("the flag may still be set: nothing orders this behind the wait #",
                     flag.clearedBy, hint));
  flag.set = true;
  flag.setBy = issued.index;
  flag.clock = clock;
}

void Core::applySync(const Issued &issued, Pipe pipe) {
  Clock &clock = clockOf(pipe);
  clock.local[index(pipe)] = pipes[index(pipe)].sequence; // all earlier work of the pipe is done
  switch (issued.op()) {
  case Op::SetFlag:
  case Op::WaitFlag: {
    if (issued.v[2] < 0 || issued.v[2] >= launch.device.sync.eventsPerPair)
      return fail(
          issued, pipe,
          text("event ", issued.v[2], " is none of 0 to ", launch.device.sync.eventsPerPair - 1));
    Flag &flag = flagOf(issued);
    return issued.op() == Op::WaitFlag ? clearFlag(issued, pipe, flag)
                                       : raiseFlag(issued, pipe, flag);
  }
  case Op::Xset:
  case Op::Xwait: {
    int64_t id = issued.v[issued.op() == Op::Xset ? 2 : 1], mode = issued.v[1];
    if (id < 0 || id >= launch.device.sync.crossFlags)
      return fail(issued, pipe,
                  text("cross-core flag ", id, " is none of 0 to ",
                       int(launch.device.sync.crossFlags) - 1));
    if (issued.op() == Op::Xset) {
      if (mode < 0 || mode > 2)
        return fail(issued, pipe, text("mode is ", mode, ", it must be 0, 1 or 2"));
      outbox.push_back(
          {number, unsigned(mode), unsigned(id), launch.checks ? clock.sent(number) : nullptr});
      return;
    }
    auto &counts = cross[static_cast<size_t>(id)].counts;
    if (counts.front())
      clock.receive(counts.front(), number);
    counts.pop_front();
    return;
  }
  default: return; // pipe_barrier: the clock was all
  }
}

void Core::deliver(unsigned id, const std::shared_ptr<const RemoteCounts> &counts) {
  cross[id].counts.push_back(counts);
  if (cross[id].counts.size() > launch.device.sync.crossMax && faultText.empty())
    faultText = text("kernel '", launch.kernel.name, "' ", name(), ": cross-core flag ", id,
                     " counts above ", launch.device.sync.crossMax,
                     "; wait for it more often than every ", launch.device.sync.crossMax, " sets");
}

void Core::checkLeaks() {
  if (!faultText.empty())
    return;
  for (size_t i = 0; i < flags.size(); ++i)
    if (flags[i].set) {
      Pipe source = static_cast<Pipe>(i / 8 / numPipes),
           target = static_cast<Pipe>(i / 8 % numPipes);
      faultText = text("kernel '", launch.kernel.name, "' ", name(), ": flag ", npu::name(source),
                       "->", npu::name(target), " ", i % 8, ", set by #", flags[i].setBy,
                       ", is still set at the end; wait for it once more");
      return;
    }
  for (size_t id = 0; id < cross.size(); ++id)
    if (!cross[id].counts.empty()) {
      faultText = text("kernel '", launch.kernel.name, "' ", name(), ": cross-core flag ", id,
                       " still counts ", cross[id].counts.size(), " at the end; wait for it");
      return;
    }
}

} // namespace npu
