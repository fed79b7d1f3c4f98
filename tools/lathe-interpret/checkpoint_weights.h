// The interpreter's weights out of a checkpoint folder.
#pragma once

#include "backends/reference/weights.h"
#include "frontend/checkpoint.h"

namespace lathe::reference {

// `checkpoint` must outlive the source. Content hashes are not compared.
class CheckpointWeights : public StoredWeights {
public:
  explicit CheckpointWeights(const frontend::Checkpoint &checkpoint) : checkpoint_(checkpoint) {}

protected:
  mlir::FailureOr<StoredTensor> find(ir::WeightOp op, ir::TensorRefAttr reference) override;

private:
  const frontend::Checkpoint &checkpoint_;
};

} // namespace lathe::reference
