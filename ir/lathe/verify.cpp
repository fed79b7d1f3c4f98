#include "ir/lathe/dialect.h"
namespace lathe::ir {
using mlir::success;
#define STUB(OP) llvm::LogicalResult OP::verify() { return success(); }
STUB(WeightOp) STUB(EmbeddingOp) STUB(SelectRowsOp) STUB(SliceOp) STUB(ConcatOp) STUB(AddOp) STUB(ScaleOp) STUB(SwigluOp) STUB(RmsNormOp) STUB(RopeTableOp) STUB(RopeOp)
STUB(CastOp) STUB(LinearOp) STUB(ScaledMatmulOp) STUB(FusedLinearOp) STUB(GatedLinearOp) STUB(QuantizeOp) STUB(DequantizeOp) STUB(AttentionOp) STUB(MlaAttentionOp) STUB(AbsorbQueryOp) STUB(ExpandValueOp)
STUB(MoeRouteOp) STUB(MoeDispatchOp) STUB(ExpertFfnOp) STUB(MoeCombineOp) STUB(FusedExpertsOp)
}
