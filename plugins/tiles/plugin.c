// Who this plugin is, and its one exported symbol.
#include <stdio.h>
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

static const lathe_plugin plugin = {.struct_size = sizeof plugin,
                                    .abi_major = LATHE_ABI_MAJOR,
                                    .abi_minor = LATHE_ABI_MINOR,
                                    .name = TEXT("tiles"),
                                    .version = TEXT("0.1.0"),
                                    .description = TEXT("makes code of kernels over tiles"),
                                    .devices = &devices,
                                    .compiler = &compiler};

// A host of another major must be refused before anything else of it is read.
LATHE_PLUGIN_EXPORT lathe_error *lathe_plugin_entry(lathe_plugin_entry_args *args) {
  static char refusal[96]; // an entry is called once
  if (args->host->abi_major != LATHE_ABI_MAJOR) {
    snprintf(refusal, sizeof refusal, "tiles: built for abi %d.%d, the host has %u.%u; rebuild it",
             LATHE_ABI_MAJOR, LATHE_ABI_MINOR, args->host->abi_major, args->host->abi_minor);
    return fail(LATHE_ERROR_FAILED_PRECONDITION, refusal);
  }
  args->plugin = &plugin;
  return NULL;
}
