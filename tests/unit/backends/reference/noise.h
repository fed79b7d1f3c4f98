// Numbers for tests that need any: the same on every run.
#pragma once

#include <random>

#include "backends/reference/value.h"

namespace lathe::reference {

class TestNoise {
public:
  Tensor tensor(std::vector<int64_t> shape, float magnitude = 1) {
    Tensor result(std::move(shape));
    for (float &value : result.values)
      value = magnitude * (static_cast<float>(engine_() >> 8) / 8388608.0f - 1);
    return result;
  }

private:
  std::mt19937 engine_{7};
};

inline Tensor rowsOf(const Tensor &input, int64_t begin, int64_t end) {
  return {{end - begin, input.columns()},
          {input.values.begin() + begin * input.columns(),
           input.values.begin() + end * input.columns()}};
}

inline Indices entriesOf(const Indices &input, int64_t begin, int64_t end) {
  return Indices(std::vector<int32_t>(input.values.begin() + begin, input.values.begin() + end));
}

} // namespace lathe::reference
