// How far long work is. On a terminal one line that is drawn again: stage, percent, time left.
// Elsewhere, in a log, a line for each stage as it begins.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <ostream>
#include <string>

#include "absl/strings/string_view.h"

namespace lathe::cli {

// Thread-safe.
class Progress {
public:
  using Clock = std::function<double()>; // seconds since some moment

  Progress();                                              // on standard error
  Progress(std::ostream &out, bool terminal, Clock clock); // `out` must outlive it
  ~Progress() { clear(); }

  // `done` of `total` units of a stage; total 0: there is no measure of it.
  void update(absl::string_view stage, uint64_t done, uint64_t total);
  // Takes the line away, so that other text can be printed.
  void clear();

private:
  void beginStage(absl::string_view stage);
  void draw(uint64_t done, uint64_t total);

  std::ostream &out_;
  bool terminal_;
  Clock clock_;
  std::mutex mutex_;
  std::string stage_;
  double stage_begin_ = 0, last_draw_ = 0;
  bool drawn_ = false;
};

} // namespace lathe::cli
