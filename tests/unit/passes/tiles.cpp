// Kernels over tiles mean what the ops meant that they were made of, whatever the shapes.
#include <cmath>
#include <random>

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include "backends/reference/interpreter.h"
#include "backends/reference/seeded.h"
#include "passes/passes.h"

namespace lathe::passes {
namespace {

using reference::Value;
using reference::Values;

// A model's ops with all shapes drawn at random: K columns in, G groups of N, product after
// product, rows open or 1.
struct Shapes {
  int64_t rows, in, group, groups;
  LowerToTilesOptions tiles;

  explicit Shapes(uint32_t seed) {
    std::mt19937 random(seed);
    auto upTo = [&](int64_t most) { return 1 + static_cast<int64_t>(random() % most); };
    rows = upTo(2) == 1 ? 1 : upTo(40);
    in = upTo(50), group = upTo(40), groups = upTo(3);
    tiles.rows = upTo(17), tiles.columns = upTo(70);
  }

  std::string step() const {
    const std::string n = absl::StrCat(group * groups), k = absl::StrCat(in);
    const std::string t = rows == 1 ? "1" : "?";
    return absl::Substitute(
        R"(
func.func @f(%x: tensor<$0x$1xf32>, %w: tensor<$2x$1xbf16>, %b: tensor<$2xf32>, %s: tensor<$3xf32>, %g: tensor<$2x$2xf16>, %c: !lathe.quantized<$1x$2xf8E4M3FN, block<8x16xf32>>) -> (tensor<$0x$2xf32>, tensor<$0x$1xbf16>) {
  %y = lathe.linear %x, %w bias %b : (tensor<$0x$1xf32>, tensor<$2x$1xbf16>, tensor<$2xf32>) -> tensor<$0x$2xf32>
  %n = lathe.rms_norm %y, %s epsilon = 1.000000e-03 : tensor<$0x$2xf32>, tensor<$3xf32>
  %d = lathe.scale %n by 5.000000e-01 : tensor<$0x$2xf32>
  %a = lathe.gated_linear %d, %g, %g : (tensor<$0x$2xf32>, tensor<$2x$2xf16>, tensor<$2x$2xf16>) -> tensor<$0x$2xf32>
  %o, %p = lathe.fused_linear %a, %g, %c : (tensor<$0x$2xf32>, tensor<$2x$2xf16>, !lathe.quantized<$1x$2xf8E4M3FN, block<8x16xf32>>) -> (tensor<$0x$2xf32>, tensor<$0x$1xf32>)
  %r = lathe.add %y, %o : tensor<$0x$2xf32>
  %q = lathe.swiglu %p, %x : tensor<$0x$1xf32>
  %h = lathe.cast %q : tensor<$0x$1xf32> -> tensor<$0x$1xbf16>
  return %r, %h : tensor<$0x$2xf32>, tensor<$0x$1xbf16>
})",
        t, k, n, absl::StrCat(group));
  }
};

class Tiles : public testing::TestWithParam<uint32_t> {
protected:
  Tiles() { context_.loadDialect<mlir::func::FuncDialect, ir::LatheDialect, tile::TileDialect>(); }

  void lower(mlir::ModuleOp module, LowerToTilesOptions sizes) {
    mlir::PassManager passes(&context_);
    passes.addPass(createLowerToTiles(sizes));
    passes.addPass(createFuseTiles());
    ASSERT_TRUE(mlir::succeeded(passes.run(module)));
  }

  static Values run(mlir::ModuleOp module, int64_t rows) {
    auto function = *module.getOps<mlir::func::FuncOp>().begin();
    Values arguments;
    for (auto [i, type] : llvm::enumerate(function.getArgumentTypes()))
      arguments.push_back(
          reference::seededValue(type, rows, reference::Noise(7, std::to_string(i))));
    reference::SeededWeights weights(1);
    auto results = reference::Interpreter(weights).run(function, arguments);
    EXPECT_TRUE(mlir::succeeded(results));
    return mlir::succeeded(results) ? *results : Values();
  }

  mlir::MLIRContext context_;
};

double difference(const reference::Tensor &a, const reference::Tensor &b) {
  double largest = a.shape == b.shape ? 0 : HUGE_VAL;
  for (size_t i = 0; i < a.values.size() && largest < HUGE_VAL; ++i)
    largest = std::max(largest, std::fabs(double{a.values[i]} - b.values[i]) /
                                    std::max(1.0, std::fabs(double{a.values[i]})));
  return largest;
}

TEST_P(Tiles, meanWhatTheOpsMeant) {
  const Shapes shapes(GetParam());
  auto module = mlir::parseSourceString<mlir::ModuleOp>(shapes.step(), &context_);
  ASSERT_TRUE(module);
  const Values before = run(*module, shapes.rows);
  ASSERT_NO_FATAL_FAILURE(lower(*module, shapes.tiles));
  auto function = *module->getOps<mlir::func::FuncOp>().begin();
  for (mlir::Operation &op : function.front().without_terminator())
    EXPECT_TRUE(mlir::isa<tile::LaunchOp>(op)) << op.getName().getStringRef().str();
  const Values after = run(*module, shapes.rows);
  ASSERT_EQ(before.size(), 2u);
  ASSERT_EQ(after.size(), 2u);
  auto f32 = [](const Values &values, int i) {
    return *reference::as<reference::Tensor>(values[i]);
  };
  EXPECT_LE(difference(f32(before, 0), f32(after, 0)), 1e-4) << shapes.step();
  EXPECT_LE(difference(f32(before, 1), f32(after, 1)), 8e-3) << shapes.step(); // an ulp of bf16
}

INSTANTIATE_TEST_SUITE_P(Seeds, Tiles, testing::Range(0u, 60u));

} // namespace
} // namespace lathe::passes
