// Work on the host's threads. Compiled into the test of each plugin that asks for them and takes
// lathe.linear.
#include "tests/unit/plugins/entered_plugin.h"

namespace lathe::plugins {
namespace {

using HostThreads = EnteredPlugin;

// Functions that a host does not have: the plugin runs its loops itself, with the same bits.
TEST_F(HostThreads, giveTheBitsOfARunWithoutThem) {
  static int regions;
  constexpr size_t kRows = 9, kIn = 48, kOut = 900;
  ProgramBuilder builder;
  builder.function("f", kRows);
  const lathe_value *x = builder.input("x", builder.rows(kIn));
  const lathe_value *w = builder.input("w", builder.tensor({kOut, kIn}));
  builder.result("y", builder.op("lathe.linear", {{"x", x}, {"weight", w}}, builder.rows(kOut)));
  const Floats inputs = numbers(kRows * kIn + kOut * kIn, 5);
  std::vector<Floats> seen;
  for (bool with_threads : {false, true}) {
    regions = 0;
    host_.parallel = [](void *, lathe_task task, void *context, int64_t count) {
      ++regions;
      for (int64_t i = count; i-- > 0;)
        task(context, i, i + 1);
    };
    host_.struct_size = with_threads ? sizeof host_ : offsetof(lathe_host, parallel);
    ASSERT_EQ(enter(), nullptr);
    auto device = runtime::DeviceTable::of(plugin_->devices)->open(0);
    ASSERT_TRUE(device.ok());
    lathe_compile_args args = {};
    args.struct_size = sizeof args;
    args.program = builder.program();
    ASSERT_EQ(plugin_->compiler->compile(&args), nullptr);
    auto executable = (*device)->load(
        {static_cast<const uint8_t *>(args.compiled->code), args.compiled->code_size},
        runtime::fromAbi(args.compiled->compatibility));
    ASSERT_TRUE(executable.ok()) << executable.status();
    std::vector<runtime::DeviceBuffer> buffers;
    buffers.push_back(*(*device)->allocate(inputs.size() * 4, 0));
    buffers.push_back(*(*device)->allocate(kRows * kOut * 4, 0));
    buffers.push_back(*(*device)->allocate(args.compiled->entries[0]->scratch_bytes, 0));
    std::memcpy(*buffers[0].map(LATHE_MAP_WRITE), inputs.data(), inputs.size() * 4);
    const lathe_binding bindings[] = {{buffers[0].handle(), 0, kRows * kIn * 4},
                                      {buffers[0].handle(), kRows * kIn * 4, kOut * kIn * 4},
                                      buffers[1].binding(),
                                      buffers[2].binding(),
                                      {},
                                      {}};
    auto status = (*device)->run(*executable, 0, bindings, kRows, 0);
    ASSERT_TRUE(status.ok()) << status;
    const auto *y = static_cast<const float *>(*buffers[1].map(LATHE_MAP_READ));
    seen.emplace_back(y, y + kRows * kOut);
    EXPECT_EQ(regions > 0, with_threads);
    args.compiled->release(args.compiled);
  }
  EXPECT_EQ(seen[0], seen[1]);
}

} // namespace
} // namespace lathe::plugins
