// A checkpoint through the passes and the interpreter: what compiled code is held against.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "backends/reference/model_runner.h"
#include "passes/pipeline.h"
#include "tools/lathe-interpret/model.h"

namespace lathe::golden {

// Failures are failures of the running test.
class InterpretedModel {
public:
  InterpretedModel(const std::string &checkpoint, const passes::Options &options,
                   models::CacheElement cache = models::CacheElement::f32);

  reference::ModelRunner runner();
  // Of every position, a row after the other, all in one step.
  std::vector<float> logits(const std::vector<int32_t> &ids);

private:
  mlir::MLIRContext context_{mlir::MLIRContext::Threading::DISABLED};
  interpret::Model model_;
};

} // namespace lathe::golden
