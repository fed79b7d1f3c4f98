#include "backends/x86/pack/layout.h"

#include "absl/strings/str_cat.h"

namespace lathe::x86 {

const char *formatName(Format::Kind format) {
  switch (format) {
  case Format::f32: return "f32";
  case Format::bf16: return "bf16";
  case Format::f16: return "f16";
  case Format::e4m3: return "f8e4m3";
  case Format::e5m2: return "f8e5m2";
  case Format::i8: return "i8";
  case Format::i4: return "i4";
  }
  return "unknown";
}

std::string TileLayout::name() const {
  std::string codes = absl::StrCat("tile16x", formatName(format));
  if (scale_mode == ScaleMode::none)
    return codes;
  return absl::StrCat(codes, scale_mode == ScaleMode::lane ? "+lanescale" : "+scale",
                      scale_block_k);
}

} // namespace lathe::x86
