#include "isa/op.h"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <unordered_map>

namespace npu {
namespace {

constexpr std::array<std::string_view, numPipes + 1> pipeNames = {"S",   "MTE2", "MTE1", "M",
                                                                  "FIX", "V",    "MTE3", "NAMED"};
constexpr std::array<std::string_view, numSpaces> spaceNames = {"gm", "l1", "l0a", "l0b", "l0c",
                                                                "bt", "fb", "ub",  "mxa", "mxb"};

struct ChoiceList {
  std::string_view kind;
  std::vector<std::string_view> names;
};
const std::vector<ChoiceList> choiceLists = {
    {"pipe", {pipeNames.begin(), pipeNames.begin() + numPipes}},
    {"cmp", {"eq", "ne", "lt", "le", "gt", "ge"}},
    {"round", {"rint", "floor", "ceil", "round", "trunc"}},
    {"atomic", {"none", "add", "max"}},
    {"id", {"block", "blocks", "sub", "subs"}},
};

std::vector<std::string_view> words(std::string_view list) {
  std::vector<std::string_view> result;
  while (!list.empty()) {
    size_t end = std::min(list.find(' '), list.size());
    if (end)
      result.push_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return result;
}

uint32_t typeSet(std::string_view list) {
  uint32_t set = 0;
  for (std::string_view type : words(list))
    set |= 1u << static_cast<unsigned>(*dtypeNamed(type));
  return set;
}

void setAddress(OperandInfo &operand, char mark, std::string_view space) {
  operand.kind = OperandKind::Address;
  operand.space = *spaceNamed(space);
  operand.reads = mark != '>';
  operand.writes = mark != '<';
}

void setKind(OperandInfo &operand, std::string_view kind) {
  if (kind == "reg")
    operand.kind = OperandKind::Register;
  else if (kind == "label")
    operand.kind = OperandKind::Label;
  else if (kind == "num")
    operand.kind = OperandKind::Number;
  else
    operand.kind = OperandKind::Choice;
  for (const ChoiceList &list : choiceLists)
    if (list.kind == kind)
      operand.choices = &list.names;
}

// Reads one operand of ops.inc: name, then a mark with a space or a kind, then =fallback.
OperandInfo operandFrom(std::string_view spec) {
  OperandInfo operand;
  if (size_t equals = spec.find('='); equals != spec.npos) {
    int64_t value = 0;
    std::from_chars(spec.data() + equals + 1, spec.data() + spec.size(), value);
    operand.fallback = value;
    spec = spec.substr(0, equals);
  }
  size_t mark = spec.find_first_of("<>~:");
  operand.name = spec.substr(0, mark);
  if (mark == spec.npos)
    return operand;
  std::string_view rest = spec.substr(mark + 1);
  if (spec[mark] == ':')
    setKind(operand, rest);
  else
    setAddress(operand, spec[mark], rest);
  return operand;
}

OpInfo opFrom(Op op, uint16_t opcode, std::string_view mnemonic, Pipe pipe, Form form,
              std::string_view types, std::string_view types2, std::string_view flags,
              std::string_view operands, std::string_view summary) {
  OpInfo info{op,           opcode, mnemonic, pipe, form, typeSet(types), typeSet(types2),
              words(flags), {},     summary};
  for (std::string_view operand : words(operands))
    info.operands.push_back(operandFrom(operand));
  return info;
}

std::vector<OpInfo> makeTable() {
  return {
#define NPU_OP(id, opcode, mnemonic, pipe, form, types, types2, flags, operands, summary)          \
  opFrom(Op::id, opcode, mnemonic, Pipe::pipe, Form::form, types, types2, flags, operands, summary),
#include "isa/ops.inc"
#undef NPU_OP
  };
}

} // namespace

std::string_view name(Pipe pipe) { return pipeNames[static_cast<unsigned>(pipe)]; }
std::string_view name(Space space) { return spaceNames[static_cast<unsigned>(space)]; }

std::optional<Space> spaceNamed(std::string_view name) {
  for (unsigned i = 0; i < numSpaces; ++i)
    if (spaceNames[i] == name)
      return static_cast<Space>(i);
  return std::nullopt;
}

uint8_t OpInfo::flag(std::string_view flagName) const {
  for (size_t i = 0; i < flags.size(); ++i)
    if (flags[i] == flagName)
      return static_cast<uint8_t>(1u << i);
  return 0;
}

unsigned OpInfo::pipeOperand() const { return op == Op::WaitFlag ? 1 : 0; }

const std::vector<OpInfo> &allOps() {
  static const std::vector<OpInfo> table = makeTable();
  return table;
}

const OpInfo &infoOf(Op op) { return allOps()[static_cast<unsigned>(op)]; }

const OpInfo *opWithCode(uint16_t opcode) {
  static const auto byCode = [] {
    std::unordered_map<uint16_t, const OpInfo *> map;
    for (const OpInfo &info : allOps())
      map.emplace(info.opcode, &info);
    return map;
  }();
  auto found = byCode.find(opcode);
  return found == byCode.end() ? nullptr : found->second;
}

const OpInfo *opNamed(std::string_view mnemonic) {
  static const auto byName = [] {
    std::unordered_map<std::string_view, const OpInfo *> map;
    for (const OpInfo &info : allOps())
      map.emplace(info.mnemonic, &info);
    return map;
  }();
  auto found = byName.find(mnemonic);
  return found == byName.end() ? nullptr : found->second;
}

} // namespace npu
