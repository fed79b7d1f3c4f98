// The plugin under test, and programs of a few ops run through both of its halves.
#pragma once

#include <bit>
#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/device/error.h"
#include "tests/unit/plugins/compile_half.h"
#include "tests/unit/plugins/numbers.h"
#include "tests/unit/plugins/program_builder.h"

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
    auto compiled = Compiled::make(*plugin_, builder.program(), target);
    EXPECT_TRUE(compiled.ok()) << compiled.status();
    auto loaded = compiled.ok() ? Loaded::make(*plugin_, *compiled) : compiled.status();
    EXPECT_TRUE(loaded.ok()) << loaded.status();
    auto results = loaded.ok() ? loaded->run("f", inputs, sizes, rows, rows)
                               : absl::StatusOr<std::vector<Floats>>(loaded.status());
    EXPECT_TRUE(results.ok()) << results.status();
    return results.ok() ? *results : std::vector<Floats>(sizes.size());
  }

  std::shared_ptr<runtime::Plugin> plugin_ = onednnPlugin();
};

// x W^T + b in double precision; x has `columns` columns.
inline Floats linear(const Floats &x, const Floats &weight, const Floats &bias, size_t columns) {
  Floats result;
  for (size_t t = 0; t < x.size() / columns; ++t)
    for (size_t n = 0; n < weight.size() / columns; ++n) {
      double sum = bias.empty() ? 0 : bias[n];
      for (size_t k = 0; k < columns; ++k)
        sum += double{x[t * columns + k]} * weight[n * columns + k];
      result.push_back(static_cast<float>(sum));
    }
  return result;
}

// Within a share of the largest number.
inline void expectNear(const Floats &mine, const Floats &expected, double share) {
  ASSERT_EQ(mine.size(), expected.size());
  double largest = 1;
  for (float value : expected)
    largest = std::max(largest, std::abs(double{value}));
  EXPECT_THAT(mine, testing::Pointwise(testing::FloatNear(share * largest), expected));
}

} // namespace lathe::plugins
