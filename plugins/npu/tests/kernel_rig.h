// Kernels on devices that differ in what they are made of: split cores, coupled cores, small
// memories, barriers instead of flags. Hazard checks are on.
#pragma once

#include "kernels/kernels.h"
#include "rig.h"
#include "sim/numerics.h"

#include <cmath>

namespace npu::kernels {

using Floats = std::vector<float>;

inline Floats wave(size_t n, float scale = 1, float step = 0.7f) {
  Floats values(n);
  for (size_t i = 0; i < n; ++i)
    values[i] = scale * std::sin(float(i) * step + 0.3f);
  return values;
}

inline std::vector<uint16_t> halves(const Floats &values) {
  std::vector<uint16_t> bits(values.size());
  for (size_t i = 0; i < values.size(); ++i)
    bits[i] = f32ToF16(values[i]);
  return bits;
}

inline Floats rounded(const Floats &values) {
  Floats result(values.size());
  for (size_t i = 0; i < values.size(); ++i)
    result[i] = f16ToF32(f32ToF16(values[i]));
  return result;
}

inline void expect_near(const Floats &got, const Floats &wanted, float tolerance) {
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i)
    ASSERT_NEAR(got[i], wanted[i], tolerance * (1 + std::fabs(wanted[i]))) << "at " << i;
}

class Kernels : public testing::TestWithParam<const char *> {
protected:
  const Device &device() { return rig.machine->device(); }

  // Runs it on all cores and on one, and once with the time that it takes.
  void run(const Result<Kernel> &kernel, const std::vector<uint64_t> &args) {
    ASSERT_TRUE(kernel.ok()) << kernel.message();
    for (unsigned blocks : {1u, device().groups})
      ASSERT_EQ(rig.run(*kernel, args, {.blocks = blocks}), "");
    ASSERT_EQ(rig.run(*kernel, args, {.blocks = device().groups, .mode = Mode::Timed}), "");
  }
  uint64_t room(size_t floats) { return rig.put(Floats(floats, 77)); }

  Rig rig{GetParam()};
};

// Every kernel is tested on these.
inline auto kernel_devices() {
  return testing::Values("ascend-910b", "ascend-310p", "ascend-950", "tiny", "cambricon-mlu370");
}
inline std::string device_label(const testing::TestParamInfo<const char *> &info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

} // namespace npu::kernels
