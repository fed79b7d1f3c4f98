#include "tests/conformance/recipes/recipes.h"

namespace lathe::conformance {

const Cases &allCases() {
  static const Cases cases = [] {
    Cases made;
    addRowCases(made);
    addNormCases(made);
    addLinearCases(made);
    return made;
  }();
  return cases;
}

} // namespace lathe::conformance
