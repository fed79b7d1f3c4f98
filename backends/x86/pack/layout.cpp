#include "backends/x86/pack/layout.h"

#include <algorithm>

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
  if (scale_mode == ScaleMode::lane_f16 && scale_block_k == std::min<int64_t>(32, k))
    return format == Format::i8 ? "tile16xq8_0" : "tile16xq4_0";
  return absl::StrCat(codes,
                      scale_mode == ScaleMode::tile   ? "+scale"
                      : scale_mode == ScaleMode::lane ? "+lanescale"
                                                      : "+lanescale_f16_",
                      scale_block_k);
}

} // namespace lathe::x86
