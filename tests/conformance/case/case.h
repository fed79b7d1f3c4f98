// A case of the kit: ops, the steps in which they run, and how exact their results have to be.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace lathe::conformance {

class Body;

struct Step {
  int64_t rows = 1;
  int64_t output_rows = 1; // 0 to rows
};

struct Case {
  std::string name; // "linear/f8e4m3_128x128/rows3_k130_n257"; its first part is the op or block
  // One after the other on one state. Steps of one row run the function @decode, all others
  // @prefill, as a model's do.
  std::vector<Step> steps;
  // Makes the ops of one function. Called for each function, with the same result but for rows.
  std::function<void(Body &)> build;
  int64_t max_rows = 0; // of @prefill; 0: the most rows of a step
  int64_t slots = 1;    // sequences that the rows belong to, in turn
  // A target may refuse to compile it: its weights are of a kind that no model has.
  bool may_be_refused = false;

  std::string group() const { return name.substr(0, name.find('/')); }
};

using Cases = std::vector<Case>;

} // namespace lathe::conformance
