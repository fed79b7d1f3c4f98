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
  out << R"(# Instructions

Made from `isa/ops.inc` by `npu-asm --reference`. `x>ub` is written, `x<ub` read, `x~ub` both; `=N` may be left out.

## Numbers

- A product of the cube is a sum that goes up in k, one product at a time: `c = c + a * b`, the product rounded to f32 (it is exact
  for types of 16 bits and fewer), the sum rounded to f32. Integers add modulo 2^32. With block scales a partial sum of 32 k is made from
  0 in the same way, and `c = c + partial * (scale a * scale b)`.
- f16 and bf16 on the vector unit are computed in f32 and rounded once. Integers wrap.
- `vrsum` adds in 64 lanes, lane i taking elements i, i + 64, ... in order; then lanes are added in pairs of distance 32, 16, 8, 4, 2, 1.
- Everything rounds to nearest, ties to even, unless `vcast` is told otherwise. To integers and to 8-bit floats casts saturate: e4m3 at
  448 (there is no infinity, NaN is 0x7f), e5m2 at 57344. To f16, `fix` saturates and `vcast` does with `.sat`. To e8m0 values go up to
  the next power of two. Casts go through f32.
- `vexp` and `vln` are fixed polynomials in double, rounded to f32, within 1 ulp.
- A matrix in zN lies in column blocks of 32 bytes, each row-major; L0A has what the device says (zZ or zN); L0B has zN of N x K, which
  is nZ of K x N; L0C has zN of 16 x 16 sums.

## Table

| instruction | pipe | types | flags | operands | what it does |
|---|---|---|---|---|---|
)";
  for (const OpInfo &info : allOps())
    writeRow(out, info);
  return out.str();
}

} // namespace npu
