// Memory of the host that is imported, and memory that is cleared.
#include <array>

#include "tests/unit/plugins/entered_plugin.h"

namespace lathe::plugins {
namespace {

using OnednnMemory = EnteredPlugin;

TEST_F(OnednnMemory, readsImportedMemoryAndNeverWritesIt) {
  ASSERT_EQ(enter(), nullptr);
  lathe_device *device = openDevice();
  alignas(64) std::array<char, 128> bytes = {1, 2, 3};
  lathe_buffer_import_args args = {sizeof args, nullptr, device, bytes.data() + 1, 64, nullptr};
  expectError(plugin_->devices->buffer_import(&args), LATHE_ERROR_INVALID_ARGUMENT, "not aligned");
  args.memory = bytes.data();
  ASSERT_EQ(plugin_->devices->buffer_import(&args), nullptr);
  lathe_buffer_map_args map = {sizeof map,     nullptr, device, args.buffer,
                               LATHE_MAP_READ, 0,       nullptr};
  ASSERT_EQ(plugin_->devices->buffer_map(&map), nullptr);
  EXPECT_EQ(map.memory, bytes.data());
  map.access = LATHE_MAP_WRITE;
  expectError(plugin_->devices->buffer_map(&map), LATHE_ERROR_INVALID_ARGUMENT, "read-only");
  lathe_buffer_args buffer = {sizeof buffer, nullptr, device, args.buffer};
  expectError(plugin_->devices->buffer_clear(&buffer), LATHE_ERROR_INVALID_ARGUMENT, "read-only");
  EXPECT_EQ(plugin_->devices->buffer_release(&buffer), nullptr);
  EXPECT_EQ(bytes[1], 2);
  closeDevice(device);
}

TEST_F(OnednnMemory, readsAsZeroOnceItIsCleared) {
  ASSERT_EQ(enter(), nullptr);
  auto device = runtime::DeviceTable::of(plugin_->devices)->open(0);
  ASSERT_TRUE(device.ok());
  for (size_t size : {0, 100}) {
    auto buffer = (*device)->allocate(size, 0);
    ASSERT_TRUE(buffer.ok());
    void *memory = *buffer->map(LATHE_MAP_WRITE);
    std::memset(memory, 7, size);
    EXPECT_TRUE(buffer->clear().ok());
    EXPECT_EQ(bytesOf(memory, size), std::vector<uint8_t>(size));
  }
}

} // namespace
} // namespace lathe::plugins
