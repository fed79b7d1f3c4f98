// FLOPs of a decode step, counted by hand for the small model: 4 heads of 16 + 8 and 12, a latent
// of 32, a hidden state of 160, 2 of 4 experts.
#include "passes/cost/work.h"

#include <gmock/gmock.h>

#include "mlir/Parser/Parser.h"

#include "passes/pipeline.h"

namespace lathe::passes::cost {
namespace {

using mlir::func::FuncOp;

constexpr unsigned kFirstCache = 4;
constexpr double kAttention = 48 * 160 + 96 * 48 + 40 * 160 + 160 * 48, kFolds = 112 * 32,
                 kDense = 3 * 192 * 160, kExperts = 4 * 160 + 2 * 3 * 64 * 160 + 3 * 64 * 160,
                 kHead = 72 * 160;

class WorkCost : public testing::Test {
protected:
  WorkCost() {
    context.loadDialect<mlir::func::FuncDialect, ir::LatheDialect>();
    module = mlir::parseSourceFile<mlir::ModuleOp>(
        LATHE_SOURCE_DIR "/tests/lit/passes/inputs/model.mlir", &context);
  }
  FuncOp decode(const Options &options) {
    EXPECT_TRUE(mlir::succeeded(optimise(*module, options)));
    return module->lookupSymbol<FuncOp>("decode");
  }

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

TEST_F(WorkCost, ofTheAbsorbedFormIsTwoLatentsAKey) {
  FuncOp step = decode({.mla_form = "absorbed"});
  for (unsigned cache : {kFirstCache, kFirstCache + 1})
    EXPECT_EQ(keyWork(step, cache), (KeyWork{2 * 4 * (2 * 32 + 8), 0}));
  EXPECT_DOUBLE_EQ(weightFlops(step), 2 * (2 * (kAttention + kFolds) + kDense + kExperts + kHead));
}

TEST_F(WorkCost, ofTheMaterialisedFormExpandsEachKey) {
  FuncOp step = decode({.mla_form = "materialised"});
  EXPECT_EQ(keyWork(step, kFirstCache), (KeyWork{2 * 4 * 32 * 28 + 2 * 4 * 36, 0}));
  EXPECT_DOUBLE_EQ(weightFlops(step), 2 * (2 * kAttention + kDense + kExperts + kHead));
}

TEST_F(WorkCost, isThatOfRowsOfCodesToo) {
  FuncOp step = decode({.activations = "w8a8", .mla_form = "absorbed"});
  EXPECT_DOUBLE_EQ(weightFlops(step), 2 * (2 * (kAttention + kFolds) + kDense + kExperts + kHead));
}

TEST_F(WorkCost, isNothingWhereNoCacheIsUsed) {
  FuncOp step = decode({});
  EXPECT_EQ(keyWork(step, 0), KeyWork{});
}

} // namespace
} // namespace lathe::passes::cost
