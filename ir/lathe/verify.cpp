#include "ir/lathe/verify.h"

#include "llvm/Support/raw_ostream.h"

namespace lathe::ir {

using mlir::ShapedType;

bool agree(int64_t a, int64_t b) {
  return a == b || ShapedType::isDynamic(a) || ShapedType::isDynamic(b);
}

bool agree(llvm::ArrayRef<int64_t> a, llvm::ArrayRef<int64_t> b) {
  return a.size() == b.size() && llvm::all_of(llvm::zip(a, b), [](auto pair) {
           return agree(std::get<0>(pair), std::get<1>(pair));
         });
}

int64_t timesRows(int64_t rows, int64_t factor) {
  return ShapedType::isDynamic(rows) ? rows : rows * factor;
}

std::string extentText(int64_t extent) {
  return ShapedType::isDynamic(extent) ? "?" : std::to_string(extent);
}

std::string shapeText(llvm::ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream out(text);
  out << "[";
  llvm::interleaveComma(shape, out, [&](int64_t extent) { out << extentText(extent); });
  out << "]";
  return text;
}

mlir::InFlightDiagnostic wrongCount(mlir::Operation *op, llvm::StringRef name, int64_t count,
                                    llvm::StringRef unit, int64_t wanted, llvm::StringRef reason) {
  return op->emitOpError() << name << " has " << extentText(count) << " " << unit
                           << "; it should have " << extentText(wanted) << ", as " << reason;
}

llvm::LogicalResult verifySameRows(mlir::Operation *op, llvm::ArrayRef<mlir::Value> values) {
  int64_t known = ShapedType::kDynamic;
  for (mlir::Value value : values) {
    if (!agree(rowsOf(value), known))
      return op->emitOpError() << "operands and results have " << known << " and " << rowsOf(value)
                               << " rows; they should have one number of rows";
    if (!ShapedType::isDynamic(rowsOf(value)))
      known = rowsOf(value);
  }
  return mlir::success();
}

int64_t blockColumnsWithin(QuantizedType type) {
  return std::min(type.getBlockColumns(), type.getShape().back());
}

bool blocksNest(int64_t a, int64_t b) { return a % b == 0 || b % a == 0; }

int64_t blockColumnsOf(Activations activations) {
  switch (activations) {
  case Activations::f32:
  case Activations::bf16: return 0;
  case Activations::w8a8:
  case Activations::w8a8_ue8m0: return 128;
  case Activations::w8a8_i8: return 32;
  }
  llvm_unreachable("an activations value without a meaning");
}

} // namespace lathe::ir
