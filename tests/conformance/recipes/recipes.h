// Every case of the kit, a file for each group of ops. To add an op: a recipe in the file of its
// group; the test of recipes says which op has none.
#pragma once

#include <string>

#include "absl/strings/str_cat.h"

#include "tests/conformance/case/body.h"
#include "tests/conformance/case/case.h"

namespace lathe::conformance {

void addRowCases(Cases &cases);
void addNormCases(Cases &cases);
void addRopeCases(Cases &cases);
void addLinearCases(Cases &cases);
void addScaledMatmulCases(Cases &cases);
void addQuantisationCases(Cases &cases);
void addAttentionCases(Cases &cases);
void addMlaCases(Cases &cases);
void addMoeCases(Cases &cases);
void addFusedExpertCases(Cases &cases);
void addWeightCases(Cases &cases);
void addLayerCases(Cases &cases);
void addModelCases(Cases &cases);

// All of them, in a fixed order; names are unique.
const Cases &allCases();

// Steps of so many rows, all of which give output.
inline std::vector<Step> stepsOf(std::initializer_list<int64_t> rows) {
  std::vector<Step> steps;
  for (int64_t count : rows)
    steps.push_back({count, count});
  return steps;
}

// "5-1-9" of steps of so many rows.
inline std::string rowsText(const std::vector<Step> &steps) {
  std::string text;
  for (const Step &step : steps)
    absl::StrAppend(&text, text.empty() ? "" : "-", step.rows);
  return text;
}

} // namespace lathe::conformance
