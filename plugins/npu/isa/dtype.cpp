#include "isa/dtype.h"

#include <array>

namespace npu {
namespace {

struct DTypeInfo {
  std::string_view name;
  unsigned bits;
  bool isFloat;
};

constexpr std::array<DTypeInfo, numDTypes> infos = {{
    {"none", 0, false},
    {"f32", 32, true},
    {"f16", 16, true},
    {"bf16", 16, true},
    {"i32", 32, false},
    {"i16", 16, false},
    {"i8", 8, false},
    {"u8", 8, false},
    {"e4m3", 8, true},
    {"e5m2", 8, true},
    {"e8m0", 8, true},
    {"i4", 4, false},
    {"e2m1", 4, true},
    {"i64", 64, false},
}};

} // namespace

std::string_view name(DType type) { return infos[static_cast<unsigned>(type)].name; }
unsigned bitsOf(DType type) { return infos[static_cast<unsigned>(type)].bits; }
bool isFloat(DType type) { return infos[static_cast<unsigned>(type)].isFloat; }

std::optional<DType> dtypeNamed(std::string_view name) {
  for (unsigned i = 1; i < numDTypes; ++i)
    if (infos[i].name == name)
      return static_cast<DType>(i);
  return std::nullopt;
}

} // namespace npu
