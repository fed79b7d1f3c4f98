// The instruction table as data, made from ops.inc.
#pragma once

#include "isa/dtype.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace npu {

enum class Op : uint16_t {
#define NPU_OP(id, ...) id,
#include "isa/ops.inc"
#undef NPU_OP
};

// In-order queues of a core. The numbers stand in object files.
enum class Pipe : uint8_t { S, MTE2, MTE1, M, FIX, V, MTE3, NAMED };
inline constexpr unsigned numPipes = 7;
std::string_view name(Pipe pipe);

// Memories, as roles: a device says which of its memories plays which role, and two roles may be
// one memory. MXA and MXB hold the scales of block-scaled operands.
enum class Space : uint8_t { GM, L1, L0A, L0B, L0C, BT, FB, UB, MXA, MXB };
inline constexpr unsigned numSpaces = 10;
std::string_view name(Space space);
std::optional<Space> spaceNamed(std::string_view name);

// How an instruction reads its operands. Footprint, execution and cost go by form.
enum class Form : uint8_t {
  Scalar,
  ScalarLoad,
  ScalarStore,
  Control,
  Sync,
  Bursts,
  NdToNz,
  Gather,
  LoadA,
  LoadB,
  LoadScale,
  Mmad,
  MmadMx,
  FixGm,
  FixL1,
  FixUb,
  Store,
  Scatter,
  Binary,
  WithScalar,
  Axpy,
  Unary,
  Compare,
  CompareScalar,
  Select,
  SelectScalar,
  Reduce,
  ReduceIndex,
  BroadcastBlock,
  Fill,
  Iota,
  Cast,
  GatherLocal,
  ScatterLocal,
  Compress,
  Interleave,
  Deinterleave,
  Sort32,
  MergeSort,
  Histogram,
};

enum class OperandKind : uint8_t { Value, Number, Register, Label, Address, Choice };

// The lists of names that a choice operand takes; its value is the place in the list.
enum class Cmp : uint8_t { Eq, Ne, Lt, Le, Gt, Ge };
enum class Round : uint8_t { Rint, Floor, Ceil, Round, Trunc }; // Rint: to nearest, ties to even
enum class Atomic : uint8_t { None, Add, Max };
enum class Id : uint8_t { Block, Blocks, Sub, Subs };

struct OperandInfo {
  std::string name;
  OperandKind kind = OperandKind::Value;
  Space space = Space::GM; // of an Address
  bool reads = false, writes = false;
  const std::vector<std::string_view> *choices = nullptr;
  std::optional<int64_t> fallback; // value where it is left out
};

inline constexpr unsigned maxOperands = 12;

struct OpInfo {
  Op op;
  uint16_t opcode;
  std::string_view mnemonic;
  Pipe pipe;
  Form form;
  uint32_t types = 0, types2 = 0; // a bit a DType
  std::vector<std::string_view> flags;
  std::vector<OperandInfo> operands;
  std::string_view summary;

  bool takes(DType type) const { return types >> static_cast<unsigned>(type) & 1; }
  bool takes2(DType type) const { return types2 >> static_cast<unsigned>(type) & 1; }
  // Bit of a flag that the table has; 0 where it has none of that name.
  uint8_t flag(std::string_view flagName) const;
  // Place of the operand that names the pipe, where `pipe` is NAMED.
  unsigned pipeOperand() const;
};

const std::vector<OpInfo> &allOps();
const OpInfo &infoOf(Op op);
const OpInfo *opWithCode(uint16_t opcode);
const OpInfo *opNamed(std::string_view mnemonic);

// The reference page of the instruction set, in Markdown.
std::string referencePage();

} // namespace npu
