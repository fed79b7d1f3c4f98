// Quantised activations have no golden for a whole model: compiled code is held against the
// interpreter, which runs the same optimised IR, by the likelihood of a text.
#include <gmock/gmock.h>

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "passes/pipeline.h"
#include "tests/golden/compiled_model.h"
#include "tools/lathe-interpret/generate.h"
#include "tools/lathe-interpret/model.h"

namespace lathe::golden {
namespace {

const std::string kFolder = LATHE_SOURCE_DIR "/models/stories_mla_fp8";

double interpretedNll(const GoldenFolder &golden) {
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  context.loadDialect<mlir::func::FuncDialect, ir::LatheDialect>();
  absl::StatusOr<interpret::Model> model =
      interpret::openModel(context, golden.path(), /*weights=*/"", /*seed=*/0);
  EXPECT_TRUE(model.ok()) << model.status();
  passes::Options options;
  options.activations = "w8a8";
  EXPECT_TRUE(mlir::succeeded(passes::optimise(*model->module, options)));
  auto runner = reference::ModelRunner::create(*model->module, *model->weights);
  EXPECT_TRUE(mlir::succeeded(runner));
  EvalText text = evalText(golden);
  const auto result = interpret::likelihood(*runner, text.tokens, text.bos, /*window=*/256);
  EXPECT_TRUE(result.ok()) << result.status();
  return result->nats_per_token;
}

TEST(W8a8, predictsATextAsTheInterpreterDoesAndHardlyWorseThanF32) {
  const GoldenFolder golden(kFolder);
  CompiledModel model;
  ASSERT_NO_FATAL_FAILURE(model.compile(kFolder, "w8a8"));
  const double oracle = interpretedNll(golden),
               exact = golden.json()["eval"]["mean_nll"].get<double>();
  for (const std::string &target : model.targets()) {
    const double compiled = model.meanNll(golden, target);
    EXPECT_NEAR(compiled, oracle, 0.003 * oracle) << target;
    EXPECT_NEAR(compiled, exact, 0.02 * exact) << target;
  }
}

} // namespace
} // namespace lathe::golden
