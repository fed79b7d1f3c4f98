#include "tests/conformance/recipes/recipes.h"

namespace lathe::conformance {

const Cases &allCases() {
  static const Cases cases = [] {
    Cases made;
    for (auto add : {addRowCases, addNormCases, addRopeCases, addLinearCases, addScaledMatmulCases,
                     addQuantisationCases, addWeightCases, addAttentionCases, addMlaCases,
                     addMoeCases, addFusedExpertCases, addLayerCases, addModelCases})
      add(made);
    return made;
  }();
  return cases;
}

} // namespace lathe::conformance
