// A model on two devices: the fake model on the CPU, and a device that adds 1 to its logits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/runtime/fake_model.h"
#include "tests/unit/runtime/lazy_queue.h"
#include "tests/unit/runtime/toy_device.h"

namespace lathe::runtime {
namespace {

using artifact::BufferKind;
using artifact::RowsOfCopy;
using testing::HasSubstr;

lathe_error *addOne(lathe_run_args *args) {
  EXPECT_EQ(args->binding_count, 1u + LATHE_BIND_COUNT);
  EXPECT_EQ(args->bindings[1].size, 0u);
  return inOrder(
      args->order, [values = args->bindings[0], rows = args->output_rows, device = args->device] {
        auto *floats = reinterpret_cast<float *>(values.buffer->bytes.data() + values.offset);
        for (int64_t i = 0; i < rows * kFakeVocab; ++i)
          floats[i] += 1;
        return takeNext(device);
      });
}

// How a device may work beside its functions that every one has.
enum class Ways { mapped, copies, queues, queues_without_copies };

lathe_device_api tableOf(Ways ways) {
  lathe_device_api table = toyTable();
  table.run = addOne;
  table.compatibility = nullptr; // its own code only
  if (ways == Ways::queues || ways == Ways::queues_without_copies)
    table = withQueues(table);
  table.copy = ways == Ways::copies || ways == Ways::queues ? lazyCopy : nullptr;
  return table;
}

// Behind each step the logits go to the device, which works on them, and back. They stand 64 bytes
// into the device's memory for crossing values, rows 4 bytes further apart than at home.
artifact::Manifest placedManifest() {
  artifact::Manifest manifest = fakeManifest();
  artifact::Target &target = manifest.targets[0];
  target.parts = {{"toy:toy", "arch=toy", "code.v0", "", {}}};
  for (artifact::Step &step : target.steps) {
    const uint64_t row = 4 * kFakeVocab;
    step.buffers.push_back({BufferKind::crossing, row * step.max_rows, 1, 64});
    for (BufferKind kind : {BufferKind::arena, BufferKind::weights, BufferKind::state})
      step.buffers.push_back({kind, 0, 1, 0});
    step.calls.push_back({1,
                          "add_one",
                          {8, 9, 10, 11},
                          {0},
                          {{4, 8, 0, 0, row, row, row, RowsOfCopy::output_rows, 1}}});
    step.calls.push_back(
        {0, "", {}, {1}, {{8, 4, 0, 0, row, row, row, RowsOfCopy::output_rows, 1}}});
  }
  return manifest;
}

class Placed : public testing::TestWithParam<Ways> {
protected:
  Placed() {
    lathe_device_api table = tableOf(GetParam());
    device_ = *Device::wrap(*DeviceTable::of(&table), &toy_);
    CpuOptions options;
    options.threads = 1;
    cpu_ = *createCpuDevice(options);
  }

  absl::StatusOr<std::shared_ptr<Module>> load(const artifact::Manifest &manifest) {
    ModuleOptions options;
    options.more_devices = {cpu_};
    return Module::load(writeFake(folder_, manifest), device_, options);
  }

  ScratchFolder folder_;
  lathe_device toy_;
  std::shared_ptr<Device> device_, cpu_;
};

std::vector<float> plusOne(std::vector<float> values) {
  for (float &value : values)
    value += 1;
  return values;
}

TEST_P(Placed, runsOnBothDevicesInTurn) {
  auto module = load(placedManifest());
  ASSERT_TRUE(module.ok()) << module.status();
  EXPECT_EQ((*module)->devices().size(), 2u);
  auto session = Session::create(*module);
  ASSERT_TRUE(session.ok()) << session.status();
  std::vector<int32_t> tokens;
  for (int32_t count : {5, 1, 3, 1}) { // prefill and decode
    std::vector<int32_t> more(count, static_cast<int32_t>(tokens.size()));
    tokens.insert(tokens.end(), more.begin(), more.end());
    ASSERT_TRUE((*session)->feed(more).ok());
    auto logits = (*session)->logits();
    EXPECT_EQ(std::vector<float>(logits.begin(), logits.end()), plusOne(fakeLogits(tokens)));
  }
}

TEST_P(Placed, keepsRowsApartAsItsCopiesSay) {
  artifact::Manifest manifest = placedManifest();
  for (artifact::Step &step : manifest.targets[0].steps) {
    step.buffers[8].bytes *= 2;
    step.calls[1].copies[0].to_stride *= 2; // so that only the first row is where the device looks
    step.calls[2].copies[0].from_stride *= 2;
  }
  auto module = load(manifest);
  ASSERT_TRUE(module.ok()) << module.status();
  auto session = Session::create(*module);
  ASSERT_TRUE(session.ok());
  std::vector<int32_t> tokens = {1, 2, 3};
  std::vector<std::vector<float>> rows;
  ASSERT_TRUE((*session)
                  ->feedAll(tokens,
                            [&](size_t, absl::Span<const float> row) {
                              rows.emplace_back(row.begin(), row.end());
                            })
                  .ok());
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0], plusOne(fakeLogits({1})));
  EXPECT_EQ(rows[2], fakeLogits({1, 2, 3}));
}

TEST_P(Placed, needsADeviceForEachPart) {
  auto module = Module::load(writeFake(folder_, placedManifest()), cpu_);
  EXPECT_THAT(module.status().message(), HasSubstr("target 'x86-64': part 'toy:toy': "));
}

TEST_P(Placed, isNotTakenForADeviceThatItDoesNotUse) {
  artifact::Manifest manifest = fakeManifest();
  EXPECT_THAT(load(manifest).status().message(),
              HasSubstr("needs arch=x86_64 but the device is arch=toy"));
}

TEST_P(Placed, saysWhichPartCannotBeLoaded) {
  toy_.gives_nothing = true;
  EXPECT_THAT(load(placedManifest()).status().message(),
              HasSubstr("part 'toy:toy': device: reports success but gives no executable"));
}

TEST_P(Placed, refusesBuffersInAnotherOrder) {
  artifact::Manifest manifest = placedManifest();
  manifest.targets[0].steps[0].calls[1].buffers = {8, 10, 9, 11};
  auto module = load(manifest);
  ASSERT_TRUE(module.ok()) << module.status();
  EXPECT_THAT(Session::create(*module).status().message(),
              HasSubstr("entry 'add_one': its buffer 1 is of kind 6; it must be of kind 5"));
}

lathe_error *makeError(lathe_device *device) {
  static lathe_device *owner;
  owner = device;
  return new lathe_error{
      sizeof(lathe_error), LATHE_ERROR_UNAVAILABLE, 0, {"fell off", 8}, [](lathe_error *error) {
        ++owner->errors_released;
        delete error;
      }};
}

TEST_P(Placed, hearsOfWhatFailsLater) {
  auto module = load(placedManifest());
  ASSERT_TRUE(module.ok()) << module.status();
  auto session = Session::create(*module);
  ASSERT_TRUE(session.ok());
  ASSERT_TRUE((*session)->feed({1}).ok());
  toy_.next_error = makeError(&toy_);
  EXPECT_THAT((*session)->feed({1}).message(), HasSubstr("fell off"));
  EXPECT_EQ(toy_.errors_released, 1);
}

TEST_P(Placed, letsQueuesGo) {
  {
    auto module = load(placedManifest());
    ASSERT_TRUE(module.ok()) << module.status();
    ASSERT_TRUE(Session::create(*module).ok());
  }
  const bool has_queues = GetParam() == Ways::queues || GetParam() == Ways::queues_without_copies;
  EXPECT_EQ(toy_.queues_released, has_queues ? 2 : 0);
}

INSTANTIATE_TEST_SUITE_P(, Placed,
                         testing::Values(Ways::mapped, Ways::copies, Ways::queues,
                                         Ways::queues_without_copies));

} // namespace
} // namespace lathe::runtime
