// A launch for its time only.
#pragma once

#include "programs/cases.h"
#include "sim/machine.h"

#include <functional>
#include <map>

namespace npu {

using Comparisons = Result<std::vector<Comparison>>;

// What the scalar unit reads, by the names of arguments; all other buffers have addresses and no
// bytes.
struct LaunchInputs {
  std::map<std::string, uint64_t> numbers = {};
  std::map<std::string, std::vector<int32_t>> tables = {};
  std::map<std::string, uint64_t> bytes = {}; // of buffers whose kernel does not say
};

struct TimeOptions {
  unsigned blocks = 0; // 0: one a group
  LaunchInputs inputs = {};
};

Result<Report> timeOf(std::string_view device,
                      const std::function<Result<Kernel>(const Device &)> &make,
                      const TimeOptions &options = {});

} // namespace npu
