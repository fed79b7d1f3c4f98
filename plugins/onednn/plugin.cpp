// Who this plugin is, and its one exported symbol.
#include "border.h"
#include "onednn.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define FEATURES LATHE_FEATURE_ASAN
#else
#define FEATURES 0
#endif

static const lathe_plugin plugin = {
    .struct_size = sizeof plugin,
    .next = nullptr,
    .abi_major = LATHE_ABI_MAJOR,
    .abi_minor = LATHE_ABI_MINOR,
    .name = onednn::text("onednn"),
    .version = onednn::text("0.1.0"),
    .description = onednn::text("products, attention and norms by oneDNN on the host's CPU"),
    .features = FEATURES,
    .reserved = 0,
    .devices = &onednn::device_api,
    .compiler = &onednn::compile_api,
    .unload = nullptr,
};

// The version is looked at before anything else: of a host of another major only the head can be
// read.
extern "C" LATHE_PLUGIN_EXPORT lathe_error *lathe_plugin_entry(lathe_plugin_entry_args *args) {
  return onednn::answer([&] {
    const lathe_host *theirs = args->host;
    const auto version = [](uint32_t major, uint32_t minor) {
      return std::to_string(major) + "." + std::to_string(minor);
    };
    if (theirs->abi_major != LATHE_ABI_MAJOR)
      onednn::fail(LATHE_ERROR_FAILED_PRECONDITION,
                   "built for abi " + version(LATHE_ABI_MAJOR, LATHE_ABI_MINOR) +
                       ", the host has " + version(theirs->abi_major, theirs->abi_minor) +
                       "; use the plugin of the host's release");
    onednn::host = onednn::take(theirs);
    args->plugin = &plugin;
  });
}
