// The device half: memory of the host, code of code.h, runs on the calling thread and on those that
// the host lends. It has no queues: work is done when its call returns.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include "null.h"

struct lathe_device {
  mtx_t running; // runs follow each other
};

struct lathe_buffer {
  char *memory;
  uint64_t size;
};

struct lathe_executable {
  struct code code;         // points into bytes
  uint64_t *weight_offsets; // as many as the code has weights
  uint64_t bytes[];
};

// ---- Devices ------------------------------------------------------------------------------------

static lathe_error *device_list(lathe_device_list_args *args) {
  TAKE(lathe_device_list_args, mine, args);
  mine.device_count = 1; // a driver of hardware counts what it claims of mine.hardware
  give(args, &mine);
  return NULL;
}

static lathe_error *device_open(lathe_device_open_args *args) {
  TAKE(lathe_device_open_args, mine, args);
  if (mine.index != 0)
    return fail(LATHE_ERROR_INVALID_ARGUMENT, "null: there is no device %u; the only one is 0",
                mine.index);
  mine.device = malloc(sizeof *mine.device);
  if (!mine.device || mtx_init(&mine.device->running, mtx_plain) != thrd_success) {
    free(mine.device);
    return fail(LATHE_ERROR_RESOURCE_EXHAUSTED, "null: no memory for a device");
  }
  give(args, &mine);
  return NULL;
}

static lathe_error *device_close(lathe_device_args *args) {
  TAKE(lathe_device_args, mine, args);
  if (mine.device)
    mtx_destroy(&mine.device->running);
  free(mine.device);
  return NULL;
}

static lathe_error *properties(lathe_device_properties_args *args) {
  TAKE(lathe_device_properties_args, asked, args);
  lathe_device_properties mine = {.name = TEXT("null, on the memory of the host"),
                                  .kind = TEXT("cpu"),
                                  .compatibility = TEXT(COMPATIBILITY),
                                  .level = TEXT("null"),
                                  .import_alignment = 1,
                                  .parallelism = 1,
                                  .host_visible = 1};
  TAKE(lathe_device_properties, theirs, asked.properties);
  mine.struct_size = theirs.struct_size;
  give(asked.properties, &mine);
  return NULL;
}

static lathe_error *compatibility(lathe_compatibility_args *args) {
  TAKE(lathe_compatibility_args, mine, args);
  const bool runs = text_is(mine.compatibility, COMPATIBILITY);
  char reason[160] = "";
  if (!runs)
    snprintf(reason, sizeof reason, "needs %.*s, and this device is " COMPATIBILITY,
             SHOWN(mine.compatibility));
  mine.verdict = runs ? LATHE_COMPATIBILITY_OPTIMAL : LATHE_COMPATIBILITY_NO;
  mine.rank = runs;
  write_text(&mine.reason, reason);
  give(args, &mine);
  return NULL;
}

// ---- Memory -------------------------------------------------------------------------------------

static lathe_error *buffer_allocate(lathe_buffer_allocate_args *args) {
  TAKE(lathe_buffer_allocate_args, mine, args);
  const uint64_t alignment = mine.alignment < 64 ? 64 : mine.alignment;
  if (alignment > 4096 || (mine.alignment & (mine.alignment - 1)) != 0)
    return fail(LATHE_ERROR_INVALID_ARGUMENT,
                "null: alignment %" PRIu64 " is no power of two up to 4096", mine.alignment);
  lathe_buffer *buffer = malloc(sizeof *buffer);
  char *memory = NULL;
  if (buffer && mine.size <= MAX_BYTES) // a block more than needed, so that 0 bytes are some
    memory = aligned_alloc(alignment, (mine.size / alignment + 1) * alignment);
  if (!memory) {
    free(buffer);
    return fail(LATHE_ERROR_RESOURCE_EXHAUSTED, "null: no block of %" PRIu64 " bytes", mine.size);
  }
  if (mine.flags & LATHE_BUFFER_ZEROED)
    memset(memory, 0, mine.size);
  *buffer = (lathe_buffer){memory, mine.size};
  mine.buffer = buffer;
  give(args, &mine);
  return NULL;
}

static lathe_error *buffer_release(lathe_buffer_args *args) {
  TAKE(lathe_buffer_args, mine, args);
  if (mine.buffer)
    free(mine.buffer->memory);
  free(mine.buffer);
  return NULL;
}

static lathe_error *buffer_map(lathe_buffer_map_args *args) {
  TAKE(lathe_buffer_map_args, mine, args);
  mine.memory = mine.buffer->memory;
  give(args, &mine);
  return NULL;
}

static lathe_error *buffer_unmap(lathe_buffer_args *args) {
  (void)args; // the host and the device see the same bytes at all times
  return NULL;
}

// ---- Code ---------------------------------------------------------------------------------------

static lathe_error *check_load(const lathe_executable_load_args *args) {
  if (!text_is(args->compatibility, COMPATIBILITY))
    return fail(LATHE_ERROR_FAILED_PRECONDITION, "null: code needs %.*s, this is " COMPATIBILITY,
                SHOWN(args->compatibility));
  if (args->size > MAX_BYTES || args->weight_count > UINT32_MAX)
    return fail(LATHE_ERROR_INVALID_ARGUMENT, "null: code of %" PRIu64 " bytes", args->size);
  return NULL;
}

// The bytes are copied: the caller's may go, and ours are aligned. The offsets stand behind them.
static lathe_error *executable_load(lathe_executable_load_args *args) {
  TAKE(lathe_executable_load_args, mine, args);
  lathe_error *error = check_load(&mine);
  if (error)
    return error;
  const size_t words = mine.size / 8 + 1;
  lathe_executable *executable = calloc(1, sizeof *executable + (words + mine.weight_count) * 8);
  if (!executable)
    return fail(LATHE_ERROR_RESOURCE_EXHAUSTED, "null: no memory for code");
  executable->weight_offsets = executable->bytes + words;
  if (mine.size > 0)
    memcpy(executable->bytes, mine.code, mine.size);
  if (mine.weight_count > 0)
    memcpy(executable->weight_offsets, mine.weight_offsets, mine.weight_count * 8);
  const char *wrong = code_read(executable->bytes, mine.size, &executable->code);
  if (!wrong && executable->code.header.weight_count != mine.weight_count)
    wrong = "has another number of weights than the call";
  if (wrong) {
    free(executable);
    return fail(LATHE_ERROR_INVALID_ARGUMENT, "null: code: %s", wrong);
  }
  mine.executable = executable;
  give(args, &mine);
  return NULL;
}

static lathe_error *executable_release(lathe_executable_args *args) {
  TAKE(lathe_executable_args, mine, args);
  free(mine.executable);
  return NULL;
}

static lathe_error *no_entry(const struct code *code, lathe_string name) {
  char names[256] = "";
  size_t used = 0;
  for (uint64_t i = 0; i < code->header.entry_count && used < sizeof names; ++i)
    used += snprintf(names + used, sizeof names - used, " '%s'", code->entries[i].name);
  return fail(LATHE_ERROR_NOT_FOUND, "null: code has no entry '%.*s'; it has%s", SHOWN(name),
              names);
}

static lathe_error *executable_entry(lathe_executable_entry_args *args) {
  TAKE(lathe_executable_entry_args, mine, args);
  const struct code *code = &mine.executable->code;
  for (mine.entry = 0; mine.entry < code->header.entry_count; ++mine.entry)
    if (text_is(mine.name, code->entries[mine.entry].name)) {
      give(args, &mine);
      return NULL;
    }
  return no_entry(code, mine.name);
}

// ---- Runs ---------------------------------------------------------------------------------------

struct run {
  const lathe_run_args *args;
  const struct entry *entry;
  const struct instruction *instructions;
};

// Where a place stands: in which binding, and at which byte of it.
struct spot {
  const lathe_binding *binding;
  uint64_t offset;
};

static struct spot spot_of(const struct run *run, const struct place *place) {
  const lathe_binding *inputs = run->args->bindings;
  const lathe_binding *results = inputs + run->entry->input_count;
  const lathe_binding *others = results + run->entry->result_count;
  switch (place->kind) {
  case PLACE_INPUT: return (struct spot){inputs + place->index, 0};
  case PLACE_RESULT: return (struct spot){results + place->index, 0};
  case PLACE_SCRATCH: return (struct spot){others + LATHE_BIND_SCRATCH, place->index};
  default:
    return (struct spot){others + LATHE_BIND_WEIGHTS,
                         run->args->executable->weight_offsets[place->index]};
  }
}

static struct matrix matrix_of(const struct run *run, const struct place *place) {
  if (place->kind == PLACE_NONE)
    return (struct matrix){0};
  const struct spot spot = spot_of(run, place);
  char *memory = spot.binding->size > 0 ? spot.binding->buffer->memory : NULL;
  if (memory)
    memory += spot.binding->offset + spot.offset;
  return (struct matrix){(float *)memory,
                         shape_rows(&place->shape, run->args->rows, run->args->output_rows),
                         place->shape.columns};
}

// Whether [offset, offset + size) is in memory of `all` bytes and begins at a float.
static bool is_within(uint64_t offset, uint64_t size, uint64_t all) {
  return size == 0 || (size <= all && offset <= all - size && offset % sizeof(float) == 0);
}

static lathe_error *check_bindings(const lathe_run_args *args) {
  for (uint32_t i = 0; i < args->binding_count; ++i) {
    const lathe_binding *binding = &args->bindings[i];
    if (!is_within(binding->offset, binding->size, binding->buffer ? binding->buffer->size : 0))
      return fail(LATHE_ERROR_INVALID_ARGUMENT,
                  "null: binding %u is beyond its buffer or not aligned to a float", i);
  }
  return NULL;
}

static lathe_error *check_place(const struct run *run, const struct place *place) {
  if (place->kind == PLACE_NONE)
    return NULL;
  const struct spot spot = spot_of(run, place);
  uint64_t bytes = shape_bytes(&place->shape, run->args->rows, run->args->output_rows);
  if (is_within(spot.offset, bytes, spot.binding->size))
    return NULL;
  return fail(LATHE_ERROR_INVALID_ARGUMENT,
              "null: binding %d has %" PRIu64 " bytes; the entry needs %" PRIu64 " at %" PRIu64,
              (int)(spot.binding - run->args->bindings), spot.binding->size, bytes, spot.offset);
}

// Afterwards each place is in memory that is there: kernels need not look again.
static lathe_error *check_call(const struct run *run) {
  const lathe_run_args *args = run->args;
  const struct entry *entry = run->entry;
  const uint64_t bindings = entry->input_count + entry->result_count + LATHE_BIND_COUNT;
  if (args->binding_count != bindings)
    return fail(LATHE_ERROR_INVALID_ARGUMENT, "null: %u bindings; the entry takes %" PRIu64,
                args->binding_count, bindings);
  if (args->rows < 1 || (uint64_t)args->rows > entry->max_rows || args->output_rows < 0 ||
      args->output_rows > args->rows)
    return fail(LATHE_ERROR_INVALID_ARGUMENT,
                "null: %" PRId64 " rows, %" PRId64 " of output; the entry takes 1 to %" PRIu64,
                args->rows, args->output_rows, entry->max_rows);
  lathe_error *error = check_bindings(args);
  for (uint64_t i = 0; !error && i < entry->instruction_count; ++i)
    for (int j = 0; !error && j < PLACES; ++j)
      error = check_place(run, &run->instructions[i].places[j]);
  return error;
}

static void run_all(const struct run *run) {
  for (uint64_t i = 0; i < run->entry->instruction_count; ++i) {
    struct matrix matrices[PLACES];
    for (int j = 0; j < PLACES; ++j)
      matrices[j] = matrix_of(run, &run->instructions[i].places[j]);
    run_instruction(&run->instructions[i], matrices);
  }
}

static lathe_error *run(lathe_run_args *args) {
  TAKE(lathe_run_args, mine, args);
  const struct code *code = &mine.executable->code;
  if (mine.entry >= code->header.entry_count)
    return fail(LATHE_ERROR_INVALID_ARGUMENT, "null: there is no entry %u", mine.entry);
  const struct entry *entry = &code->entries[mine.entry];
  const struct run run = {&mine, entry, code->instructions + entry->first_instruction};
  lathe_error *error = check_call(&run);
  if (error)
    return error;
  mtx_lock(&mine.device->running);
  run_all(&run);
  mtx_unlock(&mine.device->running);
  return NULL;
}

const lathe_device_api device_api = {
    .struct_size = sizeof device_api,
    .device_list = device_list,
    .device_open = device_open,
    .device_close = device_close,
    .properties = properties,
    .buffer_allocate = buffer_allocate,
    .buffer_release = buffer_release,
    .buffer_map = buffer_map,
    .buffer_unmap = buffer_unmap,
    .executable_load = executable_load,
    .executable_release = executable_release,
    .executable_entry = executable_entry,
    .run = run,
    .compatibility = compatibility,
    // The rest is NULL: the runtime copies and clears by mapping, and there are no queues.
};
