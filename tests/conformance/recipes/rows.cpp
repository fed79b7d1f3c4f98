// Ops that look at one row at a time and do little with it.
#include "tests/conformance/recipes/recipes.h"

namespace lathe::conformance {
namespace {

const std::initializer_list<int64_t> kColumns = {1, 3, 16, 65, 130, 257};

void addAdd(Cases &cases) {
  for (int64_t rows : {1, 2, 7, 33})
    for (int64_t columns : kColumns)
      cases.push_back(
          {absl::StrCat("add/f32/rows", rows, "_n", columns), stepsOf({rows}), [=](Body &b) {
             auto lhs = b.rows("lhs", columns), rhs = b.rows("rhs", columns);
             b.result(b.create<ir::AddOp>(b.rowsType(columns), lhs, rhs),
                      exact("one addition in f32"));
           }});
}

} // namespace

void addRowCases(Cases &cases) { addAdd(cases); }

} // namespace lathe::conformance
