// What is told is read off the regions, so that it cannot differ from what is run.
#include "backends/x86/select/explain_products.h"

#include "absl/strings/str_cat.h"
#include "llvm/ADT/MapVector.h"

#include "backends/x86/costs.h"
#include "backends/x86/kernels/amx_rule.h"
#include "backends/x86/kernels/moe.h"
#include "backends/x86/select/choice.h"
#include "passes/cost/text.h"
#include "passes/explain.h"

namespace lathe::x86 {
namespace {

using passes::Decision;
using passes::cost::Table;
using passes::cost::timeText;

// A region that multiplies rows with weights.
struct Product {
  WeightParams weight;
  XParams x;
  int64_t matrices; // that a step reads
  double rows;      // of each, a mean
  bool one_row;     // the kernel for a single row
};

double rowsOf(int64_t source, const StepProgram &step, double factor = 1) {
  return source == RowSource::rows ? static_cast<double>(step.max_rows) * factor : 1;
}

// Nothing for a kernel that is no product. `top_k`: of the experts before it.
std::optional<Product> productOf(const KernelUse &use, const StepProgram &step, int64_t &top_k) {
  if (use.kernel == "linear") {
    auto p = paramsOf<LinearParams>(use);
    return Product{p.weight, p.x, p.batch,
                   rowsOf(p.row_source, step, static_cast<double>(p.row_factor)),
                   p.row_source != RowSource::rows};
  }
  if (use.kernel == "gated_linear") {
    auto p = paramsOf<GatedLinearParams>(use);
    return Product{p.weight, p.x, 2, rowsOf(p.row_source, step), p.row_source != RowSource::rows};
  }
  const auto each = [&](int64_t experts) {
    return static_cast<double>(step.max_rows * top_k) / static_cast<double>(experts);
  };
  if (use.kernel == "moe_gate_up") {
    auto p = paramsOf<MoeGateUpParams>(use);
    top_k = p.top_k;
    return Product{p.weight, p.x, 2 * p.num_experts, each(p.num_experts), false};
  }
  if (use.kernel == "moe_down") {
    auto p = paramsOf<MoeDownParams>(use);
    return Product{p.weight, p.x, p.num_experts, each(p.num_experts), false};
  }
  if (use.kernel == "moe_gate_up_row") {
    auto p = paramsOf<MoeGateUpRowParams>(use);
    return Product{p.weight, p.x, 2 * p.top_k, 1, true};
  }
  if (use.kernel == "moe_down_row") {
    auto p = paramsOf<MoeDownRowParams>(use);
    return Product{p.weight, p.x, p.top_k, 1, true};
  }
  return std::nullopt;
}

// As costs.json has them.
const char *formOf(const WeightParams &weight) {
  constexpr const char *names[] = {"f32", "bf16", "f16", "e4m3", "e5m2", "i8", "i4"};
  return names[weight.format];
}
const char *formOf(const XParams &x) {
  constexpr const char *names[] = {"f32", "bf16", "w8a8"};
  return names[x.activations];
}

// What one step spends on a product.
class Costs {
public:
  Costs(mlir::MLIRContext &context, const Level &level)
      : level_(level), table_(costsOf(context, level)),
        vectors_(costsOf(context, *findLevel("x86-64-v4"))) {}

  bool onTiles(const Product &p) const {
    return !p.one_row && level_.has_tiles && takesAmx(p.weight, p.x);
  }
  std::string kernel(const Product &p) const {
    if (p.one_row)
      return "one row";
    return takesIntegers(p.weight, p.x) ? "integers" : onTiles(p) ? "AMX" : "vectors";
  }
  double seconds(const Product &p) const { return seconds(table_, p, p.rows); }
  double onVectors(const Product &p) const { return seconds(vectors_, p, p.rows); }
  double rowByRow(const Product &p) const { return p.rows * seconds(table_, p, 1); }

  // With the hand-over of so many items, and with threads that wait for the last one.
  double inItems(const Product &p, int64_t items) const {
    const auto threads = std::max<int64_t>(static_cast<int64_t>(table_.number("threads")), 1);
    const double uneven = static_cast<double>(roundUp(items, threads)) / static_cast<double>(items);
    return table_.number("region_seconds") +
           static_cast<double>(items) * table_.number("item_seconds") + uneven * seconds(p);
  }

private:
  static double seconds(const Table &table, const Product &p, double rows) {
    const double count = static_cast<double>(p.matrices),
                 codes = count * static_cast<double>(p.weight.n * p.weight.k);
    return table.productSeconds(
        {formOf(p.weight), codes, count * static_cast<double>(p.weight.matrix_bytes)}, formOf(p.x),
        rows);
  }

  const Level &level_;
  Table table_, vectors_;
};

std::string counted(double count, absl::string_view one, absl::string_view more) {
  return absl::StrCat(count, " ", count == 1 ? one : more);
}

std::string itemsText(int64_t items) {
  return counted(static_cast<double>(items), "item", "items");
}

std::string whyText(const Product &p, int64_t regions, const Costs &costs) {
  return absl::StrCat(counted(static_cast<double>(regions), "region", "regions"), ", each ",
                      counted(static_cast<double>(p.matrices), "matrix", "matrices"), " with ",
                      counted(p.rows, "row", "rows"), " in ", formOf(p.x),
                      costs.onTiles(p) ? "; codes are exact in bf16" : "");
}

Decision decisionFor(const Level &level, const std::string &label, const Product &p, int64_t items,
                     int64_t regions, const Costs &costs) {
  Decision decision{level.name, label, costs.kernel(p) + ", " + itemsText(items),
                    whyText(p, regions, costs), timeText(costs.inItems(p, items))};
  if (costs.onTiles(p))
    decision.alternatives.push_back({"vectors", timeText(costs.onVectors(p))});
  if (!p.one_row)
    decision.alternatives.push_back({"row by row", timeText(costs.rowByRow(p))});
  for (int64_t other : {items / 2, 2 * items})
    if (other > 0)
      decision.alternatives.push_back({itemsText(other), timeText(costs.inItems(p, other))});
  return decision;
}

} // namespace

void explainProducts(mlir::func::FuncOp function, const Level &level, const Program &program,
                     const StepProgram &step) {
  llvm::MapVector<uint32_t, int64_t> uses; // of each kernel, in the order of the step
  llvm::DenseMap<uint32_t, int64_t> items;
  for (const RegionUse &region : step.regions) {
    ++uses[region.kernel];
    items[region.kernel] = region.items;
  }
  const Costs costs(*function.getContext(), level);
  int64_t top_k = 1;
  for (auto [kernel, count] : uses) {
    const KernelUse &use = program.kernels[kernel];
    if (std::optional<Product> product = productOf(use, step, top_k))
      passes::explain(function.getBody().front().getTerminator(),
                      decisionFor(level, use.label, *product, items[kernel], count, costs));
  }
}

} // namespace lathe::x86
