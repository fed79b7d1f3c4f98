#include "tools/lathe/progress.h"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace lathe::cli {
namespace {

constexpr double kRedraw = 0.1; // seconds between two drawings of a stage
constexpr char kWipe[] = "\r\033[K";

double steadySeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string clockText(double seconds) {
  int64_t whole = static_cast<int64_t>(seconds + 0.5);
  return whole < 3600 ? absl::StrFormat("%d:%02d", whole / 60, whole % 60)
                      : absl::StrFormat("%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string measureText(uint64_t done, uint64_t total, double elapsed) {
  if (total == 0)
    return "";
  double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  std::string text = absl::StrFormat("  %3d %%", static_cast<int>(share * 100));
  if (share > 0 && share < 1)
    absl::StrAppend(&text, "  ETA ", clockText(elapsed * (1 - share) / share));
  return text;
}

} // namespace

Progress::Progress() : Progress(std::cerr, isatty(STDERR_FILENO) == 1, steadySeconds) {}

Progress::Progress(std::ostream &out, bool terminal, Clock clock)
    : out_(out), terminal_(terminal), clock_(std::move(clock)) {}

void Progress::update(absl::string_view stage, uint64_t done, uint64_t total) {
  std::lock_guard<std::mutex> lock(mutex_);
  bool begins = stage != stage_;
  if (begins)
    beginStage(stage);
  if (terminal_ && (begins || clock_() - last_draw_ >= kRedraw))
    draw(done, total);
}

void Progress::beginStage(absl::string_view stage) {
  stage_ = std::string(stage);
  stage_begin_ = clock_();
  if (!terminal_)
    out_ << absl::StrCat(stage_, "\n") << std::flush;
}

void Progress::draw(uint64_t done, uint64_t total) {
  last_draw_ = clock_();
  drawn_ = true;
  out_ << absl::StrCat(kWipe, stage_, measureText(done, total, last_draw_ - stage_begin_))
       << std::flush;
}

void Progress::clear() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (drawn_)
    out_ << kWipe << std::flush;
  drawn_ = false;
}

} // namespace lathe::cli
