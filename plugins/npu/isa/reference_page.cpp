#include "isa/op.h"

#include <sstream>

namespace npu {
namespace {

void writeTypes(std::ostream &out, uint32_t types) {
  const char *separator = "";
  for (unsigned i = 1; i < numDTypes; ++i)
    if (types >> i & 1) {
      out << separator << name(static_cast<DType>(i));
      separator = " ";
    }
}

void writeOperand(std::ostream &out, const OperandInfo &operand) {
  out << " " << operand.name;
  if (operand.kind == OperandKind::Address)
    out << (operand.reads && operand.writes ? "~"
            : operand.reads                 ? "<"
                                            : ">")
        << name(operand.space);
  if (operand.fallback)
    out << "=" << *operand.fallback;
}

void writeRow(std::ostream &out, const OpInfo &info) {
  out << "| `" << info.mnemonic << "` | " << name(info.pipe) << " | ";
  writeTypes(out, info.types);
  if (info.types2) {
    out << " ; ";
    writeTypes(out, info.types2);
  }
  out << " | ";
  for (std::string_view flag : info.flags)
    out << "." << flag << " ";
  out << "| `";
  for (const OperandInfo &operand : info.operands)
    writeOperand(out, operand);
  out << " ` | " << info.summary << " |\n";
}

} // namespace

std::string referencePage() {
  std::ostringstream out;
  out << "# Instructions\n\nMade from `isa/ops.inc` by `npu-asm --reference`. `x>ub` is written, "
         "`x<ub` "
         "read, `x~ub` both; `=N` may be left out.\n\n"
         "| instruction | pipe | types | flags | operands | what it does "
         "|\n|---|---|---|---|---|---|\n";
  for (const OpInfo &info : allOps())
    writeRow(out, info);
  return out.str();
}

} // namespace npu
