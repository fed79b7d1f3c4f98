// Weights of the visible keys of one query, shared by both attentions.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace lathe::reference {

inline void softmax(std::vector<double> &scores) {
  const double largest = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (double &score : scores)
    sum += score = std::exp(score - largest);
  for (double &score : scores)
    score /= sum;
}

} // namespace lathe::reference
