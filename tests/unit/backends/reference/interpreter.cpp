#include "backends/reference/interpreter.h"

#include <cstring>
#include <map>
#include <set>

#include <gmock/gmock.h>

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"

#include "backends/reference/model_runner.h"
#include "ir/tile/dialect.h"

namespace lathe::reference {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Tensors of f32 by name; e4m3 codes given by their bytes.
class LiteralWeights : public StoredWeights {
public:
  void add(const std::string &name, llvm::SmallVector<int64_t> shape,
           const std::vector<float> &values) {
    std::vector<uint8_t> &bytes = bytes_[name];
    bytes.resize(values.size() * 4);
    std::memcpy(bytes.data(), values.data(), bytes.size());
    shapes_[name] = std::move(shape);
  }
  void addCodes(const std::string &name, llvm::SmallVector<int64_t> shape,
                std::vector<uint8_t> codes) {
    bytes_[name] = std::move(codes);
    shapes_[name] = std::move(shape);
    codes_.insert(name);
  }
  int loads = 0;

protected:
  mlir::FailureOr<StoredTensor> find(ir::WeightOp op, ir::TensorRefAttr reference) override {
    ++loads;
    const std::string name = reference.getName().str();
    if (!bytes_.count(name))
      return op.emitOpError("no tensor ") << name;
    const mlir::Type element = codes_.count(name)
                                   ? mlir::Type(mlir::Float8E4M3FNType::get(op.getContext()))
                                   : mlir::Type(mlir::Float32Type::get(op.getContext()));
    return StoredTensor{element, shapes_[name], bytes_[name]};
  }

private:
  std::map<std::string, std::vector<uint8_t>> bytes_;
  std::map<std::string, llvm::SmallVector<int64_t>> shapes_;
  std::set<std::string> codes_;
};

class InterpreterTest : public testing::Test {
protected:
  InterpreterTest()
      : context(registry()), handler(&context, [this](mlir::Diagnostic &diagnostic) {
          errors += diagnostic.str() + "\n";
          return mlir::success();
        }) {}

  static mlir::DialectRegistry registry() {
    mlir::DialectRegistry result;
    result.insert<mlir::func::FuncDialect, ir::LatheDialect, tile::TileDialect>();
    return result;
  }

  // Runs the body of a function that returns `results`.
  mlir::FailureOr<Values> run(const std::string &arguments, const std::string &results,
                              const std::string &body, llvm::ArrayRef<Value> values) {
    context.loadAllAvailableDialects();
    module = mlir::parseSourceString<mlir::ModuleOp>("func.func @f(" + arguments + ") -> (" +
                                                         results + ") {\n" + body + "\n}" + kernels,
                                                     &context);
    EXPECT_TRUE(module) << errors;
    interpreter = std::make_unique<Interpreter>(weights);
    return interpreter->run(*module->getOps<mlir::func::FuncOp>().begin(), values);
  }
  std::vector<float> floats(const mlir::FailureOr<Values> &results) {
    EXPECT_TRUE(mlir::succeeded(results)) << errors;
    return mlir::succeeded(results) ? as<Tensor>(results->front())->values : std::vector<float>();
  }

  std::string errors, kernels; // functions beside it
  mlir::MLIRContext context;
  mlir::ScopedDiagnosticHandler handler;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  LiteralWeights weights;
  std::unique_ptr<Interpreter> interpreter;
};

TEST_F(InterpreterTest, cutsRowsOutOfAStoredTensor) {
  weights.add("gate_up", {4, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_THAT(floats(run("", "tensor<2x2xf32>", R"(
    %w = lathe.weight "up" from [#lathe.tensor_ref<"gate_up">] rows = [2, 4] : tensor<2x2xf32>
    return %w : tensor<2x2xf32>)",
                         {})),
              ElementsAre(5, 6, 7, 8));
}

TEST_F(InterpreterTest, cutsRowsOutOfEachMatrixOfAStoredStack) {
  weights.add("gate_up", {2, 2, 1}, {1, 2, 3, 4});
  EXPECT_THAT(floats(run("", "tensor<2x1x1xf32>", R"(
    %w = lathe.weight "up" from [#lathe.tensor_ref<"gate_up">] rows = [1, 2] : tensor<2x1x1xf32>
    return %w : tensor<2x1x1xf32>)",
                         {})),
              ElementsAre(2, 4));
}

TEST_F(InterpreterTest, stacksOneTensorForEachExpert) {
  weights.add("a", {1, 2}, {1, 2});
  weights.add("b", {1, 2}, {3, 4});
  EXPECT_THAT(floats(run("", "tensor<2x1x2xf32>", R"(
    %w = lathe.weight "w" from [#lathe.tensor_ref<"a">, #lathe.tensor_ref<"b">] : tensor<2x1x2xf32>
    return %w : tensor<2x1x2xf32>)",
                         {})),
              ElementsAre(1, 2, 3, 4));
}

TEST_F(InterpreterTest, cutsScalesAtTheSameRowsAsCodes) {
  weights.addCodes("w", {4, 2}, std::vector<uint8_t>(8, 0x38)); // ones
  weights.add("s", {2, 1}, {10, 20});
  EXPECT_THAT(floats(run("", "tensor<2x2xf32>", R"(
    %w = lathe.weight "w" from [#lathe.tensor_ref<"w">] scales [#lathe.tensor_ref<"s">] rows = [2, 4] : !lathe.quantized<2x2xf8E4M3FN, block<2x2xf32>>
    %f = lathe.dequantize %w : !lathe.quantized<2x2xf8E4M3FN, block<2x2xf32>> -> tensor<2x2xf32>
    return %f : tensor<2x2xf32>)",
                         {})),
              ElementsAre(20, 20, 20, 20));
}

TEST_F(InterpreterTest, givesASingleScaleToWhateverRowsAreCut) {
  weights.addCodes("w", {4, 2}, std::vector<uint8_t>(8, 0x38));
  weights.add("s", {}, {10});
  EXPECT_THAT(floats(run("", "tensor<2x2xf32>", R"(
    %w = lathe.weight "w" from [#lathe.tensor_ref<"w">] scales [#lathe.tensor_ref<"s">] rows = [1, 3] : !lathe.quantized<2x2xf8E4M3FN, block<2x2xf32>>
    %f = lathe.dequantize %w : !lathe.quantized<2x2xf8E4M3FN, block<2x2xf32>> -> tensor<2x2xf32>
    return %f : tensor<2x2xf32>)",
                         {})),
              ElementsAre(10, 10, 10, 10));
}

TEST_F(InterpreterTest, loadsEachWeightOnce) {
  weights.add("w", {1, 1}, {2});
  const std::string body = R"(
    %w = lathe.weight "w" from [#lathe.tensor_ref<"w">] : tensor<1x1xf32>
    return %w : tensor<1x1xf32>)";
  floats(run("", "tensor<1x1xf32>", body, {}));
  floats(interpreter->run(*module->getOps<mlir::func::FuncOp>().begin(), {}));
  EXPECT_EQ(weights.loads, 1);
}

struct Refusal {
  const char *name, *body, *message;
};
class WeightRefusals : public InterpreterTest, public testing::WithParamInterface<Refusal> {};

TEST_P(WeightRefusals, sayWhatIsStoredAndWhatIsAskedFor) {
  weights.add("w", {4, 2}, std::vector<float>(8));
  weights.addCodes("codes", {4, 2}, std::vector<uint8_t>(8));
  weights.add("scales", {2, 1}, {1, 1});
  const std::string type = llvm::StringRef(GetParam().body).rsplit(" : ").second.str();
  EXPECT_TRUE(mlir::failed(
      run("", type, std::string("%w = ") + GetParam().body + "\nreturn %w : " + type, {})));
  EXPECT_THAT(errors, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, WeightRefusals,
    testing::Values(
        Refusal{"missing",
                R"(lathe.weight "w" from [#lathe.tensor_ref<"other">] : tensor<4x2xf32>)",
                "no tensor other"},
        Refusal{"shape", R"(lathe.weight "w" from [#lathe.tensor_ref<"w">] : tensor<3x2xf32>)",
                "tensor w has shape [4, 2]; the type asks for [3, 2]"},
        Refusal{"type", R"(lathe.weight "w" from [#lathe.tensor_ref<"w">] : tensor<4x2xbf16>)",
                "tensor w holds 'f32'; the type asks for 'bf16'"},
        Refusal{"rows",
                R"(lathe.weight "w" from [#lathe.tensor_ref<"w">] rows = [3, 5] : tensor<2x2xf32>)",
                "rows end at 5 but tensor w has shape [4, 2]"},
        Refusal{
            "scales",
            R"(lathe.weight "w" from [#lathe.tensor_ref<"codes">] scales [#lathe.tensor_ref<"scales">] : !lathe.quantized<4x2xf8E4M3FN, block<1x2xf32>>)",
            "scales scales hold 2 elements; the type asks for 4"},
        Refusal{
            "cut",
            R"(lathe.weight "w" from [#lathe.tensor_ref<"codes">] scales [#lathe.tensor_ref<"scales">] rows = [1, 3] : !lathe.quantized<2x2xf8E4M3FN, block<2x2xf32>>)",
            "rows from 1 cut a block of 2 rows"}),
    [](const auto &info) { return info.param.name; });

// Two by two points over three rows and three columns: a point sees zeros beyond the end, and what
// it makes there is dropped.
TEST_F(InterpreterTest, runsAKernelAtEachPointOfItsGrid) {
  kernels = R"(
    func.func private @k(%a: tensor<?x3xf32>) -> tensor<2x2xf32> attributes {tile.size = array<i64: 2, 2>} {
      %0 = tile.load %a : tensor<?x3xf32> -> tensor<2x2xf32>
      %1 = tile.sum %0 : tensor<2x2xf32> -> tensor<2x1xf32>
      %2 = tile.load %a strip offset = 2 : tensor<?x3xf32> -> tensor<2x1xf32>
      %3 = tile.scale %1 by 1.0 plus 100.0 : tensor<2x1xf32>
      %4 = tile.mul %3, %2 : tensor<2x1xf32>, tensor<2x1xf32>
      %5 = tile.add %0, %4 : tensor<2x2xf32>, tensor<2x1xf32>
      return %5 : tensor<2x2xf32>
    })";
  EXPECT_THAT(floats(run("%x: tensor<?x3xf32>", "tensor<?x3xf32>", R"(
    %y = tile.launch @k(%x) : (tensor<?x3xf32>) -> tensor<?x3xf32>
    return %y : tensor<?x3xf32>)",
                         {share(Tensor({3, 3}, {1, 2, 1, 4, 5, 2, 7, 8, 3}))})),
              ElementsAre(104, 105, 102, 222, 223, 206, 352, 353, 312));
}

TEST_F(InterpreterTest, refusesAKernelWhoseRowsDisagree) {
  kernels = R"(
    func.func private @k(%a: tensor<?x1xf32>, %b: tensor<?x1xf32>) -> tensor<2x1xf32> attributes {tile.size = array<i64: 2, 1>} {
      %0 = tile.load %a : tensor<?x1xf32> -> tensor<2x1xf32>
      %1 = tile.load %b : tensor<?x1xf32> -> tensor<2x1xf32>
      %2 = tile.add %0, %1 : tensor<2x1xf32>, tensor<2x1xf32>
      return %2 : tensor<2x1xf32>
    })";
  EXPECT_TRUE(mlir::failed(run("%x: tensor<?x1xf32>, %y: tensor<?x1xf32>", "tensor<?x1xf32>", R"(
    %z = tile.launch @k(%x, %y) : (tensor<?x1xf32>, tensor<?x1xf32>) -> tensor<?x1xf32>
    return %z : tensor<?x1xf32>)",
                               {share(Tensor({3, 1})), share(Tensor({2, 1}))})));
  EXPECT_THAT(errors, HasSubstr("gives the kernel 3 and 2 rows"));
}

TEST_F(InterpreterTest, refusesATokenBeyondTheTable) {
  EXPECT_TRUE(mlir::failed(run("%t: tensor<?xi32>, %w: tensor<3x1xf32>", "tensor<?x1xf32>", R"(
    %0 = lathe.embedding %t, %w : (tensor<?xi32>, tensor<3x1xf32>) -> tensor<?x1xf32>
    return %0 : tensor<?x1xf32>)",
                               {share(Indices({3})), share(Tensor({3, 1}))})));
  EXPECT_THAT(errors, HasSubstr("a token is 3; it should be from 0 to 2"));
}

TEST_F(InterpreterTest, refusesRowsThatDisagree) {
  EXPECT_TRUE(mlir::failed(run("%a: tensor<?x1xf32>, %b: tensor<?x1xf32>", "tensor<?x1xf32>", R"(
    %0 = lathe.add %a, %b : tensor<?x1xf32>
    return %0 : tensor<?x1xf32>)",
                               {share(Tensor({2, 1})), share(Tensor({3, 1}))})));
  EXPECT_THAT(errors, HasSubstr("operands have 2 and 3 rows"));
}

TEST_F(InterpreterTest, refusesAPositionBeyondTheContext) {
  const std::string cache = "!lathe.kv_cache<slots = 1, max_context = 4, kv_heads = 1, key_dim = "
                            "1, value_dim = 1, element = f32>";
  const auto attempt = [&](int32_t slot, int32_t position) {
    context.loadAllAvailableDialects();
    const Value empty = emptyCache(mlir::parseType(cache, &context));
    return run(
        "%x: tensor<?x1xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: " + cache,
        "tensor<?x1xf32>, " + cache,
        "%0:2 = lathe.attention %x, %x, %x, %s, %p, %c num_heads = 1 softmax_scale = 1.0 : "
        "(tensor<?x1xf32>, tensor<?x1xf32>, tensor<?x1xf32>, tensor<?xi32>, tensor<?xi32>, " +
            cache + ") -> (tensor<?x1xf32>, " + cache +
            ")\n return %0#0, %0#1 : tensor<?x1xf32>, " + cache,
        {share(Tensor({1, 1})), share(Indices({slot})), share(Indices({position})), empty});
  };
  EXPECT_TRUE(mlir::succeeded(attempt(0, 3)));
  EXPECT_TRUE(mlir::failed(attempt(0, 4)));
  EXPECT_THAT(errors, HasSubstr("a position is 4; it should be from 0 to 3"));
  EXPECT_TRUE(mlir::failed(attempt(1, 0)));
  EXPECT_THAT(errors, HasSubstr("a slot is 1; it should be from 0 to 0"));
}

TEST_F(InterpreterTest, refusesAnArgumentOfAnotherShape) {
  EXPECT_TRUE(mlir::failed(run("%a: tensor<?x2xf32>", "tensor<?x2xf32>",
                               "return %a : tensor<?x2xf32>", {share(Tensor({2, 1}))})));
  EXPECT_THAT(errors, HasSubstr("argument 0 is no 'tensor<?x2xf32>'"));
}

TEST_F(InterpreterTest, refusesOffsetsAndOrdersThatAreNone) {
  EXPECT_TRUE(mlir::failed(
      run("%r: tensor<?x1xf32>, %o: tensor<3xi32>, %w: tensor<2x1x1xf32>", "tensor<?x1xf32>", R"(
    %0 = lathe.expert_ffn %r, %o, %w, %w, %w activations = f32 : (tensor<?x1xf32>, tensor<3xi32>, tensor<2x1x1xf32>, tensor<2x1x1xf32>, tensor<2x1x1xf32>) -> tensor<?x1xf32>
    return %0 : tensor<?x1xf32>)",
          {share(Tensor({2, 1})), share(Indices({0, 3, 2})), share(Tensor({2, 1, 1}))})));
  EXPECT_THAT(errors, HasSubstr("offsets should rise from 0 to the number of rows, which is 2"));
  EXPECT_TRUE(mlir::failed(
      run("%r: tensor<?x1xf32>, %o: tensor<?xi32>, %w: tensor<?x2xf32>", "tensor<?x1xf32>", R"(
    %0 = lathe.moe_combine %r, %o, %w : (tensor<?x1xf32>, tensor<?xi32>, tensor<?x2xf32>) -> tensor<?x1xf32>
    return %0 : tensor<?x1xf32>)",
          {share(Tensor({2, 1})), share(Indices({1, 1})), share(Tensor({1, 2}))})));
  EXPECT_THAT(errors, HasSubstr("order should name each of 2 pairs once"));
}

TEST_F(InterpreterTest, isNoModelWithoutAStep) {
  floats(run("%a: tensor<?x2xf32>", "tensor<?x2xf32>", "return %a : tensor<?x2xf32>",
             {share(Tensor({1, 2}))}));
  EXPECT_TRUE(mlir::failed(ModelRunner::create(*module, weights)));
  EXPECT_THAT(errors, HasSubstr("has neither @step nor @decode and @prefill"));
}

} // namespace
} // namespace lathe::reference
