// Who this plugin is, and its one exported symbol.
#include <stdlib.h>
#include <string.h>

#include "tiles.h"

static void release_error(lathe_error *error) { free(error); }
static void keep_error(lathe_error *error) { (void)error; }

lathe_error *fail(uint32_t code, const char *what) {
  static lathe_error no_memory = {sizeof no_memory, LATHE_ERROR_RESOURCE_EXHAUSTED, 0,
                                  TEXT("tiles: no memory"), keep_error};
  lathe_error *error = malloc(sizeof *error);
  if (!error)
    return &no_memory;
  *error = (lathe_error){sizeof *error, code, 0, {what, strlen(what)}, release_error};
  return error;
}

int text_is(lathe_string text, const char *expected) {
  return text.size == strlen(expected) && memcmp(text.data, expected, text.size) == 0;
}

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

static const lathe_plugin plugin = {.struct_size = sizeof plugin,
                                    .abi_major = LATHE_ABI_MAJOR,
                                    .abi_minor = LATHE_ABI_MINOR,
                                    .name = TEXT("tiles"),
                                    .version = TEXT("0.1.0"),
                                    .description = TEXT("makes code of kernels over tiles"),
                                    .features = FEATURES,
                                    .devices = &devices,
                                    .compiler = &compiler};

LATHE_PLUGIN_EXPORT lathe_error *lathe_plugin_entry(lathe_plugin_entry_args *args) {
  if (args->host->abi_major != LATHE_ABI_MAJOR)
    return fail(LATHE_ERROR_FAILED_PRECONDITION,
                "tiles: built for abi 1.1, the host has another major; rebuild it");
  args->plugin = &plugin;
  return NULL;
}
