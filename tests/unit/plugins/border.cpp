// The rules of the border that hold for any plugin: one symbol, versions, structs of other ages,
// devices, memory. Compiled into the test of each.
#include <array>
#include <cstdio>

#include "tests/unit/plugins/entered_plugin.h"

namespace lathe::plugins {
namespace {

std::string outputOf(const std::string &command) {
  std::string output;
  FILE *pipe = popen(command.c_str(), "r");
  std::array<char, 256> piece;
  while (size_t size = fread(piece.data(), 1, piece.size(), pipe))
    output.append(piece.data(), size);
  pclose(pipe);
  return output;
}

TEST(Symbols, areOneThatIsSeen) {
  const std::string symbols =
      outputOf("nm -D --defined-only --format=posix " LATHE_PLUGIN_UNDER_TEST);
  EXPECT_THAT(symbols, testing::MatchesRegex("lathe_plugin_entry T [^\n]*\n")) << symbols;
}

using Border = EnteredPlugin;

TEST_F(Border, refusesHostsOfAnotherMajorWithBothVersions) {
  host_.struct_size = offsetof(lathe_host, name); // of another major only the head is known
  for (uint32_t major : {0, 2}) {
    host_.abi_major = major;
    expectError(enter(), LATHE_ERROR_FAILED_PRECONDITION,
                "built for abi " + std::to_string(LATHE_ABI_MAJOR) + "." +
                    std::to_string(LATHE_ABI_MINOR) + ", the host has " + std::to_string(major) +
                    "." + std::to_string(LATHE_ABI_MINOR));
    EXPECT_EQ(plugin_, nullptr);
  }
}

TEST_F(Border, entersOlderAndNewerMinors) {
  host_.abi_minor = 9;
  host_.struct_size += 16;
  EXPECT_EQ(enter(), nullptr);
  host_.abi_minor = 0;
  host_.struct_size = offsetof(lathe_host, context);
  EXPECT_EQ(enter(), nullptr);
}

TEST_F(Border, setsNoByteOfPropertiesBehindTheirSize) {
  ASSERT_EQ(enter(), nullptr);
  lathe_device *device = openDevice();
  for (size_t size : {sizeof(lathe_device_properties), offsetof(lathe_device_properties, details),
                      offsetof(lathe_device_properties, kind)}) {
    lathe_device_properties properties;
    std::memset(static_cast<void *>(&properties), 0xa5, sizeof properties);
    properties.struct_size = size;
    lathe_device_properties_args args = {sizeof args, nullptr, device, &properties};
    ASSERT_EQ(plugin_->devices->properties(&args), nullptr);
    EXPECT_EQ(properties.struct_size, size);
    EXPECT_NE(runtime::fromAbi(properties.name), "");
    const auto *bytes = reinterpret_cast<const uint8_t *>(&properties);
    for (size_t i = size; i < sizeof properties; ++i)
      ASSERT_EQ(bytes[i], 0xa5) << i;
  }
  closeDevice(device);
}

// An answer of an older host has no room for a reason: nothing is written there.
TEST_F(Border, judgesCompatibilityForHostsOfEachAge) {
  ASSERT_EQ(enter(), nullptr);
  if (!plugin_->devices->compatibility)
    return; // the runtime compares the strings
  lathe_target_list_args listed = {sizeof listed, nullptr, nullptr, 0};
  ASSERT_EQ(plugin_->compiler->target_list(&listed), nullptr);
  lathe_device *device = openDevice();
  const std::string other = "arch=another";
  lathe_compatibility_args args = {};
  args.device = device;
  for (size_t size : {offsetof(lathe_compatibility_args, reason), sizeof args}) {
    args.struct_size = size;
    args.compatibility = listed.targets[0]->compatibility;
    args.verdict = 99;
    ASSERT_EQ(plugin_->devices->compatibility(&args), nullptr);
    EXPECT_EQ(args.verdict, uint32_t{LATHE_COMPATIBILITY_OPTIMAL});
    args.compatibility = textOf(other);
    args.reason.size = 7777;
    ASSERT_EQ(plugin_->devices->compatibility(&args), nullptr);
    EXPECT_EQ(args.verdict, uint32_t{LATHE_COMPATIBILITY_NO});
    EXPECT_EQ(args.reason.size == 7777, size != sizeof args);
  }
  closeDevice(device);
}

// A question of a host of 1.0 ends before its points, one of a newer host has more behind it.
TEST_F(Border, answersQuestionsOfHostsOfEachAge) {
  ASSERT_EQ(enter(), nullptr);
  ProgramBuilder builder;
  builder.function("f", 1);
  builder.op("lathe.no_such_op", {}, builder.rows(4));
  struct {
    lathe_support_args known;
    char newer[24];
  } args;
  for (size_t size : {offsetof(lathe_support_args, points), sizeof args.known, sizeof args}) {
    std::memset(static_cast<void *>(&args), 0xa5, sizeof args);
    args.known.struct_size = size;
    args.known.op = builder.lastOp();
    args.known.rows = args.known.keys = 1;
    args.known.text = {nullptr, 0, 7777};
    ASSERT_EQ(plugin_->compiler->supports(&args.known), nullptr);
    EXPECT_EQ(args.known.verdict, uint32_t{LATHE_SUPPORT_NO});
    EXPECT_EQ(args.known.reason, uint32_t{LATHE_REASON_UNSUPPORTED_OP});
    EXPECT_NE(args.known.text.size, 7777u);
    if (size < sizeof args.known) {
      EXPECT_EQ(args.known.points, static_cast<int64_t>(0xa5a5a5a5a5a5a5a5));
    }
    for (char byte : args.newer)
      EXPECT_EQ(byte, '\xa5');
  }
}

TEST_F(Border, opensNoDeviceBeyondThoseListed) {
  ASSERT_EQ(enter(), nullptr);
  lathe_device_list_args listed = {};
  listed.struct_size = sizeof listed;
  ASSERT_EQ(plugin_->devices->device_list(&listed), nullptr);
  ASSERT_GE(listed.device_count, 1u);
  lathe_device_open_args args = {};
  args.struct_size = sizeof args;
  args.index = listed.device_count;
  expectError(plugin_->devices->device_open(&args), LATHE_ERROR_INVALID_ARGUMENT, "no device ");
}

TEST_F(Border, givesMemoryAlignedAndZeroedOrSaysThatItHasNone) {
  ASSERT_EQ(enter(), nullptr);
  lathe_device *device = openDevice();
  lathe_buffer_allocate_args args = {};
  args.struct_size = sizeof args;
  args.device = device;
  for (uint64_t alignment : {1, 64, 4096}) {
    args.alignment = alignment;
    args.size = alignment == 64 ? 0 : 100;
    args.flags = LATHE_BUFFER_ZEROED;
    ASSERT_EQ(plugin_->devices->buffer_allocate(&args), nullptr);
    lathe_buffer_map_args map = {sizeof map,     nullptr, device, args.buffer,
                                 LATHE_MAP_READ, 0,       nullptr};
    ASSERT_EQ(plugin_->devices->buffer_map(&map), nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(map.memory) % alignment, 0u);
    EXPECT_EQ(bytesOf(map.memory, args.size), std::vector<uint8_t>(args.size));
    lathe_buffer_args release = {sizeof release, nullptr, device, args.buffer};
    EXPECT_EQ(plugin_->devices->buffer_release(&release), nullptr);
  }
  const std::pair<uint64_t, uint64_t> wrong[] = {{8, 3}, {8, 8192}, {~uint64_t{0}, 64}};
  for (auto [size, alignment] : wrong) {
    args.size = size;
    args.alignment = alignment;
    expectError(plugin_->devices->buffer_allocate(&args),
                size == 8 ? LATHE_ERROR_INVALID_ARGUMENT : LATHE_ERROR_RESOURCE_EXHAUSTED);
  }
  lathe_buffer_args none = {sizeof none, nullptr, device, nullptr};
  EXPECT_EQ(plugin_->devices->buffer_release(&none), nullptr);
  closeDevice(device);
}

} // namespace
} // namespace lathe::plugins
