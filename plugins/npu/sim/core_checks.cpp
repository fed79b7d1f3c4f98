// What the chip would refuse, and what it would silently do wrong.
#include "sim/core.h"

#include <cstring>

namespace npu {

std::string Core::name() const { return text("block ", block, " ", npu::name(kind), sub); }

std::string Core::describe(const Issued &issued, Pipe pipe) const {
  return text(name(), " ", npu::name(pipe), " #", issued.index, " (", disassemble(*issued.in), ")");
}

void Core::fail(const Issued &issued, Pipe pipe, const std::string &problem) {
  if (faultText.empty())
    faultText = text("kernel '", launch.kernel.name, "' ", describe(issued, pipe), ": ", problem);
}

// The named buffer that an address lies in, in brackets.
std::string Core::bufferName(Space space, uint64_t address) const {
  for (const ScratchBuffer &buffer : launch.kernel.buffers)
    if (buffer.core == kind &&
        launch.device.spec(buffer.space).same == launch.device.spec(space).same &&
        address >= buffer.offset && address < buffer.offset + buffer.bytes)
      return text(" (", buffer.name, ")");
  return "";
}

int32_t Core::indexAt(uint64_t address) const {
  const CoreMemory::Bank &bank =
      memory.banks[static_cast<unsigned>(launch.device.spec(Space::UB).same)];
  int32_t value = -1;
  if (address + 4 <= bank.bytes && address + 4 > address)
    std::memcpy(&value, bank.data.get() + address, sizeof value);
  return value;
}

std::byte *Core::bytesAt(Space space, uint64_t address) const {
  if (space != Space::GM)
    return memory.banks[static_cast<unsigned>(launch.device.spec(space).same)].data.get() + address;
  const GlobalMemory::Allocation *allocation = launch.gm.find(address);
  return allocation && allocation->data ? allocation->data + (address - allocation->base) : nullptr;
}

static std::string spaceName(const Device &device, Space space) {
  return space == Space::GM ? "gm" : device.spec(space).name;
}

Status Core::inBounds(const Issued &issued, const Access &access) const {
  const std::string &operand = issued.info->operands[access.operand].name;
  // Runs, counts and strides are each below 2^41, so 128 bits hold the product.
  unsigned __int128 end =
      static_cast<unsigned __int128>(access.count - 1) * access.stride + access.base + access.run;
  if (access.space != Space::GM) {
    uint64_t size =
        memory.banks[static_cast<unsigned>(launch.device.spec(access.space).same)].bytes;
    if (end <= size)
      return {};
    return error("out of bounds: ", operand, " ends at ", Hex{static_cast<uint64_t>(end)}, ", ",
                 spaceName(launch.device, access.space), " has ", Hex{size}, " bytes");
  }
  const GlobalMemory::Allocation *allocation = launch.gm.find(access.base);
  if (allocation && allocation->readOnly && access.write)
    return error("read-only: ", operand, " would write to gm ", Hex{access.base},
                 ", a buffer that instructions only read");
  if (allocation && end <= allocation->end())
    return {};
  if (!allocation)
    return error("out of bounds: ", operand, " at gm ", Hex{access.base}, " is in no buffer");
  return error("out of bounds: ", operand, " is gm ", Hex{access.base}, "..",
               Hex{static_cast<uint64_t>(end)}, ", its buffer ends at ", Hex{allocation->end()});
}

Status Core::aligned(const Issued &issued, const Access &access) const {
  uint64_t need = access.align                ? access.align
                  : access.space == Space::GM ? 1
                                              : launch.device.spec(access.space).align;
  if (access.base % need == 0)
    return {};
  return error("misaligned: ", issued.info->operands[access.operand].name, " is at ",
               spaceName(launch.device, access.space), " ", Hex{access.base},
               ", it must be a multiple of ", need);
}

// Whether two patterns of runs share a byte. Unlike strides are taken as if they had no gaps.
static bool disjoint(const Access &a, const Access &b) {
  if (a.end() <= b.base || b.end() <= a.base)
    return true;
  if (a.stride != b.stride || a.run > a.stride || b.run > b.stride)
    return false;
  uint64_t distance = (b.base % a.stride + a.stride - a.base % a.stride) % a.stride;
  return distance >= a.run && distance + b.run <= a.stride;
}

Status Core::apart(const Issued &issued, const Footprint &list) const {
  for (const Access &out : list) {
    if (!out.write || out.space == Space::GM)
      continue;
    for (const Access &in : list) {
      if (&in == &out || in.operand == out.operand ||
          launch.device.spec(in.space).same != launch.device.spec(out.space).same ||
          in.space == Space::GM || disjoint(out, in))
        continue;
      bool same = in.base == out.base && in.run == out.run && in.count == out.count &&
                  in.stride == out.stride;
      if (same && worksInPlace(issued.form()) && !in.write)
        continue;
      return error("overlap: ", issued.info->operands[out.operand].name, " ",
                   spaceName(launch.device, out.space), " ", Hex{out.base}, "..", Hex{out.end()},
                   bufferName(out.space, out.base), " and ", issued.info->operands[in.operand].name,
                   " ", Hex{in.base}, "..", Hex{in.end()}, bufferName(in.space, in.base),
                   "; put them apart");
    }
  }
  return {};
}

Status Core::validate(const Issued &issued, Footprint &out) const {
  NPU_RETURN_IF_ERROR(footprint(launch.device, issued, launch.data ? this : nullptr, out));
  std::erase_if(out, [](const Access &access) { return access.empty(); });
  for (const Access &access : out) {
    NPU_RETURN_IF_ERROR(aligned(issued, access));
    NPU_RETURN_IF_ERROR(inBounds(issued, access));
  }
  return apart(issued, out);
}

// Calls visit(begin, end) for each run, as one where they touch, until it gives an error.
template <class Visit> static Status eachRun(const Access &access, Visit visit) {
  for (uint64_t i = 0; i < access.count; ++i) {
    uint64_t begin = access.base + i * access.stride;
    NPU_RETURN_IF_ERROR(visit(begin, begin + access.run));
  }
  return {};
}

Status Core::checkWritten(const Access &access) const {
  const GlobalMemory::Allocation *allocation =
      access.space == Space::GM ? launch.gm.find(access.base) : nullptr;
  if (allocation && (allocation->allWritten || !allocation->data))
    return {};
  const InitMap &written =
      allocation
          ? allocation->written
          : memory.banks[static_cast<unsigned>(launch.device.spec(access.space).same)].written;
  uint64_t base = allocation ? allocation->base : 0;
  return eachRun(access, [&](uint64_t begin, uint64_t end) -> Status {
    uint64_t missing = written.firstMissing(begin - base, end - base) + base;
    if (missing >= end)
      return {};
    return error("uninitialised read: ", spaceName(launch.device, access.space), " ", Hex{begin},
                 "..", Hex{end}, bufferName(access.space, begin), " was not written at ",
                 Hex{missing}, "; write it first");
  });
}

Status Core::checkHazards(const Issued &issued, Pipe pipe, const Access &access, Shadow &shadow) {
  Toucher by{pipe, pipe == Pipe::S ? pipes[0].sequence : pipes[index(pipe)].sequence, issued.index};
  bool samePipeRaw = pipe == Pipe::V && launch.device.vector.pipelined;
  const Clock &clock = clockOf(pipe);
  return eachRun(access, [&](uint64_t begin, uint64_t end) -> Status {
    std::optional<Conflict> conflict;
    if (access.read)
      conflict = shadow.read(begin, end, by, clock, samePipeRaw);
    if (access.write && !conflict)
      conflict = shadow.write(begin, end, by, clock);
    if (!conflict)
      return {};
    const Instruction &earlier = code[conflict->earlier.instruction];
    bool samePipe = conflict->earlier.pipe == pipe;
    return error(conflict->kind, " hazard: ", spaceName(launch.device, access.space), " ",
                 Hex{std::max(begin, conflict->begin)}, "..", Hex{std::min(end, conflict->end)},
                 bufferName(access.space, begin), " is used by ", npu::name(conflict->earlier.pipe),
                 " #", conflict->earlier.instruction, " (", disassemble(earlier),
                 ") with nothing in between that waits for it; put ",
                 samePipe
                     ? text("pipe_barrier ", npu::name(pipe))
                     : text("a flag ", npu::name(conflict->earlier.pipe), "->", npu::name(pipe)),
                 " between them");
  });
}

Status Core::checkMemory(const Issued &issued, Pipe pipe, const Footprint &list) {
  for (bool writes : {false, true})
    for (const Access &access : list) {
      // Reads first: an instruction reads before it writes.
      if (access.write != writes)
        continue;
      if (access.read && access.atomic == Atomic::None)
        NPU_RETURN_IF_ERROR(checkWritten(access));
      if (access.space == Space::GM) {
        globalAccesses.push_back(
            {access, {pipe, pipes[index(pipe)].sequence, issued.index}, number, clockOf(pipe)});
        continue;
      }
      Shadow &shadow =
          memory.banks[static_cast<unsigned>(launch.device.spec(access.space).same)].shadow;
      NPU_RETURN_IF_ERROR(checkHazards(issued, pipe, access, shadow));
    }
  return {};
}

void Core::noteWritten(const Access &access) {
  if (access.space == Space::GM) {
    const GlobalMemory::Allocation *allocation = launch.gm.find(access.base);
    if (allocation->allWritten || !allocation->data)
      return;
    for (uint64_t i = 0; i < access.count; ++i) {
      uint64_t begin = access.base - allocation->base + i * access.stride;
      allocation->written.mark(begin, begin + access.run);
    }
    return;
  }
  CoreMemory::Bank &bank =
      memory.banks[static_cast<unsigned>(launch.device.spec(access.space).same)];
  bank.touched = std::max(bank.touched, access.end());
  for (uint64_t i = 0; i < access.count; ++i)
    bank.written.mark(access.base + i * access.stride,
                      access.base + i * access.stride + access.run);
}

void Core::perform(const Issued &issued, Pipe pipe) {
  Footprint &list = accesses;
  if (Status status = validate(issued, list); !status.ok())
    return fail(issued, pipe, status.message());
  ++pipes[index(pipe)].sequence;
  clockOf(Pipe::S).local[0] = pipes[0].sequence;
  if (launch.checks)
    if (Status status = checkMemory(issued, pipe, list); !status.ok())
      return fail(issued, pipe, status.message());
  if (!launch.data || list.empty())
    return;
  execute(*this, issued);
  for (const Access &access : list)
    if (access.write)
      noteWritten(access);
}

std::string Core::waitReport() const {
  std::string report;
  auto add = [&](const Issued &issued, Pipe pipe) {
    report += text("\n  ", describe(issued, pipe), " waits");
    if (issued.op() == Op::WaitFlag) {
      Pipe source = static_cast<Pipe>(issued.v[0]);
      report += text(" for ", npu::name(source), ", which ",
                     source != Pipe::S && !empty(source) ? "waits itself"
                     : finished                          ? "has nothing left to do"
                                                         : "was given no set_flag yet");
    } else if (issued.op() == Op::Xwait) {
      report += text(" for cross-core flag ", issued.v[1], " of another core");
    }
  };
  for (unsigned p = 1; p < numPipes; ++p)
    if (pipes[p].count)
      add(head(static_cast<Pipe>(p)), static_cast<Pipe>(p));
  if (!finished) {
    const Instruction &in = code[pc];
    report += text("\n  ", name(), " S #", pc, " (", disassemble(in), ") waits");
    if (in.pipe != Pipe::S)
      report += text(" for room in the queue of ", npu::name(in.pipe));
    else if (in.op == Op::SyncAll)
      report += arrived ? " for the other cores" : " for its pipes";
    else if (in.op == Op::WaitFlag)
      report += text(" for ", npu::name(static_cast<Pipe>(in.operands[0])));
  }
  return report;
}

} // namespace npu
