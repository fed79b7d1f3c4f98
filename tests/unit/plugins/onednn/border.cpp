// The rules of the border: one symbol, versions, structs of other ages, memory.
#include <array>
#include <cstdio>
#include <dlfcn.h>

#include "tests/unit/plugins/onednn/onednn_plugin.h"

namespace lathe::plugins {
namespace {

using testing::HasSubstr;

std::string outputOf(const std::string &command) {
  std::string output;
  FILE *pipe = popen(command.c_str(), "r");
  std::array<char, 256> piece;
  while (size_t size = fread(piece.data(), 1, piece.size(), pipe))
    output.append(piece.data(), size);
  pclose(pipe);
  return output;
}

TEST(OnednnSymbols, exportsOneSymbol) {
  const std::string symbols = outputOf("nm -D --defined-only --format=posix " LATHE_ONEDNN_PLUGIN);
  EXPECT_THAT(symbols, testing::MatchesRegex("lathe_plugin_entry T [^\n]*\n")) << symbols;
}

// The library itself, entered by a host of the test's making.
class OnednnBorder : public testing::Test {
protected:
  OnednnBorder() : library_(dlopen(LATHE_ONEDNN_PLUGIN, RTLD_NOW | RTLD_LOCAL)) {
    host_.struct_size = sizeof host_;
    host_.abi_major = LATHE_ABI_MAJOR;
    host_.abi_minor = LATHE_ABI_MINOR;
  }
  ~OnednnBorder() override { dlclose(library_); }

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
  void expectError(lathe_error *error, uint32_t code, const std::string &text) {
    ASSERT_NE(error, nullptr);
    EXPECT_EQ(error->code, code);
    EXPECT_THAT(std::string(error->message.data, error->message.size), HasSubstr(text));
    error->release(error);
  }

  void *library_;
  lathe_host host_ = {};
  const lathe_plugin *plugin_ = nullptr;
};

TEST_F(OnednnBorder, refusesHostsOfAnotherMajorWithBothVersions) {
  host_.struct_size = offsetof(lathe_host, name); // of another major only the head is known
  for (uint32_t major : {0, 2}) {
    host_.abi_major = major;
    expectError(enter(), LATHE_ERROR_FAILED_PRECONDITION,
                "built for abi 1.0, the host has " + std::to_string(major) + ".0");
    EXPECT_EQ(plugin_, nullptr);
  }
}

TEST_F(OnednnBorder, entersOlderAndNewerMinors) {
  host_.abi_minor = 9;
  host_.struct_size += 16;
  EXPECT_EQ(enter(), nullptr);
  host_.abi_minor = 0;
  host_.struct_size = offsetof(lathe_host, context);
  EXPECT_EQ(enter(), nullptr);
}

TEST_F(OnednnBorder, setsNoByteOfPropertiesBehindTheirSize) {
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
    EXPECT_EQ(runtime::fromAbi(properties.name), "the host's CPU through oneDNN");
    const auto *bytes = reinterpret_cast<const uint8_t *>(&properties);
    for (size_t i = size; i < sizeof properties; ++i)
      ASSERT_EQ(bytes[i], 0xa5) << i;
  }
  closeDevice(device);
}

// An answer of an older host has no room for a reason: nothing is written there.
TEST_F(OnednnBorder, judgesCompatibilityForHostsOfEachAge) {
  ASSERT_EQ(enter(), nullptr);
  lathe_device *device = openDevice();
  const std::string ours = "arch=onednn;version=1;products=f32", other = "arch=onednn;version=2";
  lathe_compatibility_args args = {};
  args.device = device;
  for (size_t size : {offsetof(lathe_compatibility_args, reason), sizeof args}) {
    args.struct_size = size;
    args.compatibility = textOf(ours);
    args.verdict = 99;
    ASSERT_EQ(plugin_->devices->compatibility(&args), nullptr);
    EXPECT_EQ(args.verdict, uint32_t{LATHE_COMPATIBILITY_OPTIMAL});
    args.compatibility = textOf(other);
    args.reason.size = 77;
    ASSERT_EQ(plugin_->devices->compatibility(&args), nullptr);
    EXPECT_EQ(args.verdict, uint32_t{LATHE_COMPATIBILITY_NO});
    EXPECT_EQ(args.reason.size == 77, size != sizeof args);
  }
  closeDevice(device);
}

// A question of an older host has no room for the text, one of a newer host has more behind it.
TEST_F(OnednnBorder, answersQuestionsOfHostsOfEachAge) {
  ASSERT_EQ(enter(), nullptr);
  ProgramBuilder builder;
  builder.function("f", 1);
  builder.op("lathe.silu", {}, builder.rows(4));
  struct {
    lathe_support_args known;
    char newer[24];
  } args;
  for (size_t size : {offsetof(lathe_support_args, text), sizeof args.known, sizeof args}) {
    std::memset(static_cast<void *>(&args), 0xa5, sizeof args);
    args.known.struct_size = size;
    args.known.op = builder.lastOp();
    args.known.rows = args.known.keys = 1;
    args.known.text = {nullptr, 0, 7777};
    ASSERT_EQ(plugin_->compiler->supports(&args.known), nullptr);
    EXPECT_EQ(args.known.verdict, uint32_t{LATHE_SUPPORT_NO});
    EXPECT_EQ(args.known.reason, uint32_t{LATHE_REASON_UNSUPPORTED_OP});
    EXPECT_EQ(args.known.text.size == 7777, size < sizeof args.known);
    for (char byte : args.newer)
      EXPECT_EQ(byte, '\xa5');
  }
}

TEST_F(OnednnBorder, hasOneDevice) {
  ASSERT_EQ(enter(), nullptr);
  lathe_device_open_args args = {};
  args.struct_size = sizeof args;
  args.index = 1;
  expectError(plugin_->devices->device_open(&args), LATHE_ERROR_INVALID_ARGUMENT, "no device 1");
}

TEST_F(OnednnBorder, givesMemoryAlignedAndZeroedOrSaysThatItHasNone) {
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
    std::memset(map.memory, 7, args.size);
    lathe_buffer_args buffer = {sizeof buffer, nullptr, device, args.buffer};
    EXPECT_EQ(plugin_->devices->buffer_clear(&buffer), nullptr);
    EXPECT_EQ(bytesOf(map.memory, args.size), std::vector<uint8_t>(args.size));
    EXPECT_EQ(plugin_->devices->buffer_release(&buffer), nullptr);
  }
  const std::pair<uint64_t, uint64_t> wrong[] = {{8, 3}, {8, 8192}, {~uint64_t{0}, 64}};
  for (auto [size, alignment] : wrong) {
    args.size = size;
    args.alignment = alignment;
    expectError(plugin_->devices->buffer_allocate(&args),
                size == 8 ? LATHE_ERROR_INVALID_ARGUMENT : LATHE_ERROR_RESOURCE_EXHAUSTED, "");
  }
  lathe_buffer_args none = {sizeof none, nullptr, device, nullptr};
  EXPECT_EQ(plugin_->devices->buffer_release(&none), nullptr);
  closeDevice(device);
}

TEST_F(OnednnBorder, readsImportedMemoryAndNeverWritesIt) {
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

// Functions that a host does not have: the plugin runs its loops itself, with the same bits.
TEST_F(OnednnBorder, runsWithoutAndWithThreadsOfTheHost) {
  static int regions;
  std::vector<Floats> seen;
  ProgramBuilder builder;
  builder.function("f", 9);
  const lathe_value *x = builder.input("x", builder.rows(40));
  const lathe_value *w = builder.input("w", builder.tensor({900, 40}));
  builder.result("y", builder.op("lathe.linear", {{"x", x}, {"weight", w}}, builder.rows(900)));
  for (bool with_threads : {false, true}) {
    regions = 0;
    host_.parallel = [](void *, lathe_task task, void *context, int64_t count) {
      ++regions;
      for (int64_t i = count; i-- > 0;)
        task(context, i, i + 1);
    };
    host_.struct_size = with_threads ? sizeof host_ : offsetof(lathe_host, parallel);
    ASSERT_EQ(enter(), nullptr);
    auto table = runtime::DeviceTable::of(plugin_->devices);
    auto device = table->open(0);
    ASSERT_TRUE(device.ok());
    lathe_compile_args args = {};
    args.struct_size = sizeof args;
    args.program = builder.program();
    ASSERT_EQ(plugin_->compiler->compile(&args), nullptr);
    auto executable = (*device)->load(
        {static_cast<const uint8_t *>(args.compiled->code), args.compiled->code_size},
        runtime::fromAbi(args.compiled->compatibility));
    ASSERT_TRUE(executable.ok()) << executable.status();
    const Floats inputs = numbers(368 + 36000, 5);
    std::vector<runtime::DeviceBuffer> buffers;
    buffers.push_back(*(*device)->allocate(inputs.size() * 4, 0));
    buffers.push_back(*(*device)->allocate(8100 * 4, 0));
    std::memcpy(*buffers[0].map(LATHE_MAP_WRITE), inputs.data(), inputs.size() * 4);
    const lathe_binding bindings[] = {{buffers[0].handle(), 0, 1440},
                                      {buffers[0].handle(), 1472, 144000},
                                      buffers[1].binding(),
                                      {},
                                      {},
                                      {}};
    auto status = (*device)->run(*executable, 0, bindings, 9, 0);
    ASSERT_TRUE(status.ok()) << status;
    const auto *y = static_cast<const float *>(*buffers[1].map(LATHE_MAP_READ));
    seen.emplace_back(y, y + 8100);
    EXPECT_EQ(regions, with_threads ? 1 : 0);
    args.compiled->release(args.compiled);
  }
  EXPECT_EQ(seen[0], seen[1]);
}

} // namespace
} // namespace lathe::plugins
