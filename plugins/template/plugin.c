// The smallest plugin that computes something: it takes one op, lathe.add, compiles it and runs it
// on the host's memory. Replace what is marked with (you) by your chip, piece by piece.
//
// Structs begin with the size that their writer knew. Every field that is used here came with abi
// 1.0, the first, so it is always there; ask LATHE_HAS_FIELD before you read or set a later one.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lathe/plugin.h>

#define TEXT(literal)                                                                              \
  { literal, sizeof(literal) - 1 }

// What code carries and what the device takes: the runtime compares the two before it loads. (you)
#define COMPATIBILITY "arch=template;version=1"

// ---- Errors -------------------------------------------------------------------------------------
// An error is an object of ours until the host calls its release. NULL is success.

static void release_error(lathe_error *error) { free(error); }
static void keep_error(lathe_error *error) { (void)error; }

static lathe_error *fail(uint32_t code, const char *message) {
  static lathe_error no_memory = {sizeof no_memory, LATHE_ERROR_RESOURCE_EXHAUSTED, 0,
                                  TEXT("template: no memory"), keep_error};
  lathe_error *error = malloc(sizeof *error);
  if (!error)
    return &no_memory;
  *error = (lathe_error){sizeof *error, code, 0, {message, strlen(message)}, release_error};
  return error;
}

// ---- The code that the compile half makes and the device half runs ------------------------------
// Yours is instructions of your chip. Whatever it is: it comes back out of a file, so look at all
// of it before you believe it. (you)

// Of one function: which of its inputs are added, how many numbers a row has, and how many rows
// stand for one row of a run.
struct sum {
  char entry[56];
  uint64_t inputs, lhs, rhs;
  uint64_t columns, factor;
};

struct code {
  char magic[8];
  uint64_t count;
  struct sum sums[];
};

#define MAGIC "template"
#define LIMIT (UINT64_C(1) << 20) // keeps products below from overflowing

static size_t code_size(uint64_t count) { return sizeof(struct code) + count * sizeof(struct sum); }

static int is_sound_sum(const struct sum *sum) {
  return sum->entry[sizeof sum->entry - 1] == 0 && sum->inputs <= 2 && sum->lhs < sum->inputs &&
         sum->rhs < sum->inputs && sum->columns <= LIMIT && sum->factor <= LIMIT;
}

static int is_sound(const struct code *code, uint64_t size) {
  if (size < sizeof *code || memcmp(code->magic, MAGIC, sizeof code->magic) != 0 ||
      code->count > LIMIT || code_size(code->count) != size)
    return 0;
  for (uint64_t i = 0; i < code->count; ++i)
    if (!is_sound_sum(&code->sums[i]))
      return 0;
  return 1;
}

// ---- Compile half: what it takes ----------------------------------------------------------------

static int text_is(lathe_string text, const char *expected) {
  return text.size == strlen(expected) && memcmp(text.data, expected, text.size) == 0;
}

// Rows of f32, as many as a run has.
static int is_taken(const lathe_type *type) {
  return type->kind == LATHE_TYPE_TENSOR && type->element == LATHE_ELEMENT_F32 && type->rank == 2 &&
         type->shape[0] == LATHE_EXTENT_ROWS && type->shape[1] <= (int64_t)LIMIT &&
         type->row_factor <= (int64_t)LIMIT;
}

// A refusal is an answer, not an error: a reason that the host counts, a text for people.
static lathe_error *answer_no(lathe_support_args *args, uint32_t reason, const char *text) {
  args->verdict = LATHE_SUPPORT_NO;
  args->reason = reason;
  args->seconds = 0;
  args->text.size = strlen(text);
  if (args->text.data && args->text.capacity > 0)
    memcpy(args->text.data, text,
           args->text.size < args->text.capacity ? args->text.size : args->text.capacity);
  return NULL;
}

static lathe_error *supports(lathe_support_args *args) {
  if (!text_is(args->op->name, "lathe.add"))
    return answer_no(args, LATHE_REASON_UNSUPPORTED_OP, "template takes lathe.add alone");
  const lathe_type *type = args->op->results[0]->value->type;
  if (!is_taken(type))
    return answer_no(args, LATHE_REASON_UNSUPPORTED_TYPE, "template takes rows of f32");
  const double bytes = 12.0 * args->rows * type->row_factor * type->shape[1];
  args->verdict = LATHE_SUPPORT_YES;
  args->reason = LATHE_REASON_NONE;
  args->seconds = bytes / 15e9; // what it will really take decides whether ops come here (you)
  args->text.size = 0;
  return NULL;
}

// ---- Compile half: code -------------------------------------------------------------------------

// What the host sees, and what it points to.
struct compiled {
  lathe_compiled shown;
  struct code *code;
  lathe_compiled_entry *entries;
  const lathe_compiled_entry **list;
};

static void release_compiled(lathe_compiled *shown) {
  struct compiled *mine = (struct compiled *)shown;
  free(mine->code);
  free(mine->entries);
  free(mine->list);
  free(mine);
}

// Which input of the function an operand of its op is.
static uint64_t input_of(const lathe_function *function, const lathe_operand *operand) {
  uint64_t i = 0;
  while (i < function->input_count && function->inputs[i]->value->id != operand->value->id)
    ++i;
  return i;
}

static lathe_error *add_sum(struct compiled *mine, const lathe_function *function) {
  struct sum *sum = &mine->code->sums[mine->code->count];
  if (function->op_count != 1 || function->name.size >= sizeof sum->entry)
    return fail(LATHE_ERROR_FAILED_PRECONDITION, "template: takes functions of one op");
  const lathe_op *op = function->ops[0];
  const lathe_type *type = op->results[0]->value->type;
  memcpy(sum->entry, function->name.data, function->name.size);
  sum->inputs = function->input_count;
  sum->lhs = input_of(function, op->operands[0]);
  sum->rhs = input_of(function, op->operands[1]);
  sum->columns = type->shape[1];
  sum->factor = type->row_factor;
  lathe_compiled_entry *entry = &mine->entries[mine->code->count];
  *entry = (lathe_compiled_entry){sizeof *entry, function->name, /*scratch_bytes=*/0};
  mine->list[mine->code->count++] = entry;
  return NULL;
}

static lathe_error *add_sums(struct compiled *mine, const lathe_program *program) {
  mine->code = calloc(1, code_size(program->function_count));
  mine->entries = calloc(program->function_count, sizeof *mine->entries);
  mine->list = calloc(program->function_count, sizeof *mine->list);
  if (!mine->code || !mine->entries || !mine->list)
    return fail(LATHE_ERROR_RESOURCE_EXHAUSTED, "template: no memory");
  memcpy(mine->code->magic, MAGIC, sizeof mine->code->magic);
  lathe_error *error = NULL;
  for (size_t i = 0; !error && i < program->function_count; ++i)
    error = add_sum(mine, program->functions[i]);
  return error;
}

static lathe_error *compile(lathe_compile_args *args) {
  struct compiled *mine = calloc(1, sizeof *mine);
  if (!mine)
    return fail(LATHE_ERROR_RESOURCE_EXHAUSTED, "template: no memory");
  lathe_error *error = add_sums(mine, args->program);
  if (error) {
    release_compiled(&mine->shown);
    return error;
  }
  mine->shown = (lathe_compiled){.struct_size = sizeof mine->shown,
                                 .compatibility = TEXT(COMPATIBILITY),
                                 .code = mine->code,
                                 .code_size = code_size(mine->code->count),
                                 .entries = mine->list,
                                 .entry_count = mine->code->count,
                                 .release = release_compiled};
  args->compiled = &mine->shown;
  return NULL;
}

// A target is a chip to compile for, whether one is there or not. (you)
static lathe_error *target_list(lathe_target_list_args *args) {
  static const lathe_target target = {.struct_size = sizeof target,
                                      .name = TEXT("template"),
                                      .description = TEXT("adds rows on the host's memory"),
                                      .compatibility = TEXT(COMPATIBILITY),
                                      .takes = LATHE_TAKES_OPS};
  static const lathe_target *const targets[] = {&target};
  args->targets = targets;
  args->target_count = 1;
  return NULL;
}

static const lathe_compile_api compiler = {.struct_size = sizeof compiler,
                                           .target_list = target_list,
                                           .supports = supports,
                                           .compile = compile};

// ---- Device half: devices and memory ------------------------------------------------------------
// The types are yours to define; the host only holds pointers to them. (you)

struct lathe_device {
  int unused; // a handle of your driver
};
struct lathe_buffer {
  uint64_t size;
  void *memory;
};
struct lathe_executable {
  struct code *code;
};

static lathe_error *device_list(lathe_device_list_args *args) {
  args->device_count = 1; // count what you claim of args->hardware (you)
  return NULL;
}

static lathe_error *device_open(lathe_device_open_args *args) {
  static lathe_device device;
  if (args->index != 0)
    return fail(LATHE_ERROR_INVALID_ARGUMENT, "template: there is no device but device 0");
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
                                  .name = TEXT("template"),
                                  .kind = TEXT("cpu"),
                                  .compatibility = TEXT(COMPATIBILITY),
                                  .level = TEXT("template"),
                                  .import_alignment = 1,
                                  .parallelism = 1,
                                  .host_visible = 1};
  memcpy(args->properties, &mine, theirs < sizeof mine ? theirs : sizeof mine);
  return NULL;
}

static lathe_error *buffer_allocate(lathe_buffer_allocate_args *args) {
  if (args->alignment > 4096 || (args->alignment & (args->alignment - 1)) != 0)
    return fail(LATHE_ERROR_INVALID_ARGUMENT, "template: alignments are powers of two up to 4096");
  lathe_buffer *buffer = malloc(sizeof *buffer);
  void *memory = NULL;
  if (buffer && args->size < SIZE_MAX / 2)
    memory = aligned_alloc(4096, (args->size / 4096 + 1) * 4096);
  if (!memory) {
    free(buffer);
    return fail(LATHE_ERROR_RESOURCE_EXHAUSTED, "template: no block of this size");
  }
  if (args->flags & LATHE_BUFFER_ZEROED)
    memset(memory, 0, args->size);
  *buffer = (lathe_buffer){args->size, memory};
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
  args->memory = args->buffer->memory; // with memory of its own: copy, and copy back in unmap (you)
  return NULL;
}

static lathe_error *buffer_unmap(lathe_buffer_args *args) {
  (void)args;
  return NULL;
}

// ---- Device half: running -----------------------------------------------------------------------

static lathe_error *executable_release(lathe_executable_args *args) {
  if (args->executable)
    free(args->executable->code);
  free(args->executable);
  return NULL;
}

static lathe_error *executable_load(lathe_executable_load_args *args) {
  lathe_executable *executable = calloc(1, sizeof *executable);
  struct code *code = malloc(args->size > 0 ? args->size : 1);
  if (code && args->size > 0)
    memcpy(code, args->code, args->size);
  if (executable && code && is_sound(code, args->size)) {
    executable->code = code;
    args->executable = executable;
    return NULL;
  }
  const int has_memory = executable && code;
  free(executable);
  free(code);
  return has_memory ? fail(LATHE_ERROR_INVALID_ARGUMENT,
                           "template: not code of this device; compile it again")
                    : fail(LATHE_ERROR_RESOURCE_EXHAUSTED, "template: no memory");
}

static lathe_error *executable_entry(lathe_executable_entry_args *args) {
  const struct code *code = args->executable->code;
  for (args->entry = 0; args->entry < code->count; ++args->entry)
    if (text_is(args->name, code->sums[args->entry].entry))
      return NULL;
  return fail(LATHE_ERROR_NOT_FOUND, "template: the code has no entry of this name");
}

// The memory of a binding, or NULL where it is smaller than what the code needs.
static float *floats_of(const lathe_binding *binding, uint64_t count) {
  const uint64_t bytes = count * sizeof(float), all = binding->buffer ? binding->buffer->size : 0;
  if (bytes > binding->size || binding->size > all || binding->offset > all - binding->size ||
      binding->offset % sizeof(float) != 0)
    return NULL;
  return (float *)((char *)binding->buffer->memory + binding->offset);
}

// Bindings: the inputs, the results, then scratch, weights and state, which this code does not use.
static lathe_error *run(lathe_run_args *args) {
  const struct code *code = args->executable->code;
  const struct sum *sum = args->entry < code->count ? &code->sums[args->entry] : NULL;
  if (!sum || args->binding_count != sum->inputs + 1 + LATHE_BIND_COUNT || args->rows < 1 ||
      args->rows > (int64_t)LIMIT)
    return fail(LATHE_ERROR_INVALID_ARGUMENT,
                "template: run: another entry, number of bindings or rows");
  const uint64_t count = args->rows * sum->factor * sum->columns;
  const float *lhs = floats_of(&args->bindings[sum->lhs], count);
  const float *rhs = floats_of(&args->bindings[sum->rhs], count);
  float *result = floats_of(&args->bindings[sum->inputs], count);
  if (!lhs || !rhs || !result)
    return fail(LATHE_ERROR_INVALID_ARGUMENT, "template: run: a binding is smaller than its rows");
  for (uint64_t i = 0; i < count; ++i) // the kernel (you)
    result[i] = lhs[i] + rhs[i];
  return NULL;
}

static const lathe_device_api devices = {.struct_size = sizeof devices,
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
                                         .run = run};

// ---- The plugin ---------------------------------------------------------------------------------

static const lathe_plugin plugin = {.struct_size = sizeof plugin,
                                    .abi_major = LATHE_ABI_MAJOR,
                                    .abi_minor = LATHE_ABI_MINOR,
                                    .name = TEXT("template"), // begins your devices' names (you)
                                    .version = TEXT("0.1.0"),
                                    .description = TEXT("the smallest plugin: one op"),
                                    .devices = &devices,
                                    .compiler = &compiler};

// The one symbol. A host of another major must be refused before anything else of it is read.
LATHE_PLUGIN_EXPORT lathe_error *lathe_plugin_entry(lathe_plugin_entry_args *args) {
  static char refusal[96]; // an entry is called once
  if (args->host->abi_major != LATHE_ABI_MAJOR) {
    snprintf(refusal, sizeof refusal,
             "template: built for abi %d.%d, the host has %u.%u; rebuild it", LATHE_ABI_MAJOR,
             LATHE_ABI_MINOR, args->host->abi_major, args->host->abi_minor);
    return fail(LATHE_ERROR_FAILED_PRECONDITION, refusal);
  }
  args->plugin = &plugin;
  return NULL;
}
