#include "passes/cost/table.h"

#include <algorithm>
#include <cmath>

#include "ir/lathe/dialect.h"
#include "passes/cost/text.h"

namespace lathe::passes::cost {

namespace {

using mlir::DictionaryAttr;

constexpr double kNoTime = 1e-12; // seconds; stands for none where times are compared

double numberIn(DictionaryAttr numbers, llvm::StringRef name) {
  auto number = numbers ? numbers.getAs<mlir::FloatAttr>(name) : mlir::FloatAttr();
  return number ? number.getValueAsDouble() : 0;
}

llvm::ArrayRef<double> listIn(DictionaryAttr numbers, llvm::StringRef name) {
  auto list = numbers ? numbers.getAs<mlir::DenseF64ArrayAttr>(name) : mlir::DenseF64ArrayAttr();
  return list ? list.asArrayRef() : llvm::ArrayRef<double>();
}

// A form that nobody measured costs what f32 costs.
DictionaryAttr formIn(DictionaryAttr numbers, llvm::StringRef form) {
  if (!numbers)
    return {};
  auto found = numbers.getAs<DictionaryAttr>(form);
  return found ? found : numbers.getAs<DictionaryAttr>("f32");
}

struct Point {
  double rows, seconds; // of one code
};

// On the line through two points.
double between(const Point &a, const Point &b, double rows) {
  return a.seconds + (b.seconds - a.seconds) * (rows - a.rows) / (b.rows - a.rows);
}

double product(llvm::ArrayRef<int64_t> shape) {
  double count = 1;
  for (int64_t extent : shape)
    count *= static_cast<double>(extent);
  return count;
}

// Of the scales of all blocks.
double scaleBytes(ir::QuantizedType codes) {
  const double block = static_cast<double>(codes.getBlockRows()) * codes.getBlockColumns();
  return std::max(1.0, product(codes.getShape()) / block) * elementBytes(codes.getScaleType());
}

// In rising order of rows.
llvm::SmallVector<Point> measured(DictionaryAttr numbers, llvm::StringRef weight_form,
                                  llvm::StringRef row_form) {
  const auto many = numbers.getAs<DictionaryAttr>("many_rows");
  const DictionaryAttr form = formIn(many, weight_form);
  llvm::ArrayRef<double> counts = listIn(many, "rows"), rates = listIn(form, row_form);
  if (rates.empty())
    rates = listIn(form, "f32");
  llvm::SmallVector<Point> points;
  if (double one = numberIn(numbers.getAs<DictionaryAttr>("one_row"), weight_form); one > 0)
    points.push_back({1, 1 / one});
  for (auto [count, rate] : llvm::zip(counts, rates))
    if (rate > 0)
      points.push_back({count, 2 * count / rate});
  return points;
}

std::string formName(mlir::Type element) {
  if (element.isF32())
    return "f32";
  if (element.isBF16())
    return "bf16";
  if (element.isF16())
    return "f16";
  if (mlir::isa<mlir::Float8E4M3FNType>(element))
    return "e4m3";
  if (mlir::isa<mlir::Float8E5M2Type>(element))
    return "e5m2";
  return "i" + std::to_string(element.getIntOrFloatBitWidth());
}

} // namespace

double elementBytes(mlir::Type element) { return element.getIntOrFloatBitWidth() / 8.0; }

WeightCost weightCost(mlir::Type weight) {
  auto quantised = mlir::dyn_cast<ir::QuantizedType>(weight);
  const mlir::Type element = ir::elementTypeOf(weight);
  const double codes = product(ir::shapeOf(weight));
  return {formName(element), codes,
          codes * elementBytes(element) + (quantised ? scaleBytes(quantised) : 0)};
}

Table::Table(std::string target, DictionaryAttr numbers)
    : target_(std::move(target)), numbers_(numbers) {}

double Table::number(llvm::StringRef name) const { return numberIn(numbers_, name); }

double Table::attentionRate(llvm::StringRef name) const {
  return numberIn(numbers_.getAs<DictionaryAttr>("attention"), name);
}

// Straight lines between what was measured, from one row on, since what is done once for a weight
// is paid once; in proportion to the rows behind the last point, where that no longer matters.
double Table::secondsOfCode(const WeightCost &weight, llvm::StringRef row_form, double rows) const {
  const llvm::SmallVector<Point> points = measured(numbers_, weight.form, row_form);
  if (points.empty())
    return 0;
  const auto *above = llvm::find_if(points, [&](const Point &p) { return p.rows >= rows; });
  if (above == points.end())
    return points.back().seconds * rows / points.back().rows;
  return above == points.begin() ? above->seconds : between(above[-1], above[0], rows);
}

double Table::productSeconds(const WeightCost &weight, llvm::StringRef row_form,
                             double rows) const {
  return std::max(weight.codes * secondsOfCode(weight, row_form, rows), readSeconds(weight.bytes));
}

mlir::FailureOr<llvm::SmallVector<Table>> tablesOf(mlir::ModuleOp module) {
  llvm::SmallVector<Table> tables;
  const mlir::Attribute costs = module->getAttr(kCosts);
  if (!costs)
    return tables;
  auto targets = mlir::dyn_cast<DictionaryAttr>(costs);
  if (!targets)
    return module.emitError() << kCosts << " is " << costs
                              << "; it should be a dictionary of targets";
  for (mlir::NamedAttribute target : targets) {
    auto numbers = mlir::dyn_cast<DictionaryAttr>(target.getValue());
    if (numberIn(numbers, "read_bandwidth") <= 0)
      return module.emitError() << kCosts << " of " << target.getName()
                                << " has no read_bandwidth; it should be in bytes a second";
    tables.emplace_back(target.getName().str(), numbers);
  }
  return tables;
}

llvm::SmallVector<double> worstRatios(llvm::ArrayRef<llvm::SmallVector<double>> seconds) {
  llvm::SmallVector<double> ratios(seconds.front().size(), 0);
  for (llvm::ArrayRef<double> target : seconds)
    for (auto [ratio, time] : llvm::zip(ratios, target))
      ratio = std::max(ratio, time / std::max(*llvm::min_element(target), kNoTime));
  return ratios;
}

size_t leastRegret(llvm::ArrayRef<llvm::SmallVector<double>> seconds) {
  const llvm::SmallVector<double> ratios = worstRatios(seconds);
  return llvm::min_element(ratios) - ratios.begin();
}

std::string timesText(llvm::ArrayRef<Table> tables, llvm::ArrayRef<double> seconds) {
  std::string text;
  for (auto [table, time] : llvm::zip(tables, seconds)) {
    text += text.empty() ? "" : ", ";
    text += (tables.size() > 1 ? table.target() + " " : "") + timeText(time);
  }
  return text;
}

} // namespace lathe::passes::cost
