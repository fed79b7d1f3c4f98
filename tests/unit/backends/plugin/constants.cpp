// Bytes of weights in the form that the program says, against the interpreter's reading of them.
#include "backends/plugin/constants.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"

namespace lathe::plugin {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Bytes = std::vector<uint8_t>;

class Constants : public testing::Test {
protected:
  Constants() { context_.loadDialect<mlir::func::FuncDialect, ir::LatheDialect>(); }

  ir::WeightOp weight(const std::string &text) {
    module_ = mlir::parseSourceString<mlir::ModuleOp>(
        "func.func @f() { %w = lathe.weight " + text + "\n return }", &context_);
    ir::WeightOp found;
    module_->walk([&](ir::WeightOp op) { found = op; });
    return found;
  }

  absl::StatusOr<Bytes> read(ir::WeightOp op, bool scales, uint64_t offset, uint64_t size) {
    Bytes bytes(size);
    absl::Status status = reader_.read(op, scales, offset, size, bytes.data());
    if (!status.ok())
      return status;
    return bytes;
  }

  mlir::MLIRContext context_;
  mlir::OwningOpRef<mlir::ModuleOp> module_;
  std::map<std::string, Bytes> tensors_;
  ConstantReader reader_{[this](llvm::StringRef name) -> absl::StatusOr<absl::Span<const uint8_t>> {
    auto found = tensors_.find(name.str());
    if (found == tensors_.end())
      return absl::NotFoundError("no tensor " + name.str());
    return absl::Span<const uint8_t>(found->second);
  }};
};

Bytes counting(int count, int first = 0) {
  Bytes bytes(count);
  for (int i = 0; i < count; ++i)
    bytes[i] = static_cast<uint8_t>(first + i);
  return bytes;
}

Bytes ofFloats(std::vector<float> values) {
  Bytes bytes(values.size() * 4);
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

TEST_F(Constants, areTheBytesOfTheCheckpointWhereNothingIsConverted) {
  tensors_["t"] = counting(24);
  ir::WeightOp op = weight(R"("w" from [#lathe.tensor_ref<"t">] : tensor<4x3xbf16>)");
  EXPECT_EQ(*read(op, false, 0, 24), counting(24));
  EXPECT_EQ(*read(op, false, 5, 9), counting(9, 5));
  EXPECT_THAT(*read(op, false, 24, 0), ElementsAre());
}

TEST_F(Constants, ofAVectorAreItsElements) {
  tensors_["t"] = counting(10);
  EXPECT_EQ(*read(weight(R"("w" from [#lathe.tensor_ref<"t">] : tensor<5xf16>)"), false, 2, 8),
            counting(8, 2));
}

TEST_F(Constants, areCutAtTheRowsThatAWeightTakes) {
  tensors_["t"] = counting(24);
  ir::WeightOp op = weight(R"("w" from [#lathe.tensor_ref<"t">] rows = [1, 3] : tensor<2x3xbf16>)");
  EXPECT_EQ(*read(op, false, 0, 12), counting(12, 6));
}

TEST_F(Constants, ofAStackStandOneBehindTheOther) {
  tensors_["a"] = counting(6), tensors_["b"] = counting(6, 100);
  tensors_["sa"] = ofFloats({1}), tensors_["sb"] = ofFloats({2});
  ir::WeightOp op = weight(R"("w" from [#lathe.tensor_ref<"a">, #lathe.tensor_ref<"b">]
    scales [#lathe.tensor_ref<"sa">, #lathe.tensor_ref<"sb">]
    : !lathe.quantized<2x2x3xf8E4M3FN, block<128x128xf32>>)");
  EXPECT_THAT(*read(op, false, 4, 4), ElementsAre(4, 5, 100, 101));
  EXPECT_EQ(*read(op, true, 0, 8), ofFloats({1, 2}));
}

TEST_F(Constants, areConvertedWhereTheCheckpointHasAnotherType) {
  tensors_["t"] = ofFloats({7, -3.5, 1, 0.5, -8, 2, 3, 4, 5, 6, 1, -1});
  ir::WeightOp op = weight(
      R"("w" from [#lathe.tensor_ref<"t">] stored as tensor<2x6xf32> : !lathe.quantized<2x6xi4, block<1x4xf16>>)");
  // d of a block of four is the largest by magnitude over -8; of [-8, 2] it is 1: codes -8 and 2.
  Bytes codes = *read(op, false, 0, 6), scales = *read(op, true, 0, 8);
  EXPECT_EQ(codes[2], 0x28);
  EXPECT_THAT((Bytes(scales.begin() + 2, scales.begin() + 4)), ElementsAre(0x00, 0x3c));
  for (uint64_t offset = 0; offset < 6; ++offset) // in any pieces
    EXPECT_EQ((*read(op, false, offset, 1))[0], codes[offset]);
}

TEST_F(Constants, beyondTheEndAreRefused) {
  tensors_["t"] = counting(24);
  ir::WeightOp op = weight(R"("w" from [#lathe.tensor_ref<"t">] : tensor<4x3xbf16>)");
  EXPECT_THAT(read(op, false, 20, 5).status().message(),
              HasSubstr("constant w: bytes 20 to 25 are wanted; it has 24"));
  EXPECT_FALSE(read(op, false, ~0ull, 2).ok());
  EXPECT_THAT(read(op, true, 0, 1).status().message(), HasSubstr("constant w: has no scales"));
}

TEST_F(Constants, withoutTheirTensorSayWhichIsMissing) {
  EXPECT_THAT(
      read(weight(R"("w" from [#lathe.tensor_ref<"gone">] : tensor<4x3xbf16>)"), false, 0, 1)
          .status()
          .message(),
      HasSubstr("no tensor gone"));
}

} // namespace
} // namespace lathe::plugin
