// The plugin under test.
#pragma once

#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/plugins/compile_half.h"
#include "tests/unit/plugins/numbers.h"
#include "tests/unit/plugins/program_builder.h"

namespace lathe::plugins {

inline std::shared_ptr<runtime::Plugin> nullPlugin() {
  auto plugin = runtime::Plugin::load(LATHE_PLUGIN_UNDER_TEST);
  EXPECT_TRUE(plugin.ok()) << plugin.status();
  return plugin.ok() ? *plugin : nullptr;
}

} // namespace lathe::plugins
