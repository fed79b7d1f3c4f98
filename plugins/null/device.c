// The device half: memory of the host, code of code.c, runs on the calling thread and on those that
// the host lends. It has no queues: work is done when its call returns.
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "null.h"

struct lathe_device {
  pthread_mutex_t running; // runs follow each other
};

struct lathe_buffer {
  char *memory;
  uint64_t size;
};

struct lathe_executable {
  const struct code *code;
  uint64_t *weight_offsets; // as many as the code has weights
  uint64_t bytes[];         // of both
};

// ---- Devices ------------------------------------------------------------------------------------

static lathe_error *device_list(lathe_device_list_args *args) {
  args->device_count = 1; // a driver of hardware counts what it claims of args->hardware
  return NULL;
}

static lathe_error *device_open(lathe_device_open_args *args) {
  static lathe_device device = {PTHREAD_MUTEX_INITIALIZER}; // a driver opens it here
  if (args->index != 0)
    return fail(LATHE_ERROR_INVALID_ARGUMENT, "null: there is no device %u; the only one is 0",
                args->index);
  args->device = &device;
  return NULL;
}

static lathe_error *device_close(lathe_device_args *args) {
  (void)args;
  return NULL;
}

// The struct is the host's and may be of another age: it says how much of it there is.
static lathe_error *properties(lathe_device_properties_args *args) {
  const size_t theirs = args->properties->struct_size;
  lathe_device_properties mine = {.struct_size = theirs,
                                  .name = TEXT("null, on the memory of the host"),
                                  .kind = TEXT("cpu"),
                                  .compatibility = TEXT(COMPATIBILITY),
                                  .level = TEXT("null"),
                                  .import_alignment = 1,
                                  .parallelism = 1,
                                  .host_visible = 1};
  memcpy(args->properties, &mine, theirs < sizeof mine ? theirs : sizeof mine);
  return NULL;
}

// ---- Memory -------------------------------------------------------------------------------------

static lathe_error *buffer_allocate(lathe_buffer_allocate_args *args) {
  if (args->alignment > 4096 || (args->alignment & (args->alignment - 1)) != 0)
    return fail(LATHE_ERROR_INVALID_ARGUMENT,
                "null: alignment %" PRIu64 " is no power of two up to 4096", args->alignment);
  lathe_buffer *buffer = malloc(sizeof *buffer);
  char *memory = NULL;
  if (buffer && args->size <= MAX_BYTES) // a block more than needed, so that 0 bytes are some
    memory = aligned_alloc(4096, (args->size / 4096 + 1) * 4096);
  if (!memory) {
    free(buffer);
    return fail(LATHE_ERROR_RESOURCE_EXHAUSTED, "null: no block of %" PRIu64 " bytes", args->size);
  }
  if (args->flags & LATHE_BUFFER_ZEROED)
    memset(memory, 0, args->size);
  *buffer = (lathe_buffer){memory, args->size};
  args->buffer = buffer;
  return NULL;
}

static lathe_error *buffer_release(lathe_buffer_args *args) {
  if (args->buffer)
    free(args->buffer->memory);
  free(args->buffer);
  return NULL;
}

static lathe_error *buffer_map(lathe_buffer_map_args *args) {
  args->memory = args->buffer->memory;
  return NULL;
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
  copy->code = (const struct code *)copy->bytes;
  copy->weight_offsets = copy->bytes + words;
  if (args->size > 0)
    memcpy(copy->bytes, args->code, args->size);
  if (args->weight_count > 0)
    memcpy(copy->weight_offsets, args->weight_offsets, args->weight_count * 8);
  return copy;
}

static lathe_error *executable_load(lathe_executable_load_args *args) {
  if (!text_is(args->compatibility, COMPATIBILITY))
    return fail(LATHE_ERROR_FAILED_PRECONDITION, "null: code needs %.*s, this is " COMPATIBILITY,
                SHOWN(args->compatibility));
  args->executable = copy_code(args);
  if (!args->executable)
    return fail(LATHE_ERROR_RESOURCE_EXHAUSTED, "null: no memory for code");
  const char *wrong = code_check(args->executable->code, args->size);
  if (!wrong && args->executable->code->weight_count != args->weight_count)
    wrong = "has another number of weights than the call";
  if (!wrong)
    return NULL;
  free(args->executable);
  return fail(LATHE_ERROR_INVALID_ARGUMENT, "null: code: %s; compile it again", wrong);
}

static lathe_error *executable_release(lathe_executable_args *args) {
  free(args->executable);
  return NULL;
}

// An entry's number is that of the instruction which begins it.
static const struct entry *entry_at(const struct code *code, uint64_t number) {
  const bool is_entry =
      number < code->instruction_count && code->instructions[number].kind == RUN_ENTRY;
  return is_entry ? &code->instructions[number].entry : NULL;
}

static lathe_error *executable_entry(lathe_executable_entry_args *args) {
  const struct code *code = args->executable->code;
  char names[256] = "";
  for (args->entry = 0; args->entry < code->instruction_count; ++args->entry) {
    const struct entry *entry = entry_at(code, args->entry);
    if (entry && text_is(args->name, entry->name))
      return NULL;
    if (entry && strlen(names) + strlen(entry->name) + 2 < sizeof names)
      strcat(strcat(names, " "), entry->name);
  }
  return fail(LATHE_ERROR_NOT_FOUND, "null: code has no entry %.*s; it has%s", SHOWN(args->name),
              names);
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
  *matrix = (struct matrix){0};
  switch (place->kind) {
  case PLACE_NONE: return NULL;
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
  matrix->data = bytes > 0 ? binding->buffer->memory + binding->offset + offset : NULL;
  matrix->rows = shape_rows(&place->shape, args->rows, args->output_rows);
  matrix->columns = place->shape.columns;
  matrix->bytes = place->shape.bytes;
  return NULL;
}

static lathe_error *run_entry(const lathe_run_args *args, const struct entry *entry) {
  const struct code *code = args->executable->code;
  for (uint64_t i = args->entry + 1; i < code->instruction_count && !entry_at(code, i); ++i) {
    struct matrix matrices[PLACES];
    for (int j = 0; j < PLACES; ++j) {
      lathe_error *error = locate(args, entry, &code->instructions[i].places[j], &matrices[j]);
      if (error)
        return error;
    }
    run_instruction(&code->instructions[i], matrices);
  }
  return NULL;
}

static lathe_error *run(lathe_run_args *args) {
  const struct entry *entry = entry_at(args->executable->code, args->entry);
  if (!entry)
    return fail(LATHE_ERROR_INVALID_ARGUMENT, "null: there is no entry %u", args->entry);
  if (args->binding_count != entry->input_count + entry->result_count + LATHE_BIND_COUNT ||
      args->rows < 1 || (uint64_t)args->rows > entry->max_rows || args->output_rows < 0 ||
      args->output_rows > args->rows)
    return fail(LATHE_ERROR_INVALID_ARGUMENT,
                "null: %u bindings, %" PRId64 " rows, %" PRId64 " of output; %s takes %" PRIu64
                ", gives %" PRIu64 " and runs 1 to %" PRIu64 " rows",
                args->binding_count, args->rows, args->output_rows, entry->name, entry->input_count,
                entry->result_count, entry->max_rows);
  pthread_mutex_lock(&args->device->running);
  lathe_error *error = run_entry(args, entry);
  pthread_mutex_unlock(&args->device->running);
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
    // The rest is NULL: strings are compared, the runtime copies and clears by mapping, and there
    // are no queues.
};
