// Costs as people read them: three digits and a unit.
#pragma once

#include <string>

namespace lathe::passes::cost {

// With the prefix that fits: "71.3 M".
std::string withPrefix(double number);
// "45.6 us", "1.2 ms", "3 s".
std::string timeText(double seconds);

} // namespace lathe::passes::cost
