// Texts that end a generation, found across the borders of tokens.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace lathe::cli {

class StopTexts {
public:
  // None of them may be empty.
  explicit StopTexts(std::vector<std::string> stops) : stops_(std::move(stops)) {}

  // Takes the next piece; gives what can be shown: all but an end that may be the beginning of a
  // stop text, or, once one is found, what stands before it.
  std::string push(absl::string_view piece);
  // What was held back; call it where the text ends and none was found.
  std::string flush();
  bool found() const { return found_; }

private:
  size_t firstStop() const;
  size_t heldBack() const;

  std::vector<std::string> stops_;
  std::string pending_;
  bool found_ = false;
};

} // namespace lathe::cli
