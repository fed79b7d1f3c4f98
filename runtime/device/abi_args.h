// Arguments for a table of runtime/abi/plugin.h.
#pragma once

#include <cstring>

#include "runtime/abi/plugin.h"

namespace lathe::runtime {

// With their size and device filled in and the rest zero.
template <typename Args> Args makeArgs(lathe_device *device) {
  Args args;
  std::memset(static_cast<void *>(&args), 0, sizeof args);
  args.struct_size = sizeof args;
  args.device = device;
  return args;
}

} // namespace lathe::runtime
