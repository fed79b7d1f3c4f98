// That the table of costs has what the cost model asks of it.
#include "backends/x86/costs.h"

#include <gmock/gmock.h>

namespace lathe::x86 {
namespace {

using passes::cost::Table;
using passes::cost::WeightCost;

class Costs : public testing::TestWithParam<const Level *> {
protected:
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  Table table = costsOf(context, *GetParam());
};

TEST_P(Costs, haveEveryNumberThatIsAskedFor) {
  for (const char *name : {"threads", "read_bandwidth", "cache_bytes", "region_seconds",
                           "item_seconds", "latent_expansion_rows"})
    EXPECT_GT(table.number(name), 0) << name;
  for (const char *name : {"latent_one_row", "latent_absorbed", "latent_expand", "latent_scores",
                           "grouped_one_row", "grouped"})
    EXPECT_GT(table.attentionRate(name), 0) << name;
}

// A form that is missing would cost what f32 costs, which nobody would notice.
TEST_P(Costs, tellEveryFormOfWeightsApart) {
  const double f32 = table.productSeconds({"f32", 1e9, 4e9}, "f32", 1);
  for (const char *form : {"bf16", "f16", "e4m3", "e5m2", "i8", "i4"})
    for (double rows : {1.0, 12.0})
      EXPECT_NE(table.productSeconds({form, 1e9, 1e9}, "f32", rows), f32) << form;
}

TEST_P(Costs, growWithRows) {
  for (const char *form : {"f32", "bf16", "e4m3", "i8", "i4"})
    for (const char *rows_form : {"f32", "bf16", "w8a8"}) {
      const WeightCost weight{form, 1e9, 1e9};
      EXPECT_LT(table.productSeconds(weight, rows_form, 4),
                table.productSeconds(weight, rows_form, 512))
          << form << " " << rows_form;
    }
}

INSTANTIATE_TEST_SUITE_P(Levels, Costs,
                         testing::Values(findLevel("x86-64-v3"), findLevel("x86-64-v4"),
                                         findLevel("x86-vnni"), findLevel("x86-amx")),
                         [](const auto &test) {
                           std::string name = test.param->name.str();
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(SetCosts, givesPassesATableForEachTarget) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mlir::ModuleOp::create(mlir::UnknownLoc::get(&context));
  setCosts(*module, {findLevel("x86-amx"), findLevel("x86-64-v3")});
  auto tables = passes::cost::tablesOf(*module);
  ASSERT_TRUE(mlir::succeeded(tables));
  ASSERT_EQ(tables->size(), 2u);
  EXPECT_EQ((*tables)[0].target(), "x86-64-v3");
  EXPECT_EQ((*tables)[1].target(), "x86-amx");
}

} // namespace
} // namespace lathe::x86
