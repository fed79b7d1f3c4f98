// Numbers for tests, and how a checkpoint stores them.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "base/float_formats.h"
#include "tests/unit/plugins/compile_half.h"

namespace lathe::plugins {

// Multiples of 1/64 below 2 in magnitude: exact in f16, and in bf16 once rounded.
inline Floats numbers(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  Floats floats(count);
  for (float &value : floats)
    value = static_cast<float>(static_cast<int>(random() % 255) - 127) / 64;
  return floats;
}

inline std::vector<uint8_t> bytesOf(const void *data, size_t size) {
  const auto *begin = static_cast<const uint8_t *>(data);
  return {begin, begin + size};
}

inline std::vector<uint8_t> storedAs(uint32_t element, const Floats &floats) {
  if (element == LATHE_ELEMENT_F32)
    return bytesOf(floats.data(), floats.size() * sizeof(float));
  std::vector<uint16_t> codes;
  for (float value : floats)
    codes.push_back(element == LATHE_ELEMENT_BF16 ? bf16FromF32(value) : f16FromF32(value));
  return bytesOf(codes.data(), codes.size() * sizeof(uint16_t));
}

} // namespace lathe::plugins
