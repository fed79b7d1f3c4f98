// On chips whose vector unit reads and writes memory, an instruction may start before the one ahead
// of it has written. The builder knows the buffers, so it can put the barriers.
#include "builder/builder.h"

namespace npu {

// The buffer around an address that is known now; the whole memory where it is not.
static std::pair<uint64_t, uint64_t> around(const std::vector<ScratchBuffer> &buffers,
                                            const Instruction &instruction, unsigned operand) {
  uint64_t address = static_cast<uint64_t>(instruction.operands[operand]);
  if (!instruction.isRegister(operand))
    for (auto buffer = buffers.rbegin(); buffer != buffers.rend(); ++buffer)
      if (address >= buffer->offset && address < buffer->offset + buffer->bytes)
        return {buffer->offset, buffer->offset + buffer->bytes};
  return {0, ~uint64_t{0}};
}

void CoreBuilder::vectorBarrier(const Instruction &instruction) {
  if (instruction.op == Op::PipeBarrier) {
    vectorWrites.clear();
    vectorWroteAnything = false;
    return;
  }
  if (!vectorBarriers || !kernel.device.vector.pipelined ||
      infoOf(instruction.op).form == Form::Sync)
    return;
  bool needed = false;
  const OpInfo &info = infoOf(instruction.op);
  for (unsigned i = 0; i < info.operands.size() && !needed; ++i) {
    if (info.operands[i].kind != OperandKind::Address || !info.operands[i].reads)
      continue;
    needed = vectorWroteAnything;
    auto [begin, end] = around(buffers, instruction, i);
    for (const Range &written : vectorWrites)
      needed |= written.begin < end && begin < written.end;
  }
  if (needed)
    barrier(Pipe::V);
}

void CoreBuilder::noteVectorWrites(const Instruction &instruction) {
  const OpInfo &info = infoOf(instruction.op);
  for (unsigned i = 0; i < info.operands.size(); ++i)
    if (info.operands[i].kind == OperandKind::Address && info.operands[i].writes) {
      auto [begin, end] = around(buffers, instruction, i);
      vectorWrites.push_back({begin, end});
    }
}

// Behind a label code may come from elsewhere, where the vector unit has written something.
void CoreBuilder::forgetVectorWrites() { vectorWroteAnything = true; }

} // namespace npu
