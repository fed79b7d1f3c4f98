// The host's side of the border, with a plugin that answers whatever the input says.
#include <cstdlib>
#include <cstring>
#include <vector>

#include "absl/types/span.h"
#include "backends/plugin/compile.h"
#include "runtime/device/error.h"
#include "runtime/device/queue.h"
#include "runtime/plugin/plugin.h"
#include "tests/fuzz/hostile_plugin.h"
#include "tests/unit/plugins/program_builder.h"

using lathe::runtime::Device;
using lathe::runtime::DeviceBuffer;
using lathe::runtime::DeviceQueue;
using lathe::runtime::Executable;
using lathe::runtime::Plugin;

static void require(bool holds) {
  if (!holds)
    std::abort();
}

// A norm and a product, as any compile half might be shown.
static const lathe_program &program() {
  static auto *builder = [] {
    auto *made = new lathe::plugins::ProgramBuilder();
    made->function("decode", 1);
    const lathe_value *x = made->input("x", made->rows(8));
    const lathe_value *scale = made->weight("norm", made->tensor({8}), std::vector<uint8_t>(32));
    const lathe_value *norm = made->op("lathe.rms_norm", {{"input", x}, {"scale", scale}},
                                       made->rows(8), {{"epsilon", 1e-6}});
    const lathe_value *weight =
        made->weight("product", made->tensor({4, 8}), std::vector<uint8_t>(128));
    made->result("y", made->op("lathe.linear", {{"x", norm}, {"weight", weight}}, made->rows(4)));
    return made;
  }();
  return *builder->program();
}

// What a session does.
static void useQueue(DeviceQueue &queue, const Executable &executable, uint32_t entry,
                     const DeviceBuffer &buffer) {
  char host[64] = {};
  std::vector<lathe_binding> bindings(4, buffer.binding());
  const lathe::runtime::RegionObserver observer = [](absl::string_view label) {
    require(label.size() <= 65536);
  };
  const lathe_binding part = {buffer.handle(), 0, sizeof host};
  if (queue.copies(0) && !queue.toDevice(host, part).ok())
    return;
  if (!queue.run(executable, entry, bindings, 1, 1, &observer).ok() ||
      !queue.run(executable, entry, bindings, 1, 1).ok())
    return;
  if (queue.copies(0))
    (void)queue.toHost(part, host);
  (void)queue.finish();
}

static void useDevice(const std::shared_ptr<Device> &device) {
  require(!device->properties().name.empty() && device->properties().import_alignment > 0);
  (void)device->compatibility("arch=chip");
  auto buffer = device->allocate(1024, LATHE_BUFFER_ZEROED);
  if (!buffer.ok())
    return;
  if (auto memory = buffer->map(LATHE_MAP_WRITE); memory.ok()) {
    require(*memory != nullptr);
    (void)buffer->unmap();
  }
  (void)buffer->clear();
  alignas(64) static const uint8_t weights[64] = {1};
  (void)device->import(weights);
  auto executable = device->load(weights, "arch=chip", {});
  if (!executable.ok())
    return;
  auto entry = executable->entry("decode");
  auto queue = DeviceQueue::create(device);
  if (entry.ok() && queue.ok())
    useQueue(*queue, *executable, *entry, *buffer);
}

static void useCode(const lathe::plugin::Code &code) {
  uint64_t end = 0;
  for (size_t i = 0; i < code.weights().size(); ++i) {
    const auto &weight = code.weights()[i];
    require(weight.offset >= end && weight.offset % 64 == 0);
    end = weight.offset + weight.size;
    require(end >= weight.offset && end <= code.weightBytes());
    std::vector<uint8_t> piece(std::min<uint64_t>(weight.size, 4096));
    (void)code.pack(i, 0, absl::MakeSpan(piece));
  }
  for (size_t i = 0; i < program().function_count; ++i)
    (void)code.scratchBytes(lathe::runtime::fromAbi(program().functions[i]->name));
  require(!code.compatibility().empty());
}

static void useTarget(const Plugin &plugin, const lathe::runtime::TargetProperties &properties) {
  const lathe::plugin::Target target = {plugin.name() + ":" + properties.name, plugin.compiler(),
                                        properties.handle, 0, 0};
  const lathe_function &function = *program().functions[0];
  for (size_t i = 0; i < function.op_count; ++i) {
    auto answer = lathe::plugin::ask(target, {function.ops[i], 1, 1024});
    require(!answer.ok() || (answer->cost() >= 0 && answer->cost() < 1e300));
  }
  int asked = 0;
  auto code = lathe::plugin::Code::compile(target, program(), [&](double) { return ++asked < 3; });
  if (code.ok())
    useCode(**code);
}

static void use(const std::shared_ptr<Plugin> &plugin) {
  for (uint32_t i = 0; i < std::min(plugin->deviceCount(), 3u); ++i)
    if (auto device = plugin->openDevice(i); device.ok())
      useDevice(*device);
  for (const auto &target : plugin->targets())
    useTarget(*plugin, target);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lathe::fuzz::answerWith(data, size);
  if (auto plugin = Plugin::linked("hostile", lathe::fuzz::hostileEntry); plugin.ok())
    use(*plugin);
  require(lathe::fuzz::errorsOwned() == 0);
  return 0;
}
