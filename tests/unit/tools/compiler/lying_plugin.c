// A plugin whose compile half takes every linear, and lies about the code of it in the way that its
// option "lie" names; without one it makes code that nobody can run.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/abi/plugin.h"

#define TEXT(s)                                                                                    \
  { s, sizeof(s) - 1 }

static char lie[32];

static int lies(const char *how) { return strcmp(lie, how) == 0; }

static void release_error(lathe_error *error) { free(error); }

static lathe_error *give(uint32_t code, const char *text) {
  lathe_error *error = calloc(1, sizeof *error);
  error->struct_size = sizeof *error;
  error->code = code;
  error->message = (lathe_string){text, strlen(text)};
  error->release = release_error;
  return error;
}

static const lathe_target target = {.struct_size = sizeof(lathe_target),
                                    .name = TEXT("chip"),
                                    .compatibility = TEXT("arch=liar"),
                                    .takes = LATHE_TAKES_OPS | LATHE_TAKES_PARTITIONS};
static const lathe_target later = {.struct_size = sizeof(lathe_target),
                                   .name = TEXT("chip"),
                                   .compatibility = TEXT("arch=liar"),
                                   .takes = 1u << 31}; // a bit of a header to come

static lathe_error *target_list(lathe_target_list_args *args) {
  static const lathe_target *const targets[] = {&target}, *const later_ones[] = {&later};
  args->targets = lies("takes") ? later_ones : targets;
  args->target_count = 1;
  return NULL;
}

static lathe_error *supports(lathe_support_args *args) {
  static const lathe_string name = TEXT("lathe.linear");
  if (lies("supports"))
    return give(LATHE_ERROR_INVALID_ARGUMENT, "what is that?");
  args->verdict =
      args->op->name.size == name.size && !memcmp(args->op->name.data, name.data, name.size)
          ? LATHE_SUPPORT_CONVERTED
          : LATHE_SUPPORT_NO;
  args->reason =
      args->verdict == LATHE_SUPPORT_NO ? LATHE_REASON_UNSUPPORTED_OP : LATHE_REASON_NONE;
  args->seconds = 1e-15;
  args->converted_to = args->verdict == LATHE_SUPPORT_CONVERTED ? LATHE_ELEMENT_E5M2 : 0;
  static const char text[] = "rounded to one bit";
  args->text.size = lies("text_size") ? SIZE_MAX : sizeof text - 1;
  memcpy(args->text.data, text,
         args->text.capacity < sizeof text - 1 ? args->text.capacity : sizeof text - 1);
  return NULL;
}

// Everything that one compile hands out.
typedef struct given {
  lathe_compiled compiled;
  lathe_compiled_entry *entries;
  const lathe_compiled_entry **entry_list;
  lathe_packed_weight weight;
  const lathe_packed_weight *weight_list[1];
  uint32_t constant;
} given;

static void release(lathe_compiled *compiled) {
  given *all = (given *)compiled;
  free(all->entries);
  free(all->entry_list);
  free(all);
}

static lathe_error *pack(lathe_pack_args *args) {
  if (lies("pack"))
    return give(LATHE_ERROR_DATA_LOSS, "the weight is damaged");
  memset(args->destination, 0, args->size);
  return NULL;
}

static void spoil(given *all) {
  lathe_compiled *compiled = &all->compiled;
  if (lies("compiled_size"))
    compiled->struct_size = 24;
  if (lies("no_compatibility"))
    compiled->compatibility.size = 0;
  if (lies("no_code"))
    compiled->code = NULL;
  if (lies("code_size"))
    compiled->code_size = SIZE_MAX;
  if (lies("state_bytes"))
    compiled->state_bytes = UINT64_MAX;
  if (lies("no_entry"))
    compiled->entry_count = 0;
  if (lies("null_entry"))
    all->entry_list[0] = NULL;
  if (lies("scratch_bytes"))
    all->entries[0].scratch_bytes = UINT64_MAX;
  if (lies("no_pack"))
    compiled->pack = NULL;
  if (lies("weight_count"))
    compiled->weight_count = SIZE_MAX;
  if (lies("null_weight"))
    all->weight_list[0] = NULL;
  if (lies("constant"))
    all->constant = UINT32_MAX;
  if (lies("alignment"))
    all->weight.alignment = 48;
  if (lies("weight_size"))
    all->weight.size = UINT64_MAX;
}

static lathe_error *compile(lathe_compile_args *args) {
  const lathe_program *program = args->program;
  if (lies("refuses"))
    return give(LATHE_ERROR_FAILED_PRECONDITION, "too many of them");
  if (lies("fails"))
    return give(LATHE_ERROR_INTERNAL, "lost the thread");
  if (lies("nothing"))
    return NULL;
  given *all = calloc(1, sizeof *all);
  all->entries = calloc(program->function_count, sizeof *all->entries);
  all->entry_list = calloc(program->function_count, sizeof *all->entry_list);
  for (size_t i = 0; i < program->function_count; ++i) {
    all->entries[i].struct_size = sizeof all->entries[i];
    all->entries[i].name = program->functions[i]->name;
    all->entry_list[i] = &all->entries[i];
  }
  all->weight = (lathe_packed_weight){.struct_size = sizeof all->weight,
                                      .layout = TEXT("zeros"),
                                      .constants = &all->constant,
                                      .constant_count = 1,
                                      .size = 64,
                                      .alignment = 64};
  all->weight_list[0] = &all->weight;
  all->compiled = (lathe_compiled){.struct_size = sizeof all->compiled,
                                   .compatibility = TEXT("arch=liar"),
                                   .code = "code",
                                   .code_size = 4,
                                   .entries = all->entry_list,
                                   .entry_count = program->function_count,
                                   .weights = all->weight_list,
                                   .weight_count = 1,
                                   .pack = pack,
                                   .release = release};
  spoil(all);
  args->compiled = &all->compiled;
  return NULL;
}

static const lathe_compile_api compiler = {.struct_size = sizeof(lathe_compile_api),
                                           .target_list = target_list,
                                           .supports = supports,
                                           .compile = compile};

static const lathe_plugin plugin = {.struct_size = sizeof(lathe_plugin),
                                    .abi_major = LATHE_ABI_MAJOR,
                                    .abi_minor = LATHE_ABI_MINOR,
                                    .name = TEXT("liar"),
                                    .version = TEXT("1"),
                                    .description = TEXT("a plugin of a test"),
                                    .compiler = &compiler};

LATHE_PLUGIN_EXPORT lathe_error *lathe_plugin_entry(lathe_plugin_entry_args *args) {
  const lathe_string how = args->host->option(args->host->context, (lathe_string)TEXT("lie"));
  memset(lie, 0, sizeof lie);
  if (how.data)
    memcpy(lie, how.data, how.size < sizeof lie - 1 ? how.size : sizeof lie - 1);
  args->plugin = &plugin;
  return NULL;
}
