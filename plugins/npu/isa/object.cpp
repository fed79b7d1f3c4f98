#include "isa/program.h"

#include <bit>
#include <cstring>

namespace npu {
namespace {

static_assert(std::endian::native == std::endian::little, "object files are copied as they are");

constexpr std::string_view magic = "NPUO";
constexpr uint64_t maxCount = 1u << 24; // of anything; more is damage

class Writer {
public:
  template <class T> void number(T value) {
    bytes.append(reinterpret_cast<const char *>(&value), sizeof value);
  }
  void string(std::string_view text) {
    number(static_cast<uint32_t>(text.size()));
    bytes.append(text);
  }
  std::string bytes;
};

class Reader {
public:
  explicit Reader(std::string_view bytes) : bytes(bytes) {}
  template <class T> T number() {
    T value{};
    if (bytes.size() - at < sizeof value)
      return fail(), value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    at += sizeof value;
    return value;
  }
  std::string string() {
    uint32_t size = number<uint32_t>();
    if (bytes.size() - at < size)
      return fail(), std::string();
    at += size;
    return std::string(bytes.substr(at - size, size));
  }
  // A count of things of at least `least` bytes each, so that a false one cannot take memory.
  uint32_t count(size_t least) {
    uint32_t value = number<uint32_t>();
    if (value > maxCount || value > (bytes.size() - at) / least)
      return fail(), 0;
    return value;
  }
  void fail() {
    broken = true;
    at = bytes.size();
  }
  bool failed() const { return broken; }
  bool atEnd() const { return at == bytes.size(); }
  size_t place() const { return at; }

private:
  std::string_view bytes;
  size_t at = 0;
  bool broken = false;
};

void write(Writer &out, const Instruction &instruction) {
  const OpInfo &info = infoOf(instruction.op);
  out.number(info.opcode);
  out.number(static_cast<uint8_t>(instruction.pipe));
  out.number(instruction.flags);
  out.number(static_cast<uint8_t>(instruction.type));
  out.number(static_cast<uint8_t>(instruction.type2));
  out.number(static_cast<uint8_t>(info.operands.size()));
  out.number(uint8_t{0});
  out.number(static_cast<uint64_t>(instruction.registers));
  for (size_t i = 0; i < info.operands.size(); ++i)
    out.number(instruction.operands[i]);
}

void write(Writer &out, const std::vector<Instruction> &code) {
  out.number(static_cast<uint32_t>(code.size()));
  for (const Instruction &instruction : code)
    write(out, instruction);
}

void write(Writer &out, const Kernel &kernel) {
  out.string(kernel.name);
  out.number(static_cast<uint32_t>(kernel.args.size()));
  for (const Arg &arg : kernel.args) {
    out.string(arg.name);
    out.number(static_cast<uint8_t>(arg.kind));
    out.number(static_cast<uint8_t>(arg.access));
    out.number(arg.bytes);
  }
  out.number(kernel.workspaceBytes);
  out.number(static_cast<uint32_t>(kernel.buffers.size()));
  for (const ScratchBuffer &buffer : kernel.buffers) {
    out.string(buffer.name);
    out.number(static_cast<uint8_t>(buffer.core));
    out.number(static_cast<uint8_t>(buffer.space));
    out.number(buffer.offset);
    out.number(buffer.bytes);
  }
  write(out, kernel.aic);
  write(out, kernel.aiv);
}

// A number of an enumeration; one that is none breaks the reader.
template <class E> E enumerator(Reader &in, unsigned count) {
  uint8_t value = in.number<uint8_t>();
  if (value >= count)
    in.fail();
  return static_cast<E>(value < count ? value : 0);
}

Result<Instruction> readInstruction(Reader &in) {
  size_t place = in.place();
  uint16_t opcode = in.number<uint16_t>();
  const OpInfo *info = opWithCode(opcode);
  if (!in.failed() && !info)
    return error("object: byte ", place, ": opcode ", Hex{opcode},
                 " is not of this instruction set; make the object again with this version");
  Instruction instruction;
  instruction.op = info ? info->op : Op::End;
  instruction.pipe = enumerator<Pipe>(in, numPipes);
  instruction.flags = in.number<uint8_t>();
  instruction.type = enumerator<DType>(in, numDTypes);
  instruction.type2 = enumerator<DType>(in, numDTypes);
  uint8_t count = in.number<uint8_t>();
  uint8_t zero = in.number<uint8_t>();
  uint64_t registers = in.number<uint64_t>();
  if (!in.failed() && (count != info->operands.size() || zero || registers >> count))
    return error("object: byte ", place, ": ", info->mnemonic, " has ", unsigned{count},
                 " operands and register bits ", Hex{registers}, ", it takes ",
                 info->operands.size(), " operands and no other bits");
  instruction.registers = static_cast<uint16_t>(registers);
  for (unsigned i = 0; i < count && i < maxOperands; ++i)
    instruction.operands[i] = in.number<int64_t>();
  return instruction;
}

Status readCode(Reader &in, std::vector<Instruction> &code) {
  uint32_t count = in.count(16);
  for (uint32_t i = 0; i < count && !in.failed(); ++i) {
    NPU_ASSIGN_OR_RETURN(Instruction instruction, readInstruction(in));
    code.push_back(instruction);
  }
  return {};
}

Status readKernel(Reader &in, Kernel &kernel) {
  kernel.name = in.string();
  uint32_t args = in.count(14);
  for (uint32_t i = 0; i < args && !in.failed(); ++i) {
    Arg &arg = kernel.args.emplace_back();
    arg.name = in.string();
    arg.kind = enumerator<ArgKind>(in, 2);
    arg.access = enumerator<ArgAccess>(in, 3);
    arg.bytes = in.number<uint64_t>();
  }
  kernel.workspaceBytes = in.number<uint64_t>();
  uint32_t buffers = in.count(22);
  for (uint32_t i = 0; i < buffers && !in.failed(); ++i) {
    ScratchBuffer &buffer = kernel.buffers.emplace_back();
    buffer.name = in.string();
    buffer.core = enumerator<CoreKind>(in, 2);
    buffer.space = enumerator<Space>(in, numSpaces);
    buffer.offset = in.number<uint64_t>();
    buffer.bytes = in.number<uint64_t>();
  }
  NPU_RETURN_IF_ERROR(readCode(in, kernel.aic));
  return readCode(in, kernel.aiv);
}

} // namespace

std::string encode(const Module &module) {
  Writer out;
  out.bytes = magic;
  out.number(objectVersion);
  out.number(uint64_t{0}); // the size, below
  out.number(static_cast<uint32_t>(module.kernels.size()));
  out.number(uint32_t{0});
  out.string(module.device);
  for (const Kernel &kernel : module.kernels)
    write(out, kernel);
  uint64_t size = out.bytes.size();
  std::memcpy(out.bytes.data() + 8, &size, sizeof size);
  return std::move(out.bytes);
}

Result<Module> decode(std::string_view bytes) {
  if (bytes.substr(0, magic.size()) != magic)
    return error(
        "object: does not begin with NPUO; give a file made by the assembler or a compiler");
  Reader in(bytes);
  in.number<uint32_t>();
  uint32_t version = in.number<uint32_t>();
  if (version != objectVersion)
    return error("object: has version ", version, ", this reads ", objectVersion,
                 "; make the object again");
  uint64_t size = in.number<uint64_t>();
  if (size != bytes.size())
    return error("object: is ", bytes.size(), " bytes, its header says ", size,
                 "; the file is cut off or damaged");
  Module module;
  uint32_t count = in.count(1);
  in.number<uint32_t>();
  module.device = in.string();
  for (uint32_t i = 0; i < count && !in.failed(); ++i)
    NPU_RETURN_IF_ERROR(readKernel(in, module.kernels.emplace_back()));
  if (in.failed() || !in.atEnd())
    return error("object: ",
                 in.failed() ? "a count or a name reaches past the end"
                             : "bytes follow the last kernel",
                 "; the file is damaged");
  NPU_RETURN_IF_ERROR(verify(module));
  return module;
}

} // namespace npu
