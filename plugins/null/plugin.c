// Who this plugin is, and its one exported symbol.
#include "null.h"

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
    .abi_major = LATHE_ABI_MAJOR,
    .abi_minor = LATHE_ABI_MINOR,
    .name = TEXT("null"),
    .version = TEXT("0.1.0"),
    .description = TEXT("the plugin to copy: four ops in plain C on the host's memory"),
    .features = FEATURES,
    .devices = &device_api,
    .compiler = &compile_api,
};

// The version is looked at before anything else: of a host of another major only the head can be
// read.
LATHE_PLUGIN_EXPORT lathe_error *lathe_plugin_entry(lathe_plugin_entry_args *args) {
  const lathe_host *theirs = args->host;
  if (theirs->abi_major != LATHE_ABI_MAJOR)
    return fail(
        LATHE_ERROR_FAILED_PRECONDITION,
        "null: built for abi %d.%d, the host has %u.%u; use the plugin of the host's release",
        LATHE_ABI_MAJOR, LATHE_ABI_MINOR, theirs->abi_major, theirs->abi_minor);
  take(&host, sizeof host, theirs);
  args->plugin = &plugin;
  return NULL;
}
