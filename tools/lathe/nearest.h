// The known word that a wrong one was probably meant to be.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace lathe::cli {

// Least number of characters to insert, drop, replace, or swap with their neighbour.
int editDistance(absl::string_view a, absl::string_view b);

// The closest of `known`, the first of equals; empty where none is close enough to be worth naming:
// a third of the word may differ, or it is a beginning of the known one.
std::string nearest(absl::string_view word, const std::vector<std::string> &known);

// "; did you mean X?", or nothing.
std::string didYouMean(absl::string_view word, const std::vector<std::string> &known);

} // namespace lathe::cli
