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
  return give(args, &mine);
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
  return give(args, &mine);
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
  return give(asked.properties, &mine);
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
  return give(args, &mine);
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
  return give(args, &mine);
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
  return give(args, &mine);
}

static lathe_error *buffer_unmap(lathe_buffer_args *args) {
  (void)args; // the host and the device see the same bytes at all times
  return NULL;
}

// ---- Code ---------------------------------------------------------------------------------------

// The bytes are copied: the caller's may go, and ours are aligned. The offsets stand behind them.
static lathe_executable *copy_code(const lathe_executable_load_args *args) {
  const size_t words = args->size / 8 + 1;
  if (args->size > MAX_BYTES || args->weight_count > UINT32_MAX)
    return NULL;
  lathe_executable *copy = calloc(1, sizeof *copy + (words + args->weight_count) * 8);
  if (!copy)
    return NULL;
  copy->weight_offsets = copy->bytes + words;
  if (args->size > 0)
    memcpy(copy->bytes, args->code, args->size);
  if (args->weight_count > 0)
    memcpy(copy->weight_offsets, args->weight_offsets, args->weight_count * 8);
  return copy;
}

static lathe_error *executable_load(lathe_executable_load_args *args) {
  TAKE(lathe_executable_load_args, mine, args);
  if (!text_is(mine.compatibility, COMPATIBILITY))
    return fail(LATHE_ERROR_FAILED_PRECONDITION, "null: code needs %.*s, this is " COMPATIBILITY,
                SHOWN(mine.compatibility));
  mine.executable = copy_code(&mine);
  if (!mine.executable)
    return fail(LATHE_ERROR_RESOURCE_EXHAUSTED, "null: no memory for code");
  const char *wrong = code_read(mine.executable->bytes, mine.size, &mine.executable->code);
  if (!wrong && mine.executable->code.header.weight_count != mine.weight_count)
    wrong = "has another number of weights than the call";
  if (!wrong)
    return give(args, &mine);
  free(mine.executable);
  return fail(LATHE_ERROR_INVALID_ARGUMENT, "null: code: %s; compile it again", wrong);
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
    if (text_is(mine.name, code->entries[mine.entry].name))
      return give(args, &mine);
  return no_entry(code, mine.name);
}

// ---- Runs ---------------------------------------------------------------------------------------

// Whether [offset, offset + size) is in memory of `all` bytes and begins at a float.
static bool is_within(uint64_t offset, uint64_t size, uint64_t all) {
  return size <= all && offset <= all - size && offset % sizeof(float) == 0;
}

// The matrix of a place in this run, and all checks of what is bound: kernels need not look again.
static lathe_error *locate(const lathe_run_args *args, const struct entry *entry,
                           const struct place *place, struct matrix *matrix) {
  const uint64_t results = entry->input_count, others = results + entry->result_count;
  uint64_t number = place->index, offset = 0; // of the binding; from its begin
  switch (place->kind) {
  case PLACE_NONE: *matrix = (struct matrix){0}; return NULL;
  case PLACE_RESULT: number += results; break;
  case PLACE_SCRATCH:
    offset = place->index;
    number = others + LATHE_BIND_SCRATCH;
    break;
  case PLACE_WEIGHT:
    offset = args->executable->weight_offsets[place->index];
    number = others + LATHE_BIND_WEIGHTS;
  }
  const lathe_binding *binding = &args->bindings[number];
  const uint64_t bytes = shape_bytes(&place->shape, args->rows, args->output_rows);
  const uint64_t size = binding->buffer ? binding->buffer->size : 0;
  if (bytes > 0 && (!is_within(binding->offset, binding->size, size) ||
                    !is_within(offset, bytes, binding->size)))
    return fail(LATHE_ERROR_INVALID_ARGUMENT,
                "null: binding %" PRIu64 " does not hold %" PRIu64 " bytes at %" PRIu64
                ", is beyond its buffer, or is not aligned to a float",
                number, bytes, offset);
  matrix->data = bytes > 0 ? (float *)(binding->buffer->memory + binding->offset + offset) : NULL;
  matrix->rows = shape_rows(&place->shape, args->rows, args->output_rows);
  matrix->columns = place->shape.columns;
  return NULL;
}

static lathe_error *run_entry(const lathe_run_args *args, const struct entry *entry) {
  const struct instruction *next = args->executable->code.instructions + entry->first_instruction;
  for (uint64_t i = 0; i < entry->instruction_count; ++i, ++next) {
    struct matrix matrices[PLACES];
    for (int j = 0; j < PLACES; ++j) {
      lathe_error *error = locate(args, entry, &next->places[j], &matrices[j]);
      if (error)
        return error;
    }
    run_instruction(next, matrices);
  }
  return NULL;
}

static lathe_error *run(lathe_run_args *args) {
  TAKE(lathe_run_args, mine, args);
  const struct code *code = &mine.executable->code;
  if (mine.entry >= code->header.entry_count)
    return fail(LATHE_ERROR_INVALID_ARGUMENT, "null: there is no entry %u", mine.entry);
  const struct entry *entry = &code->entries[mine.entry];
  if (mine.binding_count != entry->input_count + entry->result_count + LATHE_BIND_COUNT)
    return fail(LATHE_ERROR_INVALID_ARGUMENT,
                "null: %u bindings; %s takes %" PRIu64 " and gives %" PRIu64, mine.binding_count,
                entry->name, entry->input_count, entry->result_count);
  if (mine.rows < 1 || (uint64_t)mine.rows > entry->max_rows || mine.output_rows < 0 ||
      mine.output_rows > mine.rows)
    return fail(LATHE_ERROR_INVALID_ARGUMENT,
                "null: %" PRId64 " rows, %" PRId64 " of output; %s takes 1 to %" PRIu64, mine.rows,
                mine.output_rows, entry->name, entry->max_rows);
  mtx_lock(&mine.device->running);
  lathe_error *error = run_entry(&mine, entry);
  mtx_unlock(&mine.device->running);
  return error;
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
