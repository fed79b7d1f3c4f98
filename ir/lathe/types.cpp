#include "ir/lathe/dialect.h"

#include "llvm/ADT/TypeSwitch.h"

#define GET_TYPEDEF_CLASSES
#include "ir/lathe/types.cpp.inc"

namespace lathe::ir {

using mlir::failure;
using mlir::success;
using EmitError = llvm::function_ref<mlir::InFlightDiagnostic()>;

void LatheDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "ir/lathe/types.cpp.inc"
      >();
}

// quantized<160x384xf8E4M3FN, block<128x128xf32>>
mlir::Type QuantizedType::parse(mlir::AsmParser &parser) {
  llvm::SmallVector<int64_t> shape, block;
  mlir::Type element, scale;
  llvm::SMLoc location = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseDimensionList(shape) || parser.parseType(element) ||
      parser.parseComma() || parser.parseKeyword("block") || parser.parseLess() ||
      parser.parseDimensionList(block, /*allowDynamic=*/false) || parser.parseType(scale) ||
      parser.parseGreater() || parser.parseGreater())
    return {};
  if (block.size() != 2) {
    parser.emitError(location, "a block has 2 extents, this one has ") << block.size();
    return {};
  }
  return parser.getChecked<QuantizedType>(location, parser.getContext(), shape, element, block[0],
                                          block[1], scale);
}

void QuantizedType::print(mlir::AsmPrinter &printer) const {
  printer << "<";
  printer.printDimensionList(getShape());
  printer << "x" << getElementType() << ", block<" << getBlockRows() << "x" << getBlockColumns()
          << "x" << getScaleType() << ">>";
}

llvm::LogicalResult QuantizedType::verify(EmitError emitError, llvm::ArrayRef<int64_t> shape,
                                          mlir::Type element, int64_t blockRows,
                                          int64_t blockColumns, mlir::Type scale) {
  if (shape.size() != 2 && shape.size() != 3)
    return emitError() << "a quantised type has 2 or 3 extents, this one has " << shape.size();
  for (int64_t extent : shape.drop_front())
    if (extent < 1)
      return emitError() << "only the first extent of a quantised type may be dynamic, and none 0";
  if (!llvm::isa<mlir::Float8E4M3FNType, mlir::Float8E5M2Type>(element) &&
      !element.isSignlessInteger(8) && !element.isSignlessInteger(4))
    return emitError() << "codes are f8E4M3FN, f8E5M2, i8 or i4, not " << element;
  constexpr int64_t limit = INT32_MAX;
  if (blockRows < 1 || blockColumns < 1 || blockRows > limit || blockColumns > limit)
    return emitError() << "a block is " << blockRows << "x" << blockColumns
                       << "; its extents should be from 1 to " << limit;
  if (!llvm::isa<mlir::Float32Type, mlir::BFloat16Type, mlir::Float16Type, mlir::Float8E8M0FNUType>(
          scale))
    return emitError() << "scales are f32, bf16, f16 or f8E8M0FNU, not " << scale;
  return success();
}

namespace {

// Products of two extents stay far from overflow; positions are i32.
constexpr int64_t kMaxExtent = int64_t{1} << 24, kMaxContext = INT32_MAX;

llvm::LogicalResult verifyExtent(EmitError emitError, llvm::StringRef name, int64_t extent,
                                 int64_t limit = kMaxExtent) {
  if (extent < 1 || extent > limit)
    return emitError() << name << " is " << extent << "; it should be from 1 to " << limit;
  return success();
}

llvm::LogicalResult verifyCacheElement(EmitError emitError, mlir::Type element) {
  if (!llvm::isa<mlir::Float32Type, mlir::BFloat16Type>(element))
    return emitError() << "a cache holds f32 or bf16, not " << element;
  return success();
}

} // namespace

llvm::LogicalResult LatentCacheType::verify(EmitError emitError, int64_t slots, int64_t maxContext,
                                            int64_t kvLoraRank, int64_t ropeDim,
                                            mlir::Type element) {
  return success(succeeded(verifyExtent(emitError, "slots", slots)) &&
                 succeeded(verifyExtent(emitError, "max_context", maxContext, kMaxContext)) &&
                 succeeded(verifyExtent(emitError, "kv_lora_rank", kvLoraRank)) &&
                 succeeded(verifyExtent(emitError, "rope_dim", ropeDim)) &&
                 succeeded(verifyCacheElement(emitError, element)));
}

llvm::LogicalResult KvCacheType::verify(EmitError emitError, int64_t slots, int64_t maxContext,
                                        int64_t kvHeads, int64_t keyDim, int64_t valueDim,
                                        mlir::Type element) {
  return success(succeeded(verifyExtent(emitError, "slots", slots)) &&
                 succeeded(verifyExtent(emitError, "max_context", maxContext, kMaxContext)) &&
                 succeeded(verifyExtent(emitError, "kv_heads", kvHeads)) &&
                 succeeded(verifyExtent(emitError, "key_dim", keyDim)) &&
                 succeeded(verifyExtent(emitError, "value_dim", valueDim)) &&
                 succeeded(verifyCacheElement(emitError, element)));
}

} // namespace lathe::ir
