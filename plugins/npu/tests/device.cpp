#include "device/device.h"
#include "sim/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <random>

namespace npu {
namespace {

using testing::HasSubstr;

TEST(Device, builtInDescriptionsLoadUnderTheirNames) {
  EXPECT_THAT(builtinDeviceNames(),
              testing::UnorderedElementsAre("ascend-310p", "ascend-910b", "ascend-910c",
                                            "ascend-950", "cambricon-mlu370", "tiny"));
  for (std::string_view name : builtinDeviceNames()) {
    Result<Device> device = builtinDevice(name);
    ASSERT_TRUE(device.ok()) << device.message();
    EXPECT_EQ(device->name, name);
    EXPECT_TRUE(Machine::create(*device).ok());
  }
}

TEST(Device, unknownNameListsTheKnownOnes) {
  EXPECT_THAT(builtinDevice("ascend-9").message(), HasSubstr("known are ascend-910b, ascend-310p"));
}

TEST(Device, hasThePublishedPeak) {
  Result<Device> device = builtinDevice("ascend-910b");
  const CubeTile *tile = device->cube.find(DType::F16, DType::F16);
  double peak = 2.0 * tile->m * tile->n * tile->k * device->groups * device->clockMhz * 1e6;
  EXPECT_NEAR(peak / 1e12, 363.7, 0.1);
  EXPECT_EQ(device->cube.find(DType::E4m3, DType::E4m3), nullptr);
  EXPECT_NE(builtinDevice("ascend-950")->cube.find(DType::E4m3, DType::E5m2), nullptr);
}

std::string with(std::string_view pointer, const nlohmann::json &value) {
  nlohmann::json root = nlohmann::json::parse(builtinDeviceText("tiny"));
  root[nlohmann::json::json_pointer(std::string(pointer))] = value;
  Result<Device> device = parseDevice(root.dump());
  return device.ok() ? "" : device.message();
}

TEST(Device, refusesWrongValuesByTheirKey) {
  EXPECT_EQ(with("/groups", 2), "");
  EXPECT_THAT(with("/groups", 0), HasSubstr("groups: must be a number from 1 to 256"));
  EXPECT_THAT(with("/groups", 1.5), HasSubstr("groups: must be a whole number"));
  EXPECT_THAT(with("/groups", "two"), HasSubstr("groups: must be a number"));
  EXPECT_THAT(with("/clock_mhz", -1), HasSubstr("clock_mhz"));
  EXPECT_THAT(with("/memory/ub/bytes", 1e30), HasSubstr("memory.ub.bytes"));
  EXPECT_THAT(with("/memory/l9", nlohmann::json::object()), HasSubstr("memory.l9"));
  EXPECT_THAT(with("/memory/l1/alias", "bt2"), HasSubstr("'bt2' is no memory"));
  EXPECT_THAT(with("/memory/l1/layout", "zz"), HasSubstr("must be one of"));
  EXPECT_THAT(with("/paths/0/pipe", "MTE9"), HasSubstr("'MTE9' is no pipe"));
  EXPECT_THAT(with("/paths/0/GiBps", 0), HasSubstr("paths[0].GiBps"));
  EXPECT_THAT(with("/cube/tiles/0/a", "f17"), HasSubstr("'f17' is no element type"));
  EXPECT_THAT(with("/vector/costs/vfoo", {1, 2}), HasSubstr("vector.costs.vfoo"));
  EXPECT_THAT(with("/sync/kind", "signals"), HasSubstr("sync.kind"));
  EXPECT_THAT(with("/schema", "npu-sim/2"), HasSubstr("schema"));
  EXPECT_FALSE(parseDevice("{").ok());
  EXPECT_FALSE(parseDevice("[]").ok());
}

TEST(Device, survivesDamagedText) {
  std::string good(builtinDeviceText("tiny"));
  std::mt19937 random(7);
  for (int i = 0; i < 500; ++i) {
    std::string text = good;
    for (unsigned n = 0; n < 3; ++n)
      text[random() % text.size()] = "0123456789{}[]\",:-xe"[random() % 20];
    (void)parseDevice(text);
  }
}

} // namespace
} // namespace npu
