// One case from its program to a verdict.
#pragma once

#include <string>
#include <vector>

#include "tests/conformance/targets/target.h"

namespace lathe::conformance {

enum class Verdict { passed, skipped, failed };

struct Outcome {
  size_t index = 0; // of the case
  Verdict verdict = Verdict::failed;
  std::string text;    // why it was skipped, or what is wrong
  double seconds = 0;  // its steps, and its part of compiling
  double share = 0;    // of the bounds that was used at most
  uint64_t digest = 0; // of all bits of its results
};

// Told when a case begins and when it has come to its end.
struct Listener {
  virtual ~Listener() = default;
  virtual void begin(size_t index) = 0;
  virtual void end(const Outcome &outcome) = 0;
};

// All of `indices`, compiled together where the target likes that.
void judge(Target &target, const Cases &cases, const std::vector<size_t> &indices, uint64_t seed,
           Listener &listener);

} // namespace lathe::conformance
