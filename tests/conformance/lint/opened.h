// A plugin's device half without the runtime's C++ around it.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "runtime/device/device.h"
#include "tests/conformance/targets/target.h"

namespace lathe::conformance {

// Stays open: the process of a rule ends with it.
struct Opened {
  // UNIMPLEMENTED: there is no device half, or no device here.
  static absl::StatusOr<Opened> open(const TargetOptions &options);

  runtime::DeviceTable api;
  uint32_t device_count;
  lathe_device *device;      // the first one
  std::string compatibility; // what it says of the code that it takes
};

} // namespace lathe::conformance
