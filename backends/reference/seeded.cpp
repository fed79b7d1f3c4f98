#include "backends/reference/seeded.h"

#include <algorithm>
#include <cmath>

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/Support/xxhash.h"

#include "backends/reference/weights.h"

namespace lathe::reference {

namespace {

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
uint64_t mixed(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

float roundedTo(mlir::Type type, double value) {
  llvm::APFloat number(value);
  bool loses;
  number.convert(mlir::cast<mlir::FloatType>(type).getFloatSemantics(),
                 llvm::APFloat::rmNearestTiesToEven, &loses);
  number.convert(llvm::APFloat::IEEEsingle(), llvm::APFloat::rmNearestTiesToEven, &loses);
  return number.convertToFloat();
}

std::vector<int64_t> extents(llvm::ArrayRef<int64_t> shape, int64_t rows) {
  std::vector<int64_t> result = shape.vec();
  for (int64_t &extent : result)
    if (mlir::ShapedType::isDynamic(extent))
      extent = rows;
  return result;
}

Value seededTensor(mlir::RankedTensorType type, int64_t rows, const Noise &noise) {
  Tensor tensor(extents(type.getShape(), rows));
  for (size_t i = 0; i < tensor.values.size(); ++i)
    tensor.values[i] = roundedTo(type.getElementType(), noise(i));
  return share(std::move(tensor));
}

Value seededCodes(ir::QuantizedType type, int64_t rows, const Noise &noise) {
  Codes codes{extents(type.getShape(), rows), type.getBlockRows(), type.getBlockColumns(), {}, {}};
  const int64_t matrices = codes.shape.size() == 3 ? codes.shape[0] : 1;
  for (int64_t i = 0; i < matrices * codes.rows() * codes.columns(); ++i)
    codes.codes.push_back(seededCode(type.getElementType(), noise(i)));
  for (int64_t i = 0; i < matrices * codes.scaleRows() * codes.scaleColumns(); ++i)
    codes.scales.push_back(
        seededScale(type.getElementType(), type.getScaleType(), noise(i, 1), codes.columns()));
  return share(std::move(codes));
}

SlotRows seededRows(int64_t slots, int64_t context, int64_t columns, mlir::Type element,
                    const Noise &noise, int64_t which) {
  SlotRows rows(slots, columns, element.isBF16());
  std::vector<float> entry(columns);
  for (int64_t slot = 0; slot < slots; ++slot)
    for (int64_t position = 0; position < std::min(context, kSeededContext); ++position) {
      for (int64_t j = 0; j < columns; ++j)
        entry[j] = static_cast<float>(noise(slot * context + position, j, which));
      rows.write(slot, position, entry.data());
    }
  return rows;
}

Value seededKvCache(ir::KvCacheType type, const Noise &noise) {
  KvCache cache{
      type.getKvHeads(), type.getKeyDim(), type.getValueDim(), type.getMaxContext(), {}, {}};
  cache.keys = seededRows(type.getSlots(), type.getMaxContext(),
                          type.getKvHeads() * type.getKeyDim(), type.getElement(), noise, 0);
  cache.values = seededRows(type.getSlots(), type.getMaxContext(),
                            type.getKvHeads() * type.getValueDim(), type.getElement(), noise, 1);
  return share(std::move(cache));
}

Value seededLatentCache(ir::LatentCacheType type, const Noise &noise) {
  LatentCache cache{type.getKvLoraRank(), type.getRopeDim(), type.getMaxContext(), {}};
  cache.latents = seededRows(type.getSlots(), type.getMaxContext(),
                             type.getKvLoraRank() + type.getRopeDim(), type.getElement(), noise, 0);
  return share(std::move(cache));
}

// Elements of one stored tensor, in the order of a weight's result.
class SeededElements {
public:
  SeededElements(ir::WeightOp op, uint64_t seed, int64_t first_row)
      : shape_(ir::shapeOf(op.getType())), seed_(seed), first_row_(first_row) {}

  // `element(noise)` for each element of each source; `rows` and `columns` of a matrix of the grid.
  template <typename Make>
  std::vector<float> all(mlir::ArrayAttr sources, int64_t rows, int64_t columns,
                         Make element) const {
    const int64_t matrices = shape_.size() == 3 && sources.size() == 1 ? shape_[0] : 1;
    std::vector<float> values;
    for (mlir::Attribute source : sources) {
      const Noise noise(seed_, mlir::cast<ir::TensorRefAttr>(source).getName());
      for (int64_t matrix = 0; matrix < matrices; ++matrix)
        for (int64_t i = 0; i < rows; ++i)
          for (int64_t j = 0; j < columns; ++j)
            values.push_back(element(noise(first_row_ + i, j, matrix)));
    }
    return values;
  }

private:
  llvm::ArrayRef<int64_t> shape_;
  uint64_t seed_;
  int64_t first_row_;
};

} // namespace

Noise::Noise(uint64_t seed, llvm::StringRef name)
    : key_(mixed(seed ^ mixed(llvm::xxh3_64bits(name)))) {}

double Noise::operator()(int64_t i, int64_t j, int64_t k) const {
  const uint64_t bits = mixed(key_ ^ mixed(i ^ mixed(j ^ mixed(k))));
  return static_cast<double>(bits >> 11) * 0x1p-52 - 1.0;
}

// Codes up to 240 lie in the range of both FP8 formats.
static double largestCode(mlir::Type element) {
  return element.isInteger(8) ? 127 : element.isInteger(4) ? 7 : 240;
}

float seededCode(mlir::Type element, double noise) {
  const double code = noise * largestCode(element);
  return element.isInteger() ? static_cast<float>(std::round(code)) : roundedTo(element, code);
}

float seededScale(mlir::Type element, mlir::Type scale_type, double noise, int64_t columns) {
  const double scale =
      (1.5 + noise / 2) / largestCode(element) / std::sqrt(static_cast<double>(columns));
  if (mlir::isa<mlir::Float8E8M0FNUType>(scale_type))
    return static_cast<float>(std::exp2(std::round(std::log2(scale))));
  return roundedTo(scale_type, scale);
}

Value seededValue(mlir::Type type, int64_t rows, const Noise &noise) {
  if (auto quantized = mlir::dyn_cast<ir::QuantizedType>(type))
    return seededCodes(quantized, rows, noise);
  if (auto cache = mlir::dyn_cast<ir::KvCacheType>(type))
    return seededKvCache(cache, noise);
  if (auto cache = mlir::dyn_cast<ir::LatentCacheType>(type))
    return seededLatentCache(cache, noise);
  auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type);
  if (tensor && mlir::isa<mlir::FloatType>(tensor.getElementType()))
    return seededTensor(tensor, rows, noise);
  return {};
}

mlir::FailureOr<Value> SeededWeights::load(ir::WeightOp op) {
  mlir::FailureOr<Value> stored = loadStored(op);
  return op.getStored() ? convertWeight(op, *stored) : stored;
}

mlir::FailureOr<Value> SeededWeights::loadStored(ir::WeightOp op) {
  const llvm::ArrayRef<int64_t> shape = ir::shapeOf(op.getType());
  const int64_t first_row = op.getRows() ? (*op.getRows())[0] : 0;
  const int64_t columns = shape.back(), rows = shape.size() == 1 ? 1 : shape[shape.size() - 2];
  const SeededElements elements(op, seed_, first_row);
  if (auto type = mlir::dyn_cast<ir::QuantizedType>(op.getTypeInCheckpoint())) {
    Codes codes{shape.vec(), type.getBlockRows(), type.getBlockColumns(), {}, {}};
    codes.codes = elements.all(op.getSources(), rows, columns, [&](double noise) {
      return seededCode(type.getElementType(), noise);
    });
    const SeededElements scales(op, seed_, first_row / type.getBlockRows());
    codes.scales =
        scales.all(*op.getScales(), codes.scaleRows(), codes.scaleColumns(), [&](double noise) {
          return seededScale(type.getElementType(), type.getScaleType(), noise, columns);
        });
    return share(std::move(codes));
  }
  auto type = mlir::cast<mlir::RankedTensorType>(op.getTypeInCheckpoint());
  const double size = std::sqrt(3.0 / static_cast<double>(columns)); // variance 1 / columns
  return share(Tensor(shape.vec(), elements.all(op.getSources(), rows, columns, [&](double noise) {
    return roundedTo(type.getElementType(), shape.size() == 1 ? 1 + noise / 4 : noise * size);
  })));
}

} // namespace lathe::reference
