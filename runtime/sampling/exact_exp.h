// exp() that gives the same bits on every machine, which libm does not promise.
#pragma once

namespace lathe::runtime {

// e^x for x <= 0, within 4 units in the last place; 0 below -700. Only IEEE additions and
// multiplications in a fixed order, never fused (the file is compiled with -ffp-contract=off).
double exactExp(double x);

} // namespace lathe::runtime
