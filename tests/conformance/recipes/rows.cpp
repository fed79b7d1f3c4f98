// Ops that look at one row at a time and do little with it.
#include "tests/conformance/recipes/recipes.h"

namespace lathe::conformance {
namespace {

const std::initializer_list<int64_t> kRows = {1, 2, 7, 33}, kColumns = {1, 3, 16, 65, 130, 257};

// Steps of several sizes, rising and falling, on one program.
const std::vector<Step> kMixed = stepsOf({5, 1, 9, 2});

void addAdd(Cases &cases, const std::string &kind, std::vector<Step> steps, int64_t columns,
            const Fill &fill) {
  cases.push_back(
      {absl::StrCat("add/f32", kind, "/rows", rowsText(steps), "_n", columns), steps, [=](Body &b) {
         auto lhs = b.rows("lhs", columns, fill), rhs = b.rows("rhs", columns, fill);
         b.result(b.create<ir::AddOp>(b.rowsType(columns), lhs, rhs), exact("one addition in f32"));
       }});
}

void addScale(Cases &cases, std::vector<Step> steps, int64_t columns, double factor,
              const char *kind) {
  cases.push_back({absl::StrCat("scale/f32_", kind, "/rows", rowsText(steps), "_n", columns), steps,
                   [=](Body &b) {
                     auto input = b.rows("input", columns);
                     b.result(b.create<ir::ScaleOp>(b.rowsType(columns), input, b.f32(factor)),
                              exact("one product in f32"));
                   }});
}

void addSwiglu(Cases &cases, std::vector<Step> steps, int64_t columns, double size,
               const char *kind) {
  cases.push_back({absl::StrCat("swiglu/f32_", kind, "/rows", rowsText(steps), "_n", columns),
                   steps, [=](Body &b) {
                     auto gate = b.rows("gate", columns, uniform(size)), up = b.rows("up", columns);
                     b.result(b.create<ir::SwigluOp>(b.rowsType(columns), gate, up),
                              {0, 8 * 0x1p-23, 0x1p-119, 1,
                               "an exponential, which may be 0 below the smallest numbers, a "
                               "quotient, two products"});
                   }});
}

void addSlice(Cases &cases, int64_t rows, int64_t columns, int64_t offset, int64_t width) {
  cases.push_back(
      {absl::StrCat("slice/f32/rows", rows, "_n", columns, "_from", offset, "_take", width),
       stepsOf({rows}), [=](Body &b) {
         auto input = b.rows("input", columns);
         b.result(b.create<ir::SliceOp>(b.rowsType(width), input, offset), exact("a copy"));
       }});
}

void addConcat(Cases &cases, int64_t rows, std::vector<int64_t> widths) {
  std::string name = absl::StrCat("concat/f32/rows", rows, "_n");
  for (int64_t width : widths)
    absl::StrAppend(&name, name.back() == 'n' ? "" : "x", width);
  cases.push_back({name, stepsOf({rows}), [=](Body &b) {
                     std::vector<mlir::Value> parts;
                     int64_t columns = 0;
                     for (size_t i = 0; i < widths.size(); columns += widths[i++])
                       parts.push_back(b.rows(absl::StrCat("part", i), widths[i]));
                     b.result(b.create<ir::ConcatOp>(b.rowsType(columns), parts), exact("a copy"));
                   }});
}

// Output rows are fewer than rows, none, or all.
void addSelectRows(Cases &cases, std::vector<Step> steps, int64_t columns) {
  std::string name = "select_rows/f32/";
  for (const Step &step : steps)
    absl::StrAppend(&name, "of", step.rows, "take", step.output_rows, "_");
  cases.push_back({absl::StrCat(name, "n", columns), steps, [=](Body &b) {
                     auto input = b.rows("input", columns);
                     auto type = mlir::RankedTensorType::get({mlir::ShapedType::kDynamic, columns},
                                                             b.builder().getF32Type());
                     b.result(b.create<ir::SelectRowsOp>(type, input, b.outputRows()),
                              exact("a copy"));
                   }});
}

void addEmbedding(Cases &cases, const char *layout, std::vector<Step> steps, int64_t vocab,
                  int64_t columns) {
  cases.push_back(
      {absl::StrCat("embedding/", layout, "/rows", rowsText(steps), "_vocab", vocab, "_n", columns),
       steps, [=](Body &b) {
         auto table = b.weight("table", {vocab, columns}, layout);
         b.result(b.create<ir::EmbeddingOp>(b.rowsType(columns), b.tokens(vocab), table),
                  exact("a copy, or one product of code and scale in f32"));
       }});
}

// Numbers that stand between two of bf16.
Fill halfWay() {
  return [](const reference::Noise &noise, int64_t i, int64_t j) {
    const float middle = 1 + static_cast<float>(2 * (j % 128) + 1) * 0x1p-8F;
    return noise(i, j) < 0 ? -middle : middle;
  };
}

// bf16 and f16 rows stay inside of a program, so the op is seen through a second one.
void addCast(Cases &cases, const char *element, std::vector<Step> steps, int64_t columns,
             const char *kind, const Fill &fill) {
  cases.push_back({absl::StrCat("cast/", element, kind, "/rows", rowsText(steps), "_n", columns),
                   steps, [=](Body &b) {
                     auto input = b.rows("input", columns, fill);
                     auto rounded = b.create<ir::CastOp>(b.rowsType(columns, element), input);
                     b.result(b.create<ir::CastOp>(b.rowsType(columns), rounded),
                              exact("rounding to nearest even is one number"));
                   }});
}

} // namespace

void addRowCases(Cases &cases) {
  for (int64_t columns : kColumns) {
    for (int64_t rows : kRows) {
      addAdd(cases, "", stepsOf({rows}), columns, uniform());
      addSwiglu(cases, stepsOf({rows}), columns, 1, "unit");
    }
    addAdd(cases, "_wide", kMixed, columns, wide());
    addScale(cases, kMixed, columns, 12, "12");
    addScale(cases, stepsOf({1}), columns, -0.0625, "negative");
    addScale(cases, stepsOf({3}), columns, 0, "zero");
    addSwiglu(cases, kMixed, columns, 100, "large");
    addEmbedding(cases, "f32", kMixed, 97, columns);
    addEmbedding(cases, "bf16", kMixed, 97, columns);
    addEmbedding(cases, "f16", stepsOf({1}), 97, columns);
    addCast(cases, "bf16", kMixed, columns, "", wide());
    addCast(cases, "bf16", stepsOf({3, 1}), columns, "_half_way", halfWay());
    addCast(cases, "f16", kMixed, columns, "", uniform(60000));
    addCast(cases, "f16", stepsOf({3}), columns, "_small", uniform(0x1p-14));
  }
  for (int64_t vocab : {1, 2, 63, 1000, 4099}) {
    addEmbedding(cases, "bf16", stepsOf({1}), vocab, 24);
    addEmbedding(cases, "bf16", stepsOf({11}), vocab, 24);
  }
  for (const char *layout : {"f8e4m3_128x128", "i8_1x32_f16", "i4_1x32_f16"})
    for (int64_t columns : {32, 64, 160})
      addEmbedding(cases, layout, kMixed, 131, columns);
  for (int64_t rows : {1, 5}) {
    addSlice(cases, rows, 1, 0, 1);
    addSlice(cases, rows, 40, 0, 32);
    addSlice(cases, rows, 40, 32, 8);
    addSlice(cases, rows, 131, 7, 101);
    addSlice(cases, rows, 131, 130, 1);
    addConcat(cases, rows, {1});
    addConcat(cases, rows, {32, 8});
    addConcat(cases, rows, {1, 3, 5, 7});
    addConcat(cases, rows, {130, 1, 127});
  }
  for (int64_t columns : {1, 16, 131}) {
    addSelectRows(cases, {{1, 1}}, columns);
    addSelectRows(cases, {{1, 0}, {1, 1}}, columns);
    addSelectRows(cases, {{7, 1}, {7, 7}}, columns);
    addSelectRows(cases, {{9, 0}, {4, 3}}, columns);
    addSelectRows(cases, {{33, 17}, {1, 1}}, columns);
  }
}

} // namespace lathe::conformance
