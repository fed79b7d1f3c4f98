// Who this plugin is, and its one exported symbol.
#include "plugin/halves.h"

namespace npu::plugin {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr uint32_t features = LATHE_FEATURE_ASAN;
#elif defined(__SANITIZE_THREAD__)
constexpr uint32_t features = LATHE_FEATURE_TSAN;
#else
constexpr uint32_t features = 0;
#endif

const lathe_plugin plugin = {
    sizeof(lathe_plugin),
    nullptr,
    LATHE_ABI_MAJOR,
    LATHE_ABI_MINOR,
    shown("npu"),
    shown("0.1.0"),
    shown("Ascend-style NPUs, simulated: cube, vector and transfer pipes"),
    features,
    0,
    &device_api,
    &compile_api,
    nullptr,
};

} // namespace
} // namespace npu::plugin

// The version is looked at before anything else: of a host of another major only the head can be
// read.
extern "C" LATHE_PLUGIN_EXPORT lathe_error *lathe_plugin_entry(lathe_plugin_entry_args *args) {
  using namespace npu::plugin;
  const lathe_host *theirs = args->host;
  if (theirs->abi_major != LATHE_ABI_MAJOR)
    return fail(LATHE_ERROR_FAILED_PRECONDITION,
                npu::text("built for abi ", LATHE_ABI_MAJOR, ".", LATHE_ABI_MINOR,
                          ", the host has ", theirs->abi_major, ".", theirs->abi_minor,
                          "; use the plugin of the host's release"));
  host = take(theirs);
  args->plugin = &plugin;
  return nullptr;
}
