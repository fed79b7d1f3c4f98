#include "runtime/sampling/exact_exp.h"

#include <cmath>

namespace lathe::runtime {

double exactExp(double x) {
  if (!(x >= -700))
    return 0;
  // x = n ln 2 + r with |r| <= ln 2 / 2; ln 2 in two parts so that n * high is exact.
  const double log2e = 0x1.71547652b82fep0, high = 0x1.62e42fee00000p-1,
               low = 0x1.a39ef35793c76p-33;
  double n = std::floor(x * log2e + 0.5);
  double r = (x - n * high) - n * low;
  double sum = 1; // Taylor: the term r^14 / 14! is below 2^-57
  for (int k = 14; k >= 1; --k)
    sum = 1 + sum * r / k;
  return std::ldexp(sum, static_cast<int>(n));
}

} // namespace lathe::runtime
