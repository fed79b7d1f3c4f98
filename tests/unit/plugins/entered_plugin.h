// A plugin's library itself, entered by a host of the test's making.
#pragma once

#include <cstring>
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/device/error.h"
#include "tests/unit/plugins/numbers.h"
#include "tests/unit/plugins/program_builder.h"

namespace lathe::plugins {

// LATHE_PLUGIN_UNDER_TEST is its path.
class EnteredPlugin : public testing::Test {
protected:
  EnteredPlugin() : library_(dlopen(LATHE_PLUGIN_UNDER_TEST, RTLD_NOW | RTLD_LOCAL)) {
    host_.struct_size = sizeof host_;
    host_.abi_major = LATHE_ABI_MAJOR;
    host_.abi_minor = LATHE_ABI_MINOR;
  }
  ~EnteredPlugin() override { dlclose(library_); }

  lathe_error *enter() {
    auto entry = reinterpret_cast<lathe_plugin_entry_fn>(dlsym(library_, LATHE_PLUGIN_SYMBOL));
    lathe_plugin_entry_args args = {sizeof args, nullptr, &host_, nullptr};
    lathe_error *error = entry(&args);
    plugin_ = args.plugin;
    return error;
  }
  lathe_device *openDevice() {
    lathe_device_open_args args = {};
    args.struct_size = sizeof args;
    EXPECT_EQ(plugin_->devices->device_open(&args), nullptr);
    return args.device;
  }
  void closeDevice(lathe_device *device) {
    lathe_device_args args = {sizeof args, nullptr, device};
    EXPECT_EQ(plugin_->devices->device_close(&args), nullptr);
  }
  void expectError(lathe_error *error, uint32_t code, const std::string &text = "") {
    ASSERT_NE(error, nullptr);
    EXPECT_EQ(error->code, code);
    EXPECT_THAT(runtime::fromAbi(error->message), testing::HasSubstr(text));
    error->release(error);
  }

  void *library_;
  lathe_host host_ = {};
  const lathe_plugin *plugin_ = nullptr;
};

} // namespace lathe::plugins
