// What a template may use before it is stopped. A template comes from a stranger, so that time and
// memory are counted: a step is a node evaluated, an item of a list made, or 64 bytes of text made
// or compared. Memory is bounded by that count, because nothing is made without paying for it.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace lathe::text {

struct Limits {
  uint64_t steps = 5'000'000;
  uint64_t output_bytes = 16u << 20; // of the rendered text, and of each string on the way
  uint64_t list_items = 1'000'000;   // of each list on the way
  int depth = 600;                   // of nodes being evaluated, macros included
};

class Budget {
public:
  explicit Budget(const Limits &limits) : limits_(limits) {}

  const Limits &limits() const { return limits_; }

  absl::Status spend(uint64_t steps) {
    used_ += steps;
    if (used_ <= limits_.steps)
      return absl::OkStatus();
    return absl::ResourceExhaustedError(
        absl::StrCat("the template took more than the ", limits_.steps, " steps it may take"));
  }

  // To be called before a string of `bytes` bytes is made.
  absl::Status spendText(uint64_t bytes) {
    if (bytes > limits_.output_bytes)
      return absl::ResourceExhaustedError(absl::StrCat("a string of ", bytes,
                                                       " bytes is longer than the ",
                                                       limits_.output_bytes, " it may have"));
    return spend(bytes / 64);
  }

  // To be called before a list of `items` items is made.
  absl::Status spendItems(uint64_t items) {
    if (items > limits_.list_items)
      return absl::ResourceExhaustedError(absl::StrCat(
          "a list of ", items, " items is longer than the ", limits_.list_items, " it may have"));
    return spend(items);
  }

private:
  Limits limits_;
  uint64_t used_ = 0;
};

} // namespace lathe::text
