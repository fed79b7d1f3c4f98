// The bytes that the compile half makes and the device half runs: kernels as an object of the
// instruction set, and for each entry the launches in their order, with where each argument stands.
// Bytes come out of files and are hostile until read_code has looked at them.
#pragma once

#include "device/device.h"

namespace npu::plugin {

// A number that is known when a step runs.
struct Count {
  enum Extent : uint8_t { Constant, Rows, OutputRows };
  Extent extent = Constant;
  uint64_t factor = 0; // what rows are multiplied by; of a constant the number itself
  uint64_t of(uint64_t rows, uint64_t output_rows) const {
    return factor * (extent == Rows ? rows : extent == OutputRows ? output_rows : 1);
  }
  bool operator==(const Count &) const = default;
};

// Where an argument of a kernel comes from.
struct Source {
  enum Kind : uint8_t { Number, Input, Result, Scratch, Weight, State };
  Kind kind = Number;
  uint32_t index = 0;  // of the input, result or weight
  uint64_t offset = 0; // bytes from its begin
  Count number;
  bool operator==(const Source &) const = default;
};

struct Launch {
  uint32_t kernel = 0, blocks = 1;
  Count rows; // nothing is launched where it is 0
  std::string label;
  std::vector<Source> args;
};

struct Entry {
  std::string name;
  uint64_t max_rows = 0, inputs = 0, results = 0, scratch_bytes = 0;
  std::vector<Launch> launches;
};

struct Code {
  Module module; // kernels, and the device they were made for
  uint64_t weights = 0, state_bytes = 0;
  std::vector<Entry> entries;
};

// No count of rows and no factor is above this, so that products of them do not overflow.
inline constexpr uint64_t max_extent = uint64_t{1} << 24;
inline constexpr uint64_t max_bytes = uint64_t{1} << 48;

std::string write_code(const Code &code);
// Checks every number, that the kernels fit the device, and that arguments fit kernels.
Result<Code> read_code(std::string_view bytes, const Device &device);

// What code for a device carries, and what the device takes.
std::string compatibility_of(const Device &device);

} // namespace npu::plugin
