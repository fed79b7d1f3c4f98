// Who this plugin is, and its one exported symbol.
#include <string.h>

#include "null.h"

static const lathe_plugin plugin = {
    .struct_size = sizeof plugin,
    .abi_major = LATHE_ABI_MAJOR,
    .abi_minor = LATHE_ABI_MINOR,
    .name = TEXT("null"),
    .version = TEXT("0.1.0"),
    .description = TEXT("the plugin to copy: three ops in plain C on the host's memory"),
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
  memcpy(&host, theirs, theirs->struct_size < sizeof host ? theirs->struct_size : sizeof host);
  args->plugin = &plugin;
  return NULL;
}
