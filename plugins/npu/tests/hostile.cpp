// Programs of any instructions on any numbers: each is refused or runs, none does harm. Worth most
// under the sanitizers (NPU_SANITIZE).
#include "builder/builder.h"
#include "rig.h"

#include <random>

namespace npu {
namespace {

class AnyProgram {
public:
  AnyProgram(unsigned seed, uint64_t buffer) : random(seed), buffer(buffer) {}

  std::vector<Instruction> make(unsigned length, const Device &device, CoreKind core) {
    std::vector<Instruction> code;
    while (code.size() < length) {
      Instruction in = one(allOps()[random() % allOps().size()], length);
      Kernel kernel;
      kernel.name = "k";
      (core == CoreKind::Aic ? kernel.aic : kernel.aiv) = {in};
      if (fits(device, kernel).ok())
        code.push_back(in);
    }
    code.push_back({});
    return code;
  }

private:
  int64_t number() {
    static const int64_t values[] = {0,
                                     0,
                                     0,
                                     1,
                                     1,
                                     2,
                                     3,
                                     4,
                                     5,
                                     7,
                                     8,
                                     16,
                                     16,
                                     17,
                                     31,
                                     32,
                                     32,
                                     33,
                                     64,
                                     96,
                                     128,
                                     256,
                                     512,
                                     1024,
                                     2048,
                                     4095,
                                     4096,
                                     8192,
                                     16384,
                                     65536,
                                     -1,
                                     -2,
                                     -32,
                                     INT64_MIN,
                                     INT64_MAX,
                                     int64_t{1} << 31,
                                     (int64_t{1} << 31) - 1,
                                     int64_t{1} << 40,
                                     (int64_t{1} << 48) - 32,
                                     0x3f800000};
    return values[random() % std::size(values)];
  }
  int64_t address(const OperandInfo &operand) {
    if (operand.space == Space::GM)
      return random() % 8 ? static_cast<int64_t>(buffer + random() % 5000 / 4 * 4) : number();
    return random() % 8 ? static_cast<int64_t>(random() % 64 * 512) : number();
  }

  Instruction one(const OpInfo &info, size_t length) {
    Instruction in;
    in.op = info.op;
    for (auto [types, type] : {std::pair{info.types, &in.type}, {info.types2, &in.type2}})
      while (types && !(types >> static_cast<unsigned>(*type) & 1))
        *type = static_cast<DType>(random() % numDTypes);
    in.flags = static_cast<uint8_t>(random() % (1u << info.flags.size()));
    for (unsigned i = 0; i < info.operands.size(); ++i) {
      const OperandInfo &operand = info.operands[i];
      int64_t &value = in.operands[i];
      if (operand.kind == OperandKind::Register ||
          (operand.kind == OperandKind::Value && random() % 6 == 0)) {
        value = random() % 4;
        in.registers |= static_cast<uint16_t>(1u << i);
      } else if (operand.choices || operand.kind == OperandKind::Label) {
        value = random() % (operand.choices ? operand.choices->size() : length);
      } else if (operand.fallback && random() % 2) {
        value = *operand.fallback;
      } else {
        value = operand.kind == OperandKind::Address ? address(operand) : number();
      }
    }
    in.pipe =
        info.pipe == Pipe::NAMED ? static_cast<Pipe>(in.operands[info.pipeOperand()]) : info.pipe;
    return in;
  }

  std::mt19937 random;
  uint64_t buffer;
};

class Hostile : public testing::TestWithParam<const char *> {};

TEST_P(Hostile, programsAreRefusedOrRun) {
  Rig rig(GetParam());
  uint64_t buffer = rig.put(std::vector<float>(1024, 1.0f));
  std::map<std::string, unsigned> kinds;
  for (unsigned seed = 0; seed < 3000; ++seed) {
    AnyProgram program(seed, buffer);
    Kernel kernel;
    kernel.name = "k";
    const Device &device = rig.machine->device();
    kernel.aic = program.make(seed % 12 + 1, device, CoreKind::Aic);
    if (device.aivPerGroup)
      kernel.aiv = program.make(seed % 12 + 1, device, CoreKind::Aiv);
    LaunchOptions options{
        .mode = static_cast<Mode>(seed % 3), .checks = seed % 5 != 0, .maxInstructions = 300};
    std::string error = rig.run(kernel, {}, options);
    ++kinds[error.empty() ? "ran" : "refused"];
  }
  EXPECT_GT(kinds["ran"], 30u);
  EXPECT_GT(kinds["refused"], 100u);
}

INSTANTIATE_TEST_SUITE_P(Devices, Hostile,
                         testing::Values("tiny", "ascend-310p", "cambricon-mlu370"),
                         [](const auto &info) { return std::string(info.param).substr(0, 4); });

TEST(Hostile, readOnlyBuffersAreNotWritten) {
  for (bool scalar : {false, true}) {
    Rig rig;
    const std::vector<std::byte> bytes(64, std::byte{7});
    Result<uint64_t> address = rig.machine->memory().attachReadOnly(bytes.data(), bytes.size());
    ASSERT_TRUE(address.ok());
    KernelBuilder kernel(rig.machine->device(), "writes");
    CoreBuilder &b = kernel.aiv();
    Operand to = b.arg(kernel.buffer("weights", ArgAccess::Read, 64));
    Buffer tile = b.allocate(Space::UB, 64, "tile");
    b.ldUb(tile, to, 64);
    b.sync(Pipe::MTE2, Pipe::MTE3);
    if (scalar)
      b.emit(Op::SStGm, DType::I32, DType::None, {}, {to, 1});
    else
      b.stGm(to, tile, 64);
    Result<Kernel> made = kernel.finish();
    ASSERT_TRUE(made.ok()) << made.message();
    for (bool checks : {true, false})
      EXPECT_THAT(rig.run(*made, {*address}, {.checks = checks}), testing::HasSubstr("read-only"));
    EXPECT_THAT(bytes, testing::Each(std::byte{7}));
  }
}

} // namespace
} // namespace npu
