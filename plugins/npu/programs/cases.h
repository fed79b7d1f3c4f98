// The published timings that the model is compared with, and the runs that stand for them. Tests
// hold those of tier 1 to their tolerance; npu-validate prints all of them.
#pragma once

#include "isa/result.h"

#include <string>
#include <vector>

namespace npu {

struct Comparison {
  std::string name; // of the case and the column
  double model = 0, published = 0;
  double tolerance = 0; // share of the published value; 0: reported only
  double error() const { return model / published - 1; }
  bool holds() const { return tolerance == 0 || (error() <= tolerance && error() >= -tolerance); }
};

struct Case {
  std::string name;
  std::string about; // device, shape, what is assumed
  unsigned tier = 1;
  bool quick = true; // a second or so: a test runs it
  Result<std::vector<Comparison>> (*run)();
  bool isLadder = false; // steps of an optimisation: each is faster than the one before it
};

const std::vector<Case> &validationCases();

} // namespace npu
