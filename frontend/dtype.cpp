#include "frontend/dtype.h"

#include "base/status.h"
#include "frontend/quote.h"

namespace lathe::frontend {
namespace {

struct Entry {
  DType dtype;
  absl::string_view name;
  int bits;
};

constexpr Entry kEntries[] = {
    {DType::boolean, "BOOL", 8},    {DType::u8, "U8", 8},           {DType::i8, "I8", 8},
    {DType::u16, "U16", 16},        {DType::i16, "I16", 16},        {DType::u32, "U32", 32},
    {DType::i32, "I32", 32},        {DType::u64, "U64", 64},        {DType::i64, "I64", 64},
    {DType::f16, "F16", 16},        {DType::bf16, "BF16", 16},      {DType::f32, "F32", 32},
    {DType::f64, "F64", 64},        {DType::f8_e4m3, "F8_E4M3", 8}, {DType::f8_e5m2, "F8_E5M2", 8},
    {DType::f8_e8m0, "F8_E8M0", 8},
};

constexpr absl::string_view kNotReadYet[] = {"C64",     "F8_E4M3FNUZ", "F8_E5M2FNUZ",
                                             "F6_E2M3", "F6_E3M2",     "F4"};

const Entry &entry(DType dtype) { return kEntries[static_cast<int>(dtype)]; }

} // namespace

int bits(DType dtype) { return entry(dtype).bits; }
absl::string_view name(DType dtype) { return entry(dtype).name; }
bool isFloat(DType dtype) { return dtype >= DType::f16; }
bool isFloat8(DType dtype) { return dtype == DType::f8_e4m3 || dtype == DType::f8_e5m2; }

absl::StatusOr<DType> parseDType(absl::string_view name) {
  for (const Entry &entry : kEntries)
    if (entry.name == name)
      return entry.dtype;
  for (absl::string_view other : kNotReadYet)
    if (other == name)
      return absl::UnimplementedError(absl::StrCat("dtype ", name, " is not yet supported"));
  return absl::InvalidArgumentError(
      absl::StrCat("dtype ", quotedName(name), " is none that safetensors has"));
}

} // namespace lathe::frontend
