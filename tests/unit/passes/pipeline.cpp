#include "passes/pipeline.h"

#include <gmock/gmock.h>

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"

#include "ir/lathe/dialect.h"

namespace lathe::passes {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Pipeline : public testing::Test {
protected:
  Pipeline()
      : handler(&context, [this](mlir::Diagnostic &diagnostic) { errors += diagnostic.str(); }) {
    context.loadDialect<mlir::func::FuncDialect, ir::LatheDialect>();
    module = mlir::parseSourceFile<mlir::ModuleOp>(
        LATHE_SOURCE_DIR "/tests/lit/passes/inputs/model.mlir", &context);
  }
  StageHook collect() {
    return [this](llvm::StringRef stage, mlir::ModuleOp seen) {
      EXPECT_EQ(seen, *module);
      stages.push_back(stage.str());
    };
  }

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  std::string errors;
  mlir::ScopedDiagnosticHandler handler;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::vector<std::string> stages;
};

TEST_F(Pipeline, showsTheModuleAfterEachStage) {
  ASSERT_TRUE(mlir::succeeded(optimise(*module, {}, collect())));
  ASSERT_TRUE(mlir::succeeded(plan(*module, collect())));
  EXPECT_THAT(stages, ElementsAre("canonical", "quantize", "specialise", "attention", "fuse",
                                  "legalise", "plan"));
}

TEST_F(Pipeline, stopsAtTheStageThatFailsAndSaysWhy) {
  EXPECT_TRUE(mlir::failed(optimise(*module, {.mla_form = "folded"}, collect())));
  EXPECT_THAT(stages, ElementsAre("canonical", "quantize", "specialise"));
  EXPECT_THAT(errors, HasSubstr("form is 'folded'; it should be materialised or absorbed"));
}

TEST_F(Pipeline, refusesToOptimiseTwice) {
  ASSERT_TRUE(mlir::succeeded(optimise(*module, {})));
  EXPECT_TRUE(mlir::failed(optimise(*module, {})));
  EXPECT_THAT(errors, HasSubstr("has no function @step"));
}

std::string optimisedText(mlir::ModuleOp module) {
  const mlir::OwningOpRef<mlir::ModuleOp> copy = module.clone();
  EXPECT_TRUE(mlir::succeeded(optimise(*copy, {.activations = "w8a8"})));
  EXPECT_TRUE(mlir::succeeded(plan(*copy)));
  std::string text;
  llvm::raw_string_ostream stream(text);
  (*copy)->print(stream);
  return text;
}

TEST_F(Pipeline, givesTheSameModuleEachTime) {
  EXPECT_EQ(optimisedText(*module), optimisedText(*module));
}

} // namespace
} // namespace lathe::passes
