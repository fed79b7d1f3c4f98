// Whether the recipes are whole: every op of the dialect has cases, and every case is sound IR.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "tests/conformance/recipes/recipes.h"

namespace lathe::conformance {
namespace {

struct Recipes : testing::Test {
  Recipes() { context.loadDialect<ir::LatheDialect, mlir::func::FuncDialect>(); }

  std::set<std::string> opsOf(const Case &spec, RowsFrom rows_from) {
    std::set<std::string> ops;
    auto program = Program::make(context, spec, rows_from, 1, "w.");
    EXPECT_TRUE(program.ok()) << spec.name << ": " << program.status();
    if (program.ok())
      (*program)->module().walk(
          [&](mlir::Operation *op) { ops.insert(op->getName().getStringRef().str()); });
    return ops;
  }

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
};

TEST_F(Recipes, areThereForEveryOpOfTheDialect) {
  std::set<std::string> groups;
  for (const Case &spec : allCases())
    groups.insert("lathe." + spec.group());
  for (mlir::RegisteredOperationName op : context.getRegisteredOperations())
    if (op.getDialectNamespace() == "lathe") {
      EXPECT_THAT(groups, testing::Contains(op.getStringRef().str()))
          << "has no recipe in tests/conformance/recipes";
    }
}

TEST_F(Recipes, useTheOpThatTheyAreNamedAfter) {
  const std::set<std::string> blocks = {"layer", "model"};
  for (const Case &spec : allCases())
    if (!blocks.count(spec.group())) {
      EXPECT_THAT(opsOf(spec, RowsFrom::arguments), testing::Contains("lathe." + spec.group()))
          << spec.name;
    }
}

TEST_F(Recipes, areSoundWhereRowsComeOutOfATable) {
  for (const Case &spec : allCases())
    opsOf(spec, RowsFrom::table);
}

TEST(RecipeNames, areUniqueAndMany) {
  std::set<std::string> names;
  for (const Case &spec : allCases())
    EXPECT_TRUE(names.insert(spec.name).second) << spec.name;
  EXPECT_GE(names.size(), 1500u);
}

TEST(RecipeSteps, haveRowsAndAskForNoMoreOutputThanThat) {
  for (const Case &spec : allCases()) {
    EXPECT_FALSE(spec.steps.empty()) << spec.name;
    for (const Step &step : spec.steps)
      EXPECT_TRUE(step.rows >= 1 && step.output_rows >= 0 && step.output_rows <= step.rows)
          << spec.name;
  }
}

} // namespace
} // namespace lathe::conformance
