// The device: the host's CPU, as oneDNN sees it.
#include "device/device.h"

#include <thread>

#include "compile/targets.h"
#include "onednn.h"

namespace onednn {
namespace {

constexpr std::string_view kOwnCompatibility = "arch=onednn;version=1";

bool has(dnnl::cpu_isa isa) {
  const auto all = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  const auto asked = static_cast<unsigned>(isa);
  return (all & asked) == asked;
}

std::string isaName() {
  if (has(dnnl::cpu_isa::avx512_core_amx))
    return "avx512_core_amx";
  if (has(dnnl::cpu_isa::avx512_core_bf16))
    return "avx512_core_bf16";
  if (has(dnnl::cpu_isa::avx512_core))
    return "avx512_core";
  return has(dnnl::cpu_isa::avx2) ? "avx2" : "sse41";
}

const std::string &details() {
  static const std::string json = [] {
    const dnnl_version_t *version = dnnl_version();
    return "{\"library\":\"oneDNN " + std::to_string(version->major) + "." +
           std::to_string(version->minor) + "." + std::to_string(version->patch) + "\",\"isa\":\"" +
           isaName() + "\",\"threads\":\"of the host; oneDNN's own are not used\"}";
  }();
  return json;
}

lathe_error *deviceList(lathe_device_list_args *args) {
  return answer([&] {
    lathe_device_list_args mine = take(args);
    mine.device_count = 1;
    give(args, mine);
  });
}

lathe_error *deviceOpen(lathe_device_open_args *args) {
  return answer([&] {
    lathe_device_open_args mine = take(args);
    if (mine.index != 0)
      fail(LATHE_ERROR_INVALID_ARGUMENT,
           "there is no device " + std::to_string(mine.index) + "; the only one is 0");
    mine.device = new lathe_device;
    give(args, mine);
  });
}

lathe_error *deviceClose(lathe_device_args *args) {
  delete take(args).device;
  return nullptr;
}

lathe_error *properties(lathe_device_properties_args *args) {
  return answer([&] {
    const lathe_device_properties_args asked = take(args);
    lathe_device_properties mine = {};
    mine.struct_size = take(asked.properties).struct_size;
    mine.name = text("the host's CPU through oneDNN");
    mine.kind = text("cpu");
    mine.compatibility = text(kOwnCompatibility);
    mine.level = text(has(dnnl::cpu_isa::avx512_core_bf16) ? "bf16" : "f32");
    mine.details = text(details());
    mine.import_alignment = 64;
    mine.parallelism = std::max(std::thread::hardware_concurrency(), 1u);
    mine.host_visible = 1;
    give(asked.properties, mine);
  });
}

struct Fit {
  uint32_t verdict, rank;
  std::string reason;
};

// f32 runs wherever oneDNN does. bf16 is fast where the CPU multiplies it, and is emulated with
// AVX-512.
Fit fitOf(lathe_string compatibility) {
  if (view(compatibility) == kCompatibilityF32)
    return {LATHE_COMPATIBILITY_OPTIMAL, 2, ""};
  if (view(compatibility) != kCompatibilityBf16)
    return {LATHE_COMPATIBILITY_NO, 0,
            "needs " + shown(compatibility) + ", and this device is " +
                std::string(kOwnCompatibility)};
  if (has(dnnl::cpu_isa::avx512_core_bf16))
    return {LATHE_COMPATIBILITY_OPTIMAL, 3, ""};
  if (has(dnnl::cpu_isa::avx512_core))
    return {LATHE_COMPATIBILITY_USABLE, 1,
            "this CPU (" + isaName() + ") does not multiply bf16; compile for onednn:f32"};
  return {LATHE_COMPATIBILITY_NO, 0,
          "products of bf16 need AVX-512, this CPU has " + isaName() + "; compile for onednn:f32"};
}

lathe_error *compatibility(lathe_compatibility_args *args) {
  return answer([&] {
    lathe_compatibility_args mine = take(args);
    const Fit fit = fitOf(mine.compatibility);
    mine.verdict = fit.verdict;
    mine.rank = fit.rank;
    writeText(mine.reason, fit.reason);
    give(args, mine);
  });
}

} // namespace

bool runsHere(lathe_string compatibility) {
  return fitOf(compatibility).verdict != LATHE_COMPATIBILITY_NO;
}

const lathe_device_api device_api = {.struct_size = sizeof device_api,
                                     .next = nullptr,
                                     .device_list = deviceList,
                                     .device_open = deviceOpen,
                                     .device_close = deviceClose,
                                     .properties = properties,
                                     .buffer_allocate = bufferAllocate,
                                     .buffer_release = bufferRelease,
                                     .buffer_map = bufferMap,
                                     .buffer_unmap = bufferUnmap,
                                     .executable_load = executableLoad,
                                     .executable_release = executableRelease,
                                     .executable_entry = executableEntry,
                                     .run = run,
                                     .compatibility = compatibility,
                                     .buffer_import = bufferImport,
                                     .buffer_clear = bufferClear,
                                     .copy = copyBytes,
                                     .queue_create = queueCreate,
                                     .queue_release = queueRelease,
                                     .event_create = eventCreate,
                                     .event_release = eventRelease,
                                     .event_wait = eventWait,
                                     .queue_error = queueError};

} // namespace onednn
