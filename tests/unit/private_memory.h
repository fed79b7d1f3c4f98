// How much memory of its own this process holds, as the kernel counts it.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>

namespace lathe {

// Kilobytes that are neither files nor shared; -1 where the kernel does not say.
inline int64_t privateKilobytes() {
  std::ifstream status("/proc/self/status");
  for (std::string key; status >> key;)
    if (int64_t kilobytes; key == "RssAnon:" && status >> kilobytes)
      return kilobytes;
  return -1;
}

} // namespace lathe
