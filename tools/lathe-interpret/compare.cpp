#include "tools/lathe-interpret/compare.h"

#include <cmath>

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include "backends/reference/quantization.h"
#include "ir/tile/dialect.h"
#include "tools/lathe-interpret/arguments.h"

namespace lathe::interpret {

namespace {

using mlir::failure;
using mlir::func::FuncOp;
using reference::Value;

// The largest difference as a share of the largest magnitude; infinity where values do not compare.
double relativeDifference(const std::vector<float> &a, const std::vector<float> &b) {
  if (a.size() != b.size())
    return HUGE_VAL;
  double difference = 0, magnitude = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) != std::isnan(b[i]))
      return HUGE_VAL;
    if (a[i] == b[i] || std::isnan(a[i]))
      continue;
    difference = std::max(difference, std::fabs(double{a[i]} - b[i]));
    magnitude = std::max(magnitude, std::fabs(double{a[i]}));
  }
  return difference == 0 ? 0 : magnitude == 0 ? HUGE_VAL : difference / magnitude;
}

double relativeDifference(const reference::SlotRows &a, const reference::SlotRows &b) {
  double largest = a.slots.size() == b.slots.size() ? 0 : HUGE_VAL;
  for (size_t slot = 0; slot < std::min(a.slots.size(), b.slots.size()); ++slot)
    largest = std::max(largest, relativeDifference(a.slots[slot], b.slots[slot]));
  return largest;
}

struct Difference {
  const Value &other;

  double operator()(std::monostate) const { return HUGE_VAL; }
  template <typename T> double operator()(const reference::Shared<T> &held) const {
    const T *match = reference::as<T>(other);
    return match ? of(*held, *match) : HUGE_VAL;
  }
  double of(const reference::Tensor &a, const reference::Tensor &b) const {
    return a.shape == b.shape ? relativeDifference(a.values, b.values) : HUGE_VAL;
  }
  double of(const reference::Indices &a, const reference::Indices &b) const {
    return a.shape == b.shape && a.values == b.values ? 0 : HUGE_VAL;
  }
  double of(const reference::Codes &a, const reference::Codes &b) const {
    return of(reference::dequantize(a), reference::dequantize(b));
  }
  double of(const reference::KvCache &a, const reference::KvCache &b) const {
    return std::max(relativeDifference(a.keys, b.keys), relativeDifference(a.values, b.values));
  }
  double of(const reference::LatentCache &a, const reference::LatentCache &b) const {
    return relativeDifference(a.latents, b.latents);
  }
};

// T that one function fixes where the other leaves it open.
int64_t commonRows(FuncOp before, FuncOp after, int64_t otherwise) {
  const auto firstExtent = [](mlir::Type type) {
    auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type);
    return tensor && tensor.getRank() > 0 ? tensor.getDimSize(0) : 0;
  };
  for (auto [a, b] : llvm::zip(before.getArgumentTypes(), after.getArgumentTypes())) {
    const int64_t first = firstExtent(a), second = firstExtent(b);
    if (first != second)
      return mlir::ShapedType::isDynamic(first) ? second : first;
  }
  return otherwise;
}

mlir::FailureOr<reference::Values> runSeeded(FuncOp function, int64_t rows, uint64_t seed) {
  reference::SeededWeights weights(seed);
  mlir::FailureOr<reference::Values> arguments = seededArguments(function, rows, seed);
  if (mlir::failed(arguments))
    return failure();
  return reference::Interpreter(weights).run(function, *arguments);
}

mlir::LogicalResult compareFunctions(FuncOp before, FuncOp after, const CompareOptions &options) {
  if (before.getNumArguments() != after.getNumArguments() ||
      before.getNumResults() != after.getNumResults())
    return after.emitError("has ") << after.getNumArguments() << " arguments and "
                                   << after.getNumResults() << " results; before it had "
                                   << before.getNumArguments() << " and " << before.getNumResults();
  const int64_t rows = commonRows(before, after, options.rows);
  mlir::FailureOr<reference::Values> first = runSeeded(before, rows, options.seed);
  mlir::FailureOr<reference::Values> second = runSeeded(after, rows, options.seed);
  if (mlir::failed(first) || mlir::failed(second))
    return failure();
  double largest = 0;
  for (auto [index, a, b] : llvm::enumerate(*first, *second)) {
    const double difference = std::visit(Difference{b}, a);
    if (!(difference <= options.tolerance))
      return after.emitError("result ")
             << index << " differs by " << difference << " of its largest magnitude; "
             << options.tolerance << " is allowed";
    largest = std::max(largest, difference);
  }
  llvm::outs() << "@" << before.getName() << ": the same within "
               << llvm::format("%.1e", options.tolerance) << " (" << llvm::format("%.1e", largest)
               << ")\n";
  return mlir::success();
}

// Kernels over tiles mean something where they are launched.
std::vector<std::string> functionsOf(mlir::ModuleOp module) {
  std::vector<std::string> names;
  for (FuncOp function : module.getOps<FuncOp>())
    if (!tile::sizeOf(function))
      names.push_back(function.getName().str());
  return names;
}

mlir::FailureOr<FuncOp> lookUp(mlir::ModuleOp module, llvm::StringRef name) {
  if (auto function = module.lookupSymbol<FuncOp>(name))
    return function;
  return module.emitError("has no function @") << name;
}

} // namespace

mlir::LogicalResult compareModules(mlir::ModuleOp before, mlir::ModuleOp after,
                                   const CompareOptions &options) {
  bool same = true;
  for (llvm::StringRef names :
       options.functions.empty() ? functionsOf(before) : options.functions) {
    const auto [name, other] = names.split('=');
    mlir::FailureOr<FuncOp> first = lookUp(before, name);
    mlir::FailureOr<FuncOp> second = lookUp(after, other.empty() ? name : other);
    if (mlir::failed(first) || mlir::failed(second))
      return failure();
    same &= mlir::succeeded(compareFunctions(*first, *second, options));
  }
  return mlir::success(same);
}

} // namespace lathe::interpret
