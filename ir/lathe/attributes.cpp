#include "ir/lathe/dialect.h"

#include "llvm/ADT/TypeSwitch.h"

#include "ir/lathe/enums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "ir/lathe/attributes.cpp.inc"

namespace lathe::ir {

using mlir::failure;
using mlir::success;

void LatheDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "ir/lathe/attributes.cpp.inc"
      >();
}

llvm::LogicalResult RoutingAttr::verify(llvm::function_ref<mlir::InFlightDiagnostic()> emitError,
                                        RouteScore score, int64_t topK, int64_t nGroup,
                                        int64_t topkGroup, GroupScore groupScore, bool renormalize,
                                        mlir::FloatAttr scale) {
  if (topK < 1)
    return emitError() << "top_k is " << topK << "; it should be at least 1";
  if (nGroup < 1)
    return emitError() << "n_group is " << nGroup << "; it should be at least 1";
  if (topkGroup < 1 || topkGroup > nGroup)
    return emitError() << "topk_group is " << topkGroup
                       << "; it should be from 1 to n_group, which is " << nGroup;
  if (!scale || !scale.getType().isF32() || !scale.getValue().isFinite())
    return emitError() << "scale should be a finite f32";
  return success();
}

} // namespace lathe::ir
