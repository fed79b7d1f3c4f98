// Rotary embedding: tables of angles, and rotated heads.
#include <cmath>

#include "tests/conformance/recipes/recipes.h"

namespace lathe::conformance {
namespace {

std::vector<float> frequencies(int64_t count, double base) {
  std::vector<float> all;
  for (int64_t i = 0; i < count; ++i)
    all.push_back(
        static_cast<float>(std::pow(base, -static_cast<double>(i) / static_cast<double>(count))));
  return all;
}

mlir::Value tableOf(Body &b, int64_t pairs, double base, double magnitude) {
  auto all = mlir::DenseF32ArrayAttr::get(b.builder().getContext(), frequencies(pairs, base));
  return b.create<ir::RopeTableOp>(b.rowsType(2 * pairs), b.positions(), all, b.f32(magnitude));
}

Measure angles(double magnitude) {
  return {0, 0, 2 * 0x1p-23 * magnitude, 1, "cosine and sine of an angle that is an f32 product"};
}

void addTable(Cases &cases, std::vector<Step> steps, int64_t pairs, double base, double magnitude,
              const char *kind) {
  cases.push_back(
      {absl::StrCat("rope_table/", kind, "/rows", rowsText(steps), "_pairs", pairs), steps,
       [=](Body &b) { b.result(tableOf(b, pairs, base, magnitude), angles(magnitude)); }});
}

struct Heads {
  int64_t heads, head_dim, offset, pairs;
};

void addRope(Cases &cases, ir::RopeLayout layout, std::vector<Step> steps, const Heads &h) {
  const std::string name = ir::stringifyRopeLayout(layout).str();
  cases.push_back({absl::StrCat("rope/", name, "/rows", rowsText(steps), "_heads", h.heads, "_dim",
                                h.head_dim, "_from", h.offset, "_pairs", h.pairs),
                   steps, [=](Body &b) {
                     auto input = b.rows("input", h.heads * h.head_dim);
                     auto table = tableOf(b, h.pairs, 10000, 1);
                     b.result(
                         b.create<ir::RopeOp>(b.rowsType(h.heads * h.head_dim), input, table,
                                              h.head_dim, h.offset, layout),
                         {0, 0, 4 * 0x1p-23, 1, "two products of numbers up to 1, and angles"});
                   }});
}

// The table stands alone, not made by rope_table: for targets that take one op.
void addRopeOfRows(Cases &cases, ir::RopeLayout layout, int64_t rows, const Heads &h) {
  const std::string name = ir::stringifyRopeLayout(layout).str();
  cases.push_back({absl::StrCat("rope/", name, "_alone/rows", rows, "_heads", h.heads, "_dim",
                                h.head_dim, "_from", h.offset, "_pairs", h.pairs),
                   stepsOf({rows}), [=](Body &b) {
                     auto input = b.rows("input", h.heads * h.head_dim);
                     auto table = b.rows("table", 2 * h.pairs);
                     b.result(b.create<ir::RopeOp>(b.rowsType(h.heads * h.head_dim), input, table,
                                                   h.head_dim, h.offset, layout),
                              {0, 0, 2 * 0x1p-23, 1, "two products of numbers up to 1"});
                   }});
}

} // namespace

void addRopeCases(Cases &cases) {
  for (int64_t pairs : {1, 3, 16, 32, 33}) {
    addTable(cases, stepsOf({1, 1, 1}), pairs, 10000, 1, "plain");
    addTable(cases, stepsOf({19, 1, 5}), pairs, 10000, 1, "plain");
    addTable(cases, stepsOf({5}), pairs, 500000, 1, "long_base");
    addTable(cases, stepsOf({5, 1}), pairs, 10000, 1.3862943649, "magnitude");
    // Angles of many turns: positions in the thousands.
    addTable(cases, stepsOf({3000, 1}), pairs, 10000, 1, "far");
  }
  const Heads shapes[] = {{1, 2, 0, 1},      {1, 8, 0, 4},  {4, 16, 0, 8},   {3, 24, 16, 4},
                          {2, 192, 128, 32}, {5, 10, 2, 3}, {16, 64, 0, 32}, {1, 64, 0, 32}};
  for (ir::RopeLayout layout : {ir::RopeLayout::half, ir::RopeLayout::pairs})
    for (const Heads &shape : shapes) {
      addRope(cases, layout, stepsOf({1, 1}), shape);
      addRope(cases, layout, stepsOf({7, 1, 2}), shape);
      addRopeOfRows(cases, layout, 1, shape);
      addRopeOfRows(cases, layout, 5, shape);
    }
}

} // namespace lathe::conformance
