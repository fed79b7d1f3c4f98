// Tables of costs from text, as they stand in IR.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "mlir/AsmParser/AsmParser.h"
#include "llvm/Support/FormatVariadic.h"

#include "passes/cost/table.h"

namespace lathe::passes::cost {

class CostAttribute {
public:
  Table table(const std::string &numbers) {
    auto parsed =
        mlir::dyn_cast_or_null<mlir::DictionaryAttr>(mlir::parseAttribute(numbers, &context_));
    EXPECT_TRUE(parsed) << numbers;
    return {"test", parsed};
  }
  // One rate for all arithmetic, whatever the rows.
  Table evenTable(double flops, double read_bandwidth) {
    const std::string rate = llvm::formatv("{0:e}", flops),
                      codes = llvm::formatv("{0:e}", flops / 2),
                      many = "{f32 = array<f64: " + rate + ">}";
    return table("{read_bandwidth = " + llvm::formatv("{0:e}", read_bandwidth).str() +
                 ", one_row = {f32 = " + codes + ", bf16 = " + codes +
                 "}, many_rows = {rows = array<f64: 1.0e9>, f32 = " + many + ", bf16 = " + many +
                 "}, latent_expansion_rows = 1.0e9, attention = {latent_one_row = " + rate +
                 ", latent_absorbed = " + rate + ", latent_expand = " + rate +
                 ", latent_scores = " + rate + ", grouped = " + rate + "}}");
  }

private:
  mlir::MLIRContext context_{mlir::MLIRContext::Threading::DISABLED};
};

} // namespace lathe::passes::cost
