// A program through both halves of a plugin, in a test.
#pragma once

#include <gtest/gtest.h>

#include "tests/unit/plugins/compile_half.h"

namespace lathe::plugins {

// Compiles, loads and runs it. What fails of that fails the test, and the results are empty.
inline std::vector<Floats> runOrFail(runtime::Plugin &plugin, const lathe_program *program,
                                     const std::string &entry, const std::vector<Floats> &inputs,
                                     const std::vector<size_t> &sizes, int64_t rows,
                                     int64_t output_rows, size_t target = 0) {
  auto compiled = Compiled::make(plugin, program, target);
  EXPECT_TRUE(compiled.ok()) << compiled.status();
  auto loaded = compiled.ok() ? Loaded::make(plugin, *compiled) : compiled.status();
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  auto results = loaded.ok() ? loaded->run(entry, inputs, sizes, rows, output_rows)
                             : absl::StatusOr<std::vector<Floats>>(loaded.status());
  EXPECT_TRUE(results.ok()) << results.status();
  return results.ok() ? *results : std::vector<Floats>(sizes.size());
}

} // namespace lathe::plugins
