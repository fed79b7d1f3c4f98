#include "isa/program.h"

#include <bit>
#include <cstdio>
#include <cstdlib>
#include <set>

namespace npu {
namespace {

// A number that is used as f32 reads best as one, if it comes back with the same bits.
std::string numberText(const Instruction &instruction, const OpInfo &info, int64_t value) {
  bool floating = isFloat(instruction.type) || info.form == Form::FixGm ||
                  info.form == Form::FixL1 || info.form == Form::FixUb;
  if (!floating || value >> 32)
    return text(value);
  float number = std::bit_cast<float>(static_cast<uint32_t>(value));
  char digits[40];
  std::snprintf(digits, sizeof digits, "%.9g", static_cast<double>(number));
  if (number - number != 0 || std::bit_cast<uint32_t>(std::strtof(digits, nullptr)) != value)
    return text(value);
  return text(digits, "f");
}

std::string valueText(const Instruction &instruction, const OpInfo &info, unsigned i) {
  const OperandInfo &operand = info.operands[i];
  int64_t value = instruction.operands[i];
  if (instruction.isRegister(i))
    return text("r", value);
  switch (operand.kind) {
  case OperandKind::Choice: return std::string((*operand.choices)[value]);
  case OperandKind::Label: return text("L", value);
  case OperandKind::Number: return numberText(instruction, info, value);
  case OperandKind::Address:
    return value > 9 ? text(Hex{static_cast<uint64_t>(value)}) : text(value);
  default: return text(value);
  }
}

std::string operandText(const Instruction &instruction, const OpInfo &info, unsigned i) {
  const OperandInfo &operand = info.operands[i];
  if (operand.fallback && !instruction.isRegister(i) &&
      instruction.operands[i] == *operand.fallback)
    return "";
  std::string value = valueText(instruction, info, i);
  if (operand.kind == OperandKind::Address)
    value = text(name(operand.space), ":", value);
  return operand.fallback ? text(operand.name, "=", value) : value;
}

void writeCode(std::ostream &out, const Kernel &kernel, CoreKind core) {
  const std::vector<Instruction> &code = kernel.code(core);
  if (code.empty())
    return;
  std::set<int64_t> targets;
  for (const Instruction &instruction : code)
    for (unsigned i = 0; i < infoOf(instruction.op).operands.size(); ++i)
      if (infoOf(instruction.op).operands[i].kind == OperandKind::Label)
        targets.insert(instruction.operands[i]);
  out << "." << name(core) << "\n";
  for (size_t i = 0; i < code.size(); ++i) {
    if (targets.contains(static_cast<int64_t>(i)))
      out << "L" << i << ":\n";
    out << "  " << disassemble(code[i]) << "\n";
  }
}

constexpr std::string_view accessNames[] = {"read", "write", "readwrite"};

void writeKernel(std::ostream &out, const Kernel &kernel) {
  out << ".kernel " << kernel.name << "\n";
  for (const Arg &arg : kernel.args)
    out << ".arg " << arg.name << (arg.kind == ArgKind::Buffer ? " buffer " : " scalar ")
        << accessNames[static_cast<unsigned>(arg.access)] << " " << arg.bytes << "\n";
  out << ".workspace " << kernel.workspaceBytes << "\n";
  for (const ScratchBuffer &buffer : kernel.buffers)
    out << ".buffer " << buffer.name << " " << name(buffer.core) << " " << name(buffer.space) << " "
        << buffer.offset << " " << buffer.bytes << "\n";
  writeCode(out, kernel, CoreKind::Aic);
  writeCode(out, kernel, CoreKind::Aiv);
}

} // namespace

std::string disassemble(const Instruction &instruction) {
  const OpInfo &info = infoOf(instruction.op);
  std::string line(info.mnemonic);
  for (DType type : {instruction.type, instruction.type2})
    if (type != DType::None)
      line += text(".", name(type));
  for (size_t i = 0; i < info.flags.size(); ++i)
    if (instruction.flags >> i & 1)
      line += text(".", info.flags[i]);
  const char *separator = " ";
  for (unsigned i = 0; i < info.operands.size(); ++i)
    if (std::string operand = operandText(instruction, info, i); !operand.empty()) {
      line += separator + operand;
      separator = ", ";
    }
  return line;
}

std::string disassemble(const Module &module) {
  std::ostringstream out;
  if (!module.device.empty())
    out << ".device " << module.device << "\n";
  for (const Kernel &kernel : module.kernels)
    writeKernel(out, kernel);
  return out.str();
}

} // namespace npu
