#include "isa/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <random>
#include <set>

namespace npu {
namespace {

using testing::HasSubstr;

TEST(Ops, haveDifferentCodesAndNames) {
  std::set<std::string_view> names;
  for (const OpInfo &info : allOps()) {
    EXPECT_EQ(opWithCode(info.opcode), &info) << info.mnemonic;
    EXPECT_EQ(opNamed(info.mnemonic), &info);
    EXPECT_TRUE(names.insert(info.mnemonic).second) << info.mnemonic;
    EXPECT_LE(info.operands.size(), maxOperands);
    EXPECT_EQ(&infoOf(info.op), &info);
  }
}

DType anyOf(std::mt19937 &random, uint32_t types) {
  DType type = DType::None;
  while (types && !(types >> static_cast<unsigned>(type) & 1))
    type = static_cast<DType>(random() % numDTypes);
  return type;
}

// Any instruction that verify() lets through.
Instruction anyInstruction(std::mt19937 &random, const OpInfo &info, size_t codeSize) {
  Instruction in;
  in.op = info.op;
  in.type = anyOf(random, info.types);
  in.type2 = anyOf(random, info.types2);
  in.flags = static_cast<uint8_t>(random() % (1u << info.flags.size()));
  for (unsigned i = 0; i < info.operands.size(); ++i) {
    const OperandInfo &operand = info.operands[i];
    bool reg = operand.kind == OperandKind::Register;
    bool fixed = operand.kind == OperandKind::Choice || operand.kind == OperandKind::Label;
    if (!fixed && !reg)
      reg = random() % 3 == 0;
    int64_t wide = static_cast<int64_t>(uint64_t{random()} << 32 | random()) >> random() % 60;
    in.operands[i] = reg                                ? random() % numRegisters
                     : operand.choices                  ? random() % operand.choices->size()
                     : fixed                            ? random() % codeSize
                     : operand.fallback && random() % 2 ? *operand.fallback
                                                        : wide;
    in.registers |= static_cast<uint16_t>(reg) << i;
  }
  in.pipe =
      info.pipe == Pipe::NAMED ? static_cast<Pipe>(in.operands[info.pipeOperand()]) : info.pipe;
  return in;
}

Module anyModule(unsigned seed) {
  std::mt19937 random(seed);
  Module module{"tiny", {}};
  for (unsigned k = 0; k < 2; ++k) {
    Kernel &kernel = module.kernels.emplace_back();
    kernel.name = text("kernel.", k);
    kernel.args = {{"x", ArgKind::Buffer, ArgAccess::ReadWrite, random()},
                   {"n", ArgKind::Scalar, ArgAccess::Read, 0}};
    kernel.workspaceBytes = random();
    kernel.buffers = {{"tile", CoreKind::Aiv, Space::UB, 64, random()}};
    for (auto *code : {&kernel.aic, &kernel.aiv}) {
      for (const OpInfo &info : allOps())
        code->push_back(anyInstruction(random, info, allOps().size()));
      code->push_back({});
    }
  }
  return module;
}

TEST(Text, roundTripsEveryInstructionExactly) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    Module module = anyModule(seed);
    ASSERT_TRUE(verify(module).ok()) << verify(module).message();
    Result<Module> back = assemble(disassemble(module));
    ASSERT_TRUE(back.ok()) << back.message();
    ASSERT_EQ(*back, module) << seed;
  }
}

TEST(Object, roundTripsExactly) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    Module module = anyModule(seed);
    std::string bytes = encode(module);
    Result<Module> back = decode(bytes);
    ASSERT_TRUE(back.ok()) << back.message();
    ASSERT_EQ(*back, module);
    ASSERT_EQ(encode(*back), bytes);
  }
}

TEST(Object, refusesEveryTruncation) {
  std::string bytes = encode(anyModule(1));
  for (size_t size = 0; size < bytes.size(); size += size < 200 ? 1 : 37)
    ASSERT_FALSE(decode(std::string_view(bytes).substr(0, size)).ok()) << size;
}

TEST(Object, survivesDamage) {
  std::string good = encode(anyModule(2));
  std::mt19937 random(3);
  for (int i = 0; i < 3000; ++i) {
    std::string bytes = good;
    for (unsigned n = random() % 4; n < 5; ++n)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    Result<Module> module = decode(bytes);
    EXPECT_TRUE(!module.ok() || verify(*module).ok());
  }
}

TEST(Object, saysWhatIsWrong) {
  EXPECT_THAT(decode("elf").message(), HasSubstr("does not begin with NPUO"));
  std::string bytes = encode(anyModule(1));
  bytes[4] = 9;
  EXPECT_THAT(decode(bytes).message(), HasSubstr("has version 9, this reads 1"));
}

TEST(Assembler, saysTheLineAndWhatToWrite) {
  auto messageOf = [](std::string_view line) {
    Result<Module> module = assemble(text(".kernel k\n.aiv\n", line, "\nend\n"));
    return module.ok() ? "" : module.message();
  };
  EXPECT_THAT(messageOf("vad ub:0"), HasSubstr("line 3: 'vad' is no instruction"));
  EXPECT_THAT(messageOf("vadd.f32 ub:0, ub:0"), HasSubstr("vadd lacks operand b"));
  EXPECT_THAT(messageOf("vadd.f32 ub:0, ub:0, l1:0, 8"), HasSubstr("it must be in ub"));
  EXPECT_THAT(messageOf("vadd.u8 ub:0, ub:0, ub:0, 8"),
              HasSubstr("vadd does not take element type u8"));
  EXPECT_THAT(messageOf("vadd.f32.acc ub:0, ub:0, ub:0, 8"), HasSubstr("takes no suffix '.acc'"));
  EXPECT_THAT(messageOf("b nowhere"), HasSubstr("label 'nowhere' stands nowhere"));
  EXPECT_THAT(messageOf("s.mov r64, 1"), HasSubstr("write a register r0 to r63"));
  EXPECT_THAT(messageOf("set_flag MTE9, V, 0"), HasSubstr("src is 'MTE9', which it does not know"));
  EXPECT_THAT(messageOf("vadd.f32 ub:0, ub:0, ub:0, 8, cols=9"), HasSubstr("cols is given twice"));
}

TEST(Assembler, refusesCodeThatRunsOn) {
  Result<Module> module = assemble(".kernel k\n.aiv\ns.mov r0, 1\n");
  ASSERT_FALSE(module.ok());
  EXPECT_THAT(module.message(), HasSubstr("put 'end' there"));
}

TEST(Assembler, writesFloatsThatComeBack) {
  Result<Module> module = assemble(".kernel k\n.aiv\nvmuls.f32 ub:0, ub:0, 0.1f, 8\nend\n");
  ASSERT_TRUE(module.ok()) << module.message();
  EXPECT_THAT(disassemble(*module), HasSubstr("vmuls.f32 ub:0, ub:0, 0.100000001f, 8"));
}

TEST(Reference, pageIsFresh) {
  std::ifstream file(NPU_SOURCE "/isa/reference.md");
  std::string page{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(page, referencePage()) << "run: npu-asm --reference > plugins/npu/isa/reference.md";
}

TEST(Reference, namesEveryInstruction) {
  std::string page = referencePage();
  for (const OpInfo &info : allOps())
    EXPECT_THAT(page, HasSubstr(text("`", info.mnemonic, "`")));
}

} // namespace
} // namespace npu
