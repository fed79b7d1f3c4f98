// Numbers for people.
#pragma once

#include <cstdint>
#include <string>

namespace lathe::cli {

std::string bytesText(uint64_t bytes);              // "512 B", "3.1 MiB"
std::string countText(uint64_t count);              // "512", "1.76 M"
std::string secondsText(double seconds);            // "1.2 ms", "3.4 s", "2:05 min"
std::string rateText(double per_second);            // "812.3 tok/s"
std::string percentText(double share);              // "12.3 %"
std::string bandwidthText(double bytes_per_second); // "21.4 GB/s"
std::string flopsText(double flops);                // "15.4 GFLOP"

} // namespace lathe::cli
