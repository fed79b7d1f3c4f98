#include <cmath>
#include <cstring>

#include "backends/reference/quantization.h"
#include "backends/reference/weights.h"
#include "base/float_formats.h"

namespace lathe::reference {

namespace {

using mlir::failure;
using mlir::FailureOr;

std::string shapeText(llvm::ArrayRef<int64_t> shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

template <typename Code, typename Decode>
std::vector<float> decoded(llvm::ArrayRef<uint8_t> bytes, Decode decode) {
  std::vector<float> values(bytes.size() / sizeof(Code));
  for (size_t i = 0; i < values.size(); ++i) {
    Code code; // no alignment is promised
    std::memcpy(&code, bytes.data() + i * sizeof(Code), sizeof(Code));
    values[i] = decode(code);
  }
  return values;
}

// A tensor cut to the rows [begin, end) of each of its matrices.
struct Part {
  std::vector<int64_t> shape;
  std::vector<float> values;
};

Part cutRows(const StoredTensor &stored, std::vector<float> values, int64_t begin, int64_t end) {
  const int64_t rows = stored.shape[stored.shape.size() - 2], columns = stored.shape.back();
  Part part{{stored.shape.begin(), stored.shape.end()}, {}};
  part.shape[part.shape.size() - 2] = end - begin;
  for (size_t first = 0; first < values.size(); first += rows * columns)
    part.values.insert(part.values.end(), values.begin() + first + begin * columns,
                       values.begin() + first + end * columns);
  return part;
}

class Loader {
public:
  using Find = llvm::function_ref<FailureOr<StoredTensor>(ir::TensorRefAttr)>;
  Loader(ir::WeightOp op, Find find) : op_(op), find_(find) {}

  FailureOr<Value> load() {
    FailureOr<Value> stored = loadStored();
    return mlir::failed(stored) || !op_.getStored() ? stored : convertWeight(op_, *stored);
  }

private:
  FailureOr<Value> loadStored() {
    if (auto type = mlir::dyn_cast<ir::QuantizedType>(op_.getTypeInCheckpoint()))
      return loadCodes(type);
    auto type = mlir::cast<mlir::RankedTensorType>(op_.getTypeInCheckpoint());
    FailureOr<std::vector<float>> values =
        all(op_.getSources(), type.getElementType(), type.getShape());
    if (mlir::failed(values))
      return failure();
    return share(Tensor(type.getShape().vec(), std::move(*values)));
  }

  FailureOr<Value> loadCodes(ir::QuantizedType type) {
    Codes codes{type.getShape().vec(), type.getBlockRows(), type.getBlockColumns(), {}, {}};
    FailureOr<std::vector<float>> values =
        all(op_.getSources(), type.getElementType(), type.getShape());
    if (mlir::failed(values))
      return failure();
    codes.codes = std::move(*values);
    if (mlir::failed(loadScales(type, codes)))
      return failure();
    return share(std::move(codes));
  }

  mlir::LogicalResult loadScales(ir::QuantizedType type, Codes &codes) {
    const size_t wanted = codes.codes.size() / (codes.rows() * codes.columns()) *
                          codes.scaleRows() * codes.scaleColumns();
    const mlir::ArrayAttr scales = *op_.getScales();
    const size_t each = wanted / scales.size();
    for (mlir::Attribute attribute : scales) {
      auto reference = mlir::cast<ir::TensorRefAttr>(attribute);
      FailureOr<Part> part = scalesOf(reference, type, codes.scaleRows(), each);
      if (mlir::failed(part))
        return failure();
      codes.scales.insert(codes.scales.end(), part->values.begin(), part->values.end());
    }
    return mlir::success();
  }

  FailureOr<Part> scalesOf(ir::TensorRefAttr reference, ir::QuantizedType type, int64_t scale_rows,
                           size_t wanted) {
    FailureOr<StoredTensor> stored = find_(reference);
    if (mlir::failed(stored))
      return failure();
    FailureOr<std::vector<float>> values = decode(reference, *stored, type.getScaleType());
    if (mlir::failed(values))
      return failure();
    Part part{{stored->shape.begin(), stored->shape.end()}, std::move(*values)};
    // A single scale, or one row of them, is every row's.
    if (op_.getRows() && part.shape.size() > 1 && part.shape[part.shape.size() - 2] > scale_rows) {
      const int64_t begin = (*op_.getRows())[0] / type.getBlockRows();
      if ((*op_.getRows())[0] % type.getBlockRows() ||
          begin + scale_rows > part.shape[part.shape.size() - 2])
        return op_.emitOpError("rows from ")
               << (*op_.getRows())[0] << " cut a block of " << type.getBlockRows() << " rows of "
               << reference.getName();
      part = cutRows(*stored, std::move(part.values), begin, begin + scale_rows);
    }
    if (part.values.size() != wanted)
      return op_.emitOpError("scales ") << reference.getName() << " hold " << part.values.size()
                                        << " elements; the type asks for " << wanted;
    return part;
  }

  FailureOr<std::vector<float>> all(mlir::ArrayAttr references, mlir::Type element,
                                    llvm::ArrayRef<int64_t> shape) {
    const llvm::ArrayRef<int64_t> each = references.size() == 1 ? shape : shape.drop_front();
    std::vector<float> values;
    for (mlir::Attribute attribute : references) {
      FailureOr<Part> part = partOf(mlir::cast<ir::TensorRefAttr>(attribute), element);
      if (mlir::failed(part))
        return failure();
      // A stack of one expert may be stored with or without its first dimension.
      if (llvm::ArrayRef<int64_t>(part->shape) != each &&
          llvm::ArrayRef<int64_t>(part->shape) != shape.drop_front())
        return op_.emitOpError("tensor ")
               << mlir::cast<ir::TensorRefAttr>(attribute).getName() << " has shape "
               << shapeText(part->shape) << "; the type asks for " << shapeText(each);
      values.insert(values.end(), part->values.begin(), part->values.end());
    }
    return values;
  }

  FailureOr<Part> partOf(ir::TensorRefAttr reference, mlir::Type element) {
    FailureOr<StoredTensor> stored = find_(reference);
    if (mlir::failed(stored))
      return failure();
    FailureOr<std::vector<float>> values = decode(reference, *stored, element);
    if (mlir::failed(values))
      return failure();
    if (!op_.getRows())
      return Part{{stored->shape.begin(), stored->shape.end()}, std::move(*values)};
    const int64_t end = (*op_.getRows())[1];
    if (stored->shape.size() < 2 || end > stored->shape[stored->shape.size() - 2])
      return op_.emitOpError("rows end at ") << end << " but tensor " << reference.getName()
                                             << " has shape " << shapeText(stored->shape);
    return cutRows(*stored, std::move(*values), (*op_.getRows())[0], end);
  }

  FailureOr<std::vector<float>> decode(ir::TensorRefAttr reference, const StoredTensor &stored,
                                       mlir::Type element) {
    if (stored.element != element)
      return op_.emitOpError("tensor ") << reference.getName() << " holds " << stored.element
                                        << "; the type asks for " << element;
    return decodeElements(element, stored.bytes);
  }

  ir::WeightOp op_;
  Find find_;
};

} // namespace

FailureOr<Value> StoredWeights::load(ir::WeightOp op) {
  return Loader(op, [&](ir::TensorRefAttr reference) { return find(op, reference); }).load();
}

CodeKind codeKindOf(mlir::Type element) {
  return element.isInteger(8) ? CodeKind::i8 : element.isInteger(4) ? CodeKind::i4 : CodeKind::e4m3;
}

FailureOr<Value> convertWeight(ir::WeightOp op, const Value &stored) {
  const Codes *stored_codes = as<Codes>(stored);
  Tensor floats = stored_codes ? dequantize(*stored_codes) : *as<Tensor>(stored);
  auto type = mlir::dyn_cast<ir::QuantizedType>(op.getType());
  if (!type)
    return share(cast(floats, Element::bf16));
  Codes codes = quantizeWeight(floats, codeKindOf(type.getElementType()), type.getBlockRows(),
                               type.getBlockColumns());
  for (float scale : codes.scales)
    if (!std::isfinite(scale))
      return op.emitOpError("needs a scale that ") << type.getScaleType() << " cannot hold";
  return share(std::move(codes));
}

FailureOr<std::vector<float>> decodeElements(mlir::Type element, llvm::ArrayRef<uint8_t> bytes) {
  if (element.isF32())
    return decoded<uint32_t>(bytes, f32FromBits);
  if (element.isBF16())
    return decoded<uint16_t>(bytes, f32FromBf16);
  if (element.isF16())
    return decoded<uint16_t>(bytes, f32FromF16);
  if (mlir::isa<mlir::Float8E4M3FNType>(element))
    return decoded<uint8_t>(bytes, f32FromE4m3);
  if (mlir::isa<mlir::Float8E5M2Type>(element))
    return decoded<uint8_t>(bytes, f32FromE5m2);
  if (mlir::isa<mlir::Float8E8M0FNUType>(element))
    return decoded<uint8_t>(bytes, f32FromE8m0);
  return failure();
}

Element elementOf(mlir::Type type) {
  return type.isBF16() ? Element::bf16 : type.isF16() ? Element::f16 : Element::f32;
}

} // namespace lathe::reference
