#include "tools/lathe/units.h"

#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace lathe::cli {

std::string bytesText(uint64_t bytes) {
  if (bytes < 1024)
    return absl::StrCat(bytes, " B");
  constexpr const char *kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes) / 1024;
  int unit = 0;
  for (; value >= 1023.95; value /= 1024)
    ++unit;
  return absl::StrFormat("%.1f %s", value, kUnits[unit]);
}

std::string countText(uint64_t count) {
  double value = static_cast<double>(count);
  if (count < 10000)
    return absl::StrCat(count);
  if (value < 1e6)
    return absl::StrFormat("%.1f K", value / 1e3);
  return value < 1e9 ? absl::StrFormat("%.2f M", value / 1e6)
                     : absl::StrFormat("%.2f G", value / 1e9);
}

std::string secondsText(double seconds) {
  if (seconds < 1)
    return absl::StrFormat("%.1f ms", seconds * 1e3);
  if (seconds < 60)
    return absl::StrFormat("%.1f s", seconds);
  int64_t whole = static_cast<int64_t>(seconds + 0.5);
  return absl::StrFormat("%d:%02d min", whole / 60, whole % 60);
}

std::string rateText(double per_second) { return absl::StrFormat("%.1f tok/s", per_second); }

std::string percentText(double share) { return absl::StrFormat("%.1f %%", share * 100); }

std::string bandwidthText(double bytes_per_second) {
  return absl::StrFormat("%.1f GB/s", bytes_per_second / 1e9);
}

std::string flopsText(double flops) {
  constexpr const char *kUnits[] = {"kFLOP", "MFLOP", "GFLOP", "TFLOP"};
  size_t unit = 0;
  for (flops /= 1e3; flops >= 999.5 && unit + 1 < std::size(kUnits); flops /= 1e3)
    ++unit;
  return absl::StrFormat("%.3g %s", flops, kUnits[unit]);
}

} // namespace lathe::cli
