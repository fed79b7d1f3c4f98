// npu-validate [CASE...]: what the timing model gives beside what was published.
#include "programs/cases.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>

int main(int argc, char **argv) {
  int failures = 0;
  std::printf("%-38s %12s %12s %8s\n", "case", "model", "published", "error");
  for (const npu::Case &one : npu::validationCases()) {
    if (argc > 1 && std::none_of(argv + 1, argv + argc, [&](char *arg) { return one.name == arg; }))
      continue;
    auto begin = std::chrono::steady_clock::now();
    auto result = one.run();
    if (!result.ok()) {
      std::fprintf(stderr, "error: %s: %s\n", one.name.c_str(), result.message().c_str());
      return 1;
    }
    std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    std::printf("-- tier %u: %s (%.2f s)\n", one.tier, one.about.c_str(), seconds.count());
    for (const npu::Comparison &c : *result) {
      std::printf("%-38s %12.1f %12.1f %+7.1f%%%s\n", c.name.c_str(), c.model, c.published,
                  100 * c.error(),
                  c.tolerance == 0 ? "  report only"
                  : c.holds()      ? ""
                                   : "  OUTSIDE");
      failures += !c.holds();
    }
  }
  return failures != 0;
}
