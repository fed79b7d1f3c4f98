// The two targets, and what their code carries.
#pragma once

#include "border.h"
#include "compile/lower.h"

namespace onednn {

// Followed by the products that the code makes: "f32", "bf16".
inline constexpr std::string_view kCompatibilityF32 = "arch=onednn;version=1;products=f32";
inline constexpr std::string_view kCompatibilityBf16 = "arch=onednn;version=1;products=bf16";

inline std::string_view compatibilityOf(Products products) {
  return products == Products::bf16 ? kCompatibilityBf16 : kCompatibilityF32;
}

} // namespace onednn
