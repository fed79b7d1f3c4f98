// A module of kernels, as it stands in an object file (.npuo) and as the simulator runs it.
#pragma once

#include "isa/op.h"
#include "isa/result.h"

#include <string>
#include <vector>

namespace npu {

struct Instruction {
  Op op = Op::End;
  Pipe pipe = Pipe::S;
  DType type = DType::None, type2 = DType::None;
  uint8_t flags = 0;
  uint16_t registers = 0;                      // bit i: operand i is the number of a register
  std::array<int64_t, maxOperands> operands{}; // a label is the index of an instruction

  bool isRegister(unsigned operand) const { return registers >> operand & 1; }
  bool operator==(const Instruction &) const = default;
};

inline constexpr unsigned numRegisters = 64;

// Cube cores run .aic, vector cores .aiv. On a device whose cores have all pipes there is only
// .aic.
enum class CoreKind : uint8_t { Aic, Aiv };
std::string_view name(CoreKind kind);

enum class ArgKind : uint8_t { Buffer, Scalar };
enum class ArgAccess : uint8_t { Read, Write, ReadWrite };

struct Arg {
  std::string name;
  ArgKind kind = ArgKind::Buffer;
  ArgAccess access = ArgAccess::Read; // of a buffer: for whoever plans transfers
  uint64_t bytes = 0;                 // least size of a buffer; launch checks it
  bool operator==(const Arg &) const = default;
};

// A named piece of a core's memory. Only messages and traces use it.
struct ScratchBuffer {
  std::string name;
  CoreKind core = CoreKind::Aic;
  Space space = Space::UB;
  uint64_t offset = 0, bytes = 0;
  bool operator==(const ScratchBuffer &) const = default;
};

struct Kernel {
  std::string name;
  std::vector<Arg> args;
  uint64_t workspaceBytes = 0; // of global memory, for the whole launch
  std::vector<ScratchBuffer> buffers;
  std::vector<Instruction> aic, aiv;

  const std::vector<Instruction> &code(CoreKind kind) const {
    return kind == CoreKind::Aic ? aic : aiv;
  }
  bool operator==(const Kernel &) const = default;
};

struct Module {
  std::string device; // name of the device it was made for
  std::vector<Kernel> kernels;
  const Kernel *find(std::string_view name) const;
  bool operator==(const Module &) const = default;
};

// Object bytes: a header of 24 bytes (magic "NPUO", version, size of all, number of kernels), then
// kernels; all little-endian. An instruction is a header of 16 bytes {opcode u16, pipe u8, flags
// u8, type u8, type2 u8, operand count u8, 0 u8, registers u64} and 8 bytes an operand.
inline constexpr uint32_t objectVersion = 1;
std::string encode(const Module &module);

// Reads bytes that may be hostile: every number is checked before it is used, and the program is
// checked as verify() does.
Result<Module> decode(std::string_view bytes);

// What must hold of a program whatever the device: operands as the table says, labels inside the
// code, known types and flags.
Status verify(const Module &module);

// Text form. assemble(disassemble(m)) is m, exactly.
Result<Module> assemble(std::string_view source);
std::string disassemble(const Module &module);
std::string disassemble(const Instruction &instruction);

} // namespace npu
