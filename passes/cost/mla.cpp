#include "passes/cost/mla.h"

#include <algorithm>
#include <array>

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include "passes/cost/table.h"

namespace lathe::passes::cost {

namespace {

constexpr double kRowBytes = 4; // an element of a row is f32

double elementBytes(mlir::Type element) { return element.getIntOrFloatBitWidth() / 8.0; }

double product(llvm::ArrayRef<int64_t> shape) {
  double count = 1;
  for (int64_t extent : shape)
    count *= static_cast<double>(extent);
  return count;
}

double bytesOf(mlir::Type weight) {
  auto codes = mlir::dyn_cast<ir::QuantizedType>(weight);
  if (!codes) {
    auto tensor = mlir::cast<mlir::RankedTensorType>(weight);
    return product(tensor.getShape()) * elementBytes(tensor.getElementType());
  }
  const double count = product(codes.getShape());
  const double block = static_cast<double>(codes.getBlockRows()) * codes.getBlockColumns();
  return count * elementBytes(codes.getElementType()) +
         std::max(1.0, count / block) * elementBytes(codes.getScaleType());
}

// 3 digits and the prefix that fits: 71.3 M.
std::string withPrefix(double number) {
  constexpr std::array<const char *, 6> prefixes = {"", "k", "M", "G", "T", "P"};
  size_t prefix = 0;
  while (number >= 999.5 && prefix + 1 < prefixes.size())
    number /= 1000, ++prefix;
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.3g ", number) << prefixes[prefix];
  return text;
}

double sharedBytes(const MlaShape &s, double keys) {
  return s.weight_bytes + keys * static_cast<double>(s.rank + s.rope) * s.cache_element_bytes;
}

} // namespace

MlaShape MlaShape::of(ir::MlaAttentionOp op) {
  const ir::LatentCacheType cache = op.getCache().getType();
  return {static_cast<int64_t>(op.getNumHeads()),
          static_cast<int64_t>(op.getQkNopeHeadDim()),
          static_cast<int64_t>(op.getQkRopeHeadDim()),
          static_cast<int64_t>(op.getVHeadDim()),
          cache.getKvLoraRank(),
          bytesOf(op.getKvB().getType()),
          elementBytes(cache.getElement())};
}

double Work::seconds() const { return std::max(flops / kFlopRate, bytes / kReadRate); }

Work materialised(const MlaShape &s, double rows, double keys) {
  const double heads = s.heads, head = s.nope + s.rope + s.value;
  const double expansion = 2 * keys * heads * s.rank * (s.nope + s.value);
  return {expansion + 2 * rows * keys * heads * head,
          sharedBytes(s, keys) + kRowBytes * rows * heads * head};
}

Work absorbed(const MlaShape &s, double rows, double keys) {
  const double heads = s.heads, head = s.nope + s.rope + s.value, latent = 2 * s.rank + s.rope;
  const double folds = 2 * rows * heads * s.rank * (s.nope + s.value);
  return {folds + 2 * rows * keys * heads * latent,
          sharedBytes(s, keys) + kRowBytes * rows * heads * (head + 2 * latent)};
}

std::string workText(const Work &work) {
  return withPrefix(work.flops) + "FLOP and " + withPrefix(work.bytes) + "B";
}

std::string timeText(double seconds) {
  const bool micro = seconds < 1e-3;
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.3g ", seconds * (micro ? 1e6 : 1e3))
                                 << (micro ? "us" : "ms");
  return text;
}

} // namespace lathe::passes::cost
