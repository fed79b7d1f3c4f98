// A machine with helpers for tests: buffers from vectors, launches by text or by kernel.
#pragma once

#include "isa/program.h"
#include "sim/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace npu {

class Rig {
public:
  explicit Rig(std::string_view device = "tiny") : machine(make(device)) {}

  template <class T> uint64_t put(const std::vector<T> &values) {
    uint64_t address = empty(values.size() * sizeof(T));
    EXPECT_TRUE(machine->write(address, std::as_bytes(std::span(values))).ok());
    return address;
  }
  uint64_t empty(uint64_t bytes) {
    Result<uint64_t> address = machine->memory().allocate(bytes);
    EXPECT_TRUE(address.ok()) << address.message();
    return *address;
  }
  template <class T> std::vector<T> get(uint64_t address, size_t count) {
    std::vector<T> values(count);
    Status status = machine->read(address, std::as_writable_bytes(std::span(values)));
    EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.message());
    return values;
  }

  // The error of a launch; "" for none.
  std::string run(const Kernel &kernel, std::vector<uint64_t> args, LaunchOptions options = {}) {
    uint64_t workspace = kernel.workspaceBytes ? empty(kernel.workspaceBytes) : 0;
    Result<Report> result = machine->launch(kernel, args, workspace, options);
    if (!result.ok())
      return result.message();
    report = *result;
    return "";
  }
  std::string runText(std::string_view source, std::vector<uint64_t> args,
                      LaunchOptions options = {}) {
    Result<Module> module = assemble(source);
    EXPECT_TRUE(module.ok()) << (module.ok() ? "" : module.message());
    return module.ok() ? run(module->kernels[0], args, options) : module.message();
  }

  std::unique_ptr<Machine> machine;
  Report report;

private:
  static std::unique_ptr<Machine> make(std::string_view name) {
    Result<Device> device = builtinDevice(name);
    EXPECT_TRUE(device.ok()) << (device.ok() ? "" : device.message());
    return std::move(*Machine::create(*device));
  }
};

} // namespace npu
