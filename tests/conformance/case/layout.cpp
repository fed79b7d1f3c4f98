#include "tests/conformance/case/layout.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringSwitch.h"

namespace lathe::conformance {
namespace {

int64_t blockExtent(llvm::StringRef text, int64_t whole) {
  int64_t extent = whole;
  if (text != "all")
    text.getAsInteger(10, extent);
  return extent;
}

} // namespace

mlir::Type elementNamed(mlir::MLIRContext *context, llvm::StringRef name) {
  return llvm::StringSwitch<mlir::Type>(name)
      .Case("f32", mlir::Float32Type::get(context))
      .Case("bf16", mlir::BFloat16Type::get(context))
      .Case("f16", mlir::Float16Type::get(context))
      .Case("f8e4m3", mlir::Float8E4M3FNType::get(context))
      .Case("f8e5m2", mlir::Float8E5M2Type::get(context))
      .Case("f8e8m0", mlir::Float8E8M0FNUType::get(context))
      .Case("i32", mlir::IntegerType::get(context, 32))
      .Case("i8", mlir::IntegerType::get(context, 8))
      .Case("i4", mlir::IntegerType::get(context, 4))
      .Default({});
}

mlir::Type weightType(mlir::MLIRContext *context, llvm::ArrayRef<int64_t> shape,
                      llvm::StringRef layout) {
  llvm::SmallVector<llvm::StringRef> parts;
  layout.split(parts, '_');
  mlir::Type element = elementNamed(context, parts[0]);
  if (parts.size() == 1)
    return mlir::RankedTensorType::get(shape, element);
  auto [rows, columns] = parts[1].split('x');
  mlir::Type scale = elementNamed(context, parts.size() > 2 ? parts[2] : "f32");
  return ir::QuantizedType::get(context, shape, element, blockExtent(rows, shape[shape.size() - 2]),
                                blockExtent(columns, shape.back()), scale);
}

mlir::Type storedType(mlir::Type type) {
  auto codes = mlir::dyn_cast<ir::QuantizedType>(type);
  if (!codes || !codes.getElementType().isInteger())
    return type;
  return mlir::RankedTensorType::get(codes.getShape(), mlir::BFloat16Type::get(type.getContext()));
}

} // namespace lathe::conformance
