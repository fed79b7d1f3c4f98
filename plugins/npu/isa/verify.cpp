#include "isa/program.h"

namespace npu {
namespace {

// Where an instruction stands, for messages.
struct Place {
  const Kernel &kernel;
  CoreKind core;
  size_t index;
};

std::ostream &operator<<(std::ostream &out, const Place &place) {
  return out << "kernel '" << place.kernel.name << "' ." << name(place.core) << " #" << place.index;
}

Status verifyTypes(const Place &place, const Instruction &instruction, const OpInfo &info) {
  bool first = info.types ? info.takes(instruction.type) : instruction.type == DType::None;
  bool second = info.types2 ? info.takes2(instruction.type2) : instruction.type2 == DType::None;
  if (first && second)
    return {};
  return error(place, ": ", info.mnemonic, " does not take element type ",
               name(first ? instruction.type2 : instruction.type),
               "; the reference page lists what it takes");
}

Status verifyPipe(const Place &place, const Instruction &instruction, const OpInfo &info) {
  Pipe wanted = info.pipe == Pipe::NAMED
                    ? static_cast<Pipe>(instruction.operands[info.pipeOperand()])
                    : info.pipe;
  if (instruction.pipe == wanted)
    return {};
  return error(place, ": ", info.mnemonic, " is marked for pipe ", name(instruction.pipe),
               ", it runs on ", name(wanted));
}

Status verifyOperand(const Place &place, const Instruction &instruction, const OpInfo &info,
                     unsigned i, size_t codeSize) {
  const OperandInfo &operand = info.operands[i];
  int64_t value = instruction.operands[i];
  auto refuse = [&](auto... why) {
    return error(place, ": ", info.mnemonic, ": ", operand.name, " is ", value, ", ", why...);
  };
  bool inRange = value >= 0 && value < static_cast<int64_t>(numRegisters);
  if (operand.kind == OperandKind::Register)
    return inRange && instruction.isRegister(i) ? Status()
                                                : Status(refuse("it must be a register r0 to r63"));
  if (operand.kind == OperandKind::Label || operand.kind == OperandKind::Choice) {
    size_t limit = operand.choices ? operand.choices->size() : codeSize;
    if (instruction.isRegister(i) || value < 0 || static_cast<size_t>(value) >= limit)
      return refuse("it must be a fixed number below ", limit);
    return {};
  }
  if (instruction.isRegister(i) && !inRange)
    return refuse("registers are r0 to r63");
  return {};
}

Status verify(const Place &place, const Instruction &instruction, size_t codeSize) {
  const OpInfo &info = infoOf(instruction.op);
  NPU_RETURN_IF_ERROR(verifyTypes(place, instruction, info));
  for (unsigned i = 0; i < info.operands.size(); ++i)
    NPU_RETURN_IF_ERROR(verifyOperand(place, instruction, info, i, codeSize));
  NPU_RETURN_IF_ERROR(verifyPipe(place, instruction, info));
  if (instruction.flags >> info.flags.size())
    return error(place, ": ", info.mnemonic, " has flag bits ", Hex{instruction.flags},
                 ", it knows ", info.flags.size(), " flags");
  return {};
}

Status verifyCode(const Kernel &kernel, CoreKind core) {
  const std::vector<Instruction> &code = kernel.code(core);
  for (size_t i = 0; i < code.size(); ++i)
    NPU_RETURN_IF_ERROR(verify({kernel, core, i}, code[i], code.size()));
  Op last = code.empty() ? Op::End : code.back().op;
  if (last != Op::End && last != Op::B && last != Op::Ret && last != Op::Trap)
    return error("kernel '", kernel.name, "' .", name(core),
                 ": the last instruction lets the core run on; put 'end' there");
  return {};
}

// Names stand in the text form, so they hold no blanks.
Status verifyName(std::string_view what, std::string_view name) {
  for (char c : name)
    if (c <= ' ' || c > '~' || c == ';')
      return error(what, " '", name, "' has a blank, a ';' or a character that does not print");
  return name.empty() ? Status(error(what, " has no name")) : Status();
}

Status verifyNames(const Kernel &kernel) {
  NPU_RETURN_IF_ERROR(verifyName("kernel", kernel.name));
  for (const Arg &arg : kernel.args)
    NPU_RETURN_IF_ERROR(verifyName("argument", arg.name));
  for (const ScratchBuffer &buffer : kernel.buffers)
    NPU_RETURN_IF_ERROR(verifyName("buffer", buffer.name));
  return {};
}

} // namespace

std::string_view name(CoreKind kind) { return kind == CoreKind::Aic ? "aic" : "aiv"; }

const Kernel *Module::find(std::string_view name) const {
  for (const Kernel &kernel : kernels)
    if (kernel.name == name)
      return &kernel;
  return nullptr;
}

Status verify(const Module &module) {
  if (!module.device.empty())
    NPU_RETURN_IF_ERROR(verifyName("device", module.device));
  for (const Kernel &kernel : module.kernels) {
    NPU_RETURN_IF_ERROR(verifyNames(kernel));
    NPU_RETURN_IF_ERROR(verifyCode(kernel, CoreKind::Aic));
    NPU_RETURN_IF_ERROR(verifyCode(kernel, CoreKind::Aiv));
    if (module.find(kernel.name) != &kernel)
      return error("kernel '", kernel.name, "' stands twice in one object; rename one");
  }
  return {};
}

} // namespace npu
