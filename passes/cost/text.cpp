#include "passes/cost/text.h"

#include <array>

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

namespace lathe::passes::cost {

std::string withPrefix(double number) {
  constexpr std::array<const char *, 6> prefixes = {"", "k", "M", "G", "T", "P"};
  size_t prefix = 0;
  while (number >= 999.5 && prefix + 1 < prefixes.size())
    number /= 1000, ++prefix;
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.3g ", number) << prefixes[prefix];
  return text;
}

std::string timeText(double seconds) {
  const bool micro = seconds < 1e-3, milli = seconds < 1;
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.3g ", seconds * (micro   ? 1e6
                                                                     : milli ? 1e3
                                                                             : 1))
                                 << (micro   ? "us"
                                     : milli ? "ms"
                                             : "s");
  return text;
}

} // namespace lathe::passes::cost
