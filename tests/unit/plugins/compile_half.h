// A plugin's compile half in C++: what it says of an op, and what it makes of a program.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "backends/plugin/target.h"
#include "runtime/plugin/plugin.h"

namespace lathe::plugins {

using plugin::Answer;

absl::StatusOr<Answer> supports(const runtime::Plugin &plugin, const lathe_op *op, int64_t rows = 1,
                                size_t target = 0);

// Code with what it needs. Must not outlive the program and the plugin.
class Compiled {
public:
  static absl::StatusOr<Compiled> make(const runtime::Plugin &plugin, const lathe_program *program,
                                       size_t target = 0);

  const lathe_compiled &get() const { return *compiled_; }
  std::vector<uint8_t> code() const;
  // A packed weight, asked for in pieces of so many bytes.
  absl::StatusOr<std::vector<uint8_t>> pack(uint32_t weight, uint64_t piece) const;
  // All packed weights one after the other, each where it wants to begin; and where that is.
  absl::StatusOr<std::vector<uint8_t>> packAll(std::vector<uint64_t> &offsets) const;

private:
  struct Release {
    void operator()(lathe_compiled *compiled) const { compiled->release(compiled); }
  };
  std::unique_ptr<lathe_compiled, Release> compiled_;
  const lathe_program *program_ = nullptr;
};

using Floats = std::vector<float>;

// A compiled program on a device of the same plugin.
class Loaded {
public:
  static absl::StatusOr<Loaded> make(runtime::Plugin &plugin, const Compiled &compiled);

  // Runs an entry and gives its results, of as many floats as `result_sizes` say. The state goes on
  // from run to run.
  absl::StatusOr<std::vector<Floats>> run(const std::string &entry,
                                          const std::vector<Floats> &inputs,
                                          const std::vector<size_t> &result_sizes, int64_t rows,
                                          int64_t output_rows);
  runtime::Device &device() { return *device_; }
  runtime::Executable &executable() { return executable_; }

private:
  std::shared_ptr<runtime::Device> device_;
  runtime::DeviceBuffer weights_, state_;
  runtime::Executable executable_;
  std::map<std::string, uint64_t> scratch_; // of entries
};

} // namespace lathe::plugins
