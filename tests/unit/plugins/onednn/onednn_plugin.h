// The plugin under test, and programs of a few ops run through both of its halves.
#pragma once

#include <bit>
#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/device/error.h"
#include "tests/unit/plugins/compile_half.h"
#include "tests/unit/plugins/formulas.h"
#include "tests/unit/plugins/numbers.h"
#include "tests/unit/plugins/program_builder.h"
#include "tests/unit/plugins/run_or_fail.h"

namespace lathe::plugins {

enum Target : size_t { target_f32, target_bf16 };

inline std::shared_ptr<runtime::Plugin> onednnPlugin() {
  auto plugin = runtime::Plugin::load(LATHE_ONEDNN_PLUGIN);
  EXPECT_TRUE(plugin.ok()) << plugin.status();
  return plugin.ok() ? *plugin : nullptr;
}

// Indices as the floats of the same bits, which is how tests hand inputs in.
inline Floats indices(const std::vector<int32_t> &values) {
  Floats floats;
  for (int32_t value : values)
    floats.push_back(std::bit_cast<float>(value));
  return floats;
}

inline Floats roundedToBf16(Floats floats) {
  for (float &value : floats)
    value = f32FromBf16(bf16FromF32(value));
  return floats;
}

class OnednnTest : public testing::Test {
protected:
  // Those whose code runs here: bf16 needs AVX-512.
  std::vector<Target> runnable() {
    std::vector<Target> targets;
    for (Target target : {target_f32, target_bf16}) {
      auto fit = (*plugin_->openDevice(0))->compatibility(plugin_->targets()[target].compatibility);
      if (fit.ok() && fit->verdict != runtime::Compatibility::Verdict::no)
        targets.push_back(target);
    }
    return targets;
  }

  // The results of function "f", each of as many floats as `sizes` say.
  std::vector<Floats> run(ProgramBuilder &builder, const std::vector<Floats> &inputs,
                          const std::vector<size_t> &sizes, int64_t rows,
                          Target target = target_f32) {
    return runOrFail(*plugin_, builder.program(), "f", inputs, sizes, rows, rows, target);
  }

  std::shared_ptr<runtime::Plugin> plugin_ = onednnPlugin();
};

// Within a share of the largest number.
inline void expectNear(const Floats &mine, const Floats &expected, double share) {
  ASSERT_EQ(mine.size(), expected.size());
  double largest = 1;
  for (float value : expected)
    largest = std::max(largest, std::abs(double{value}));
  EXPECT_THAT(mine, testing::Pointwise(testing::FloatNear(share * largest), expected));
}

} // namespace lathe::plugins
