#include "tests/golden/interpreted_model.h"

#include <gtest/gtest.h>

#include "ir/lathe/dialect.h"

namespace lathe::golden {

InterpretedModel::InterpretedModel(const std::string &checkpoint, const passes::Options &options,
                                   models::CacheElement cache) {
  context_.loadDialect<mlir::func::FuncDialect, ir::LatheDialect>();
  absl::StatusOr<interpret::Model> model =
      interpret::openModel(context_, checkpoint, /*weights=*/"", /*seed=*/0, cache);
  EXPECT_TRUE(model.ok()) << model.status();
  model_ = *std::move(model);
  EXPECT_TRUE(mlir::succeeded(passes::optimise(*model_.module, options)));
}

reference::ModelRunner InterpretedModel::runner() {
  auto runner = reference::ModelRunner::create(*model_.module, *model_.weights);
  EXPECT_TRUE(mlir::succeeded(runner));
  return *std::move(runner);
}

std::vector<float> InterpretedModel::logits(const std::vector<int32_t> &ids) {
  auto result = runner().feedInChunks(ids, 0);
  EXPECT_TRUE(mlir::succeeded(result));
  return result->values;
}

} // namespace lathe::golden
