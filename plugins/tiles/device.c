// The device: the host's memory, and a loop over points of a grid that walks a table.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tiles.h"

struct lathe_device {
  int unused; // a handle of your driver (you)
};
struct lathe_buffer {
  uint64_t size;
  void *memory;
};
struct lathe_executable {
  struct code code; // points into `block`
  void *block;
  uint64_t *weight_offsets;
};

// ---- Instructions -------------------------------------------------------------------------------

struct point {
  uint64_t row, column;
};

// A tensor or a tile: rows one behind the other.
struct matrix {
  float *data;
  uint64_t rows, columns;
};

static float *at(struct matrix m, uint64_t row, uint64_t column) {
  return m.data + (m.rows == 1 ? 0 : row) * m.columns + (m.columns == 1 ? 0 : column);
}

// `source` from (row, column) on, zeros behind its end.
static void window(struct matrix tile, struct matrix source, uint64_t row, uint64_t column) {
  memset(tile.data, 0, tile.rows * tile.columns * sizeof(float));
  if (row >= source.rows || column >= source.columns)
    return;
  uint64_t rows = source.rows - row, columns = source.columns - column;
  rows = rows < tile.rows ? rows : tile.rows;
  columns = columns < tile.columns ? columns : tile.columns;
  for (uint64_t r = 0; r < rows; ++r)
    memcpy(tile.data + r * tile.columns, source.data + (row + r) * source.columns + column,
           columns * sizeof(float));
}

static void load(const struct instruction *it, struct matrix tile, struct matrix source,
                 struct point p) {
  switch (it->what) {
  case DO_LOAD: window(tile, source, p.row, it->offset + p.column); break;
  case DO_STRIP: window(tile, source, p.row, it->offset); break;
  case DO_ROW: window(tile, source, 0, p.column); break;
  case DO_WHOLE: window(tile, source, 0, 0); break;
  case DO_WEIGHT: window(tile, source, p.column, 0); break;
  }
}

static float dot(const float *a, const float *b, uint64_t count) {
  float sum = 0;
  for (uint64_t i = 0; i < count; ++i)
    sum += a[i] * b[i];
  return sum;
}

static float sum_of(const float *a, uint64_t count) {
  float sum = 0;
  for (uint64_t i = 0; i < count; ++i)
    sum += a[i];
  return sum;
}

static float element(const struct instruction *it, struct matrix a, struct matrix b, uint64_t r,
                     uint64_t c) {
  switch (it->what) {
  case DO_MATMUL: return dot(at(a, r, 0), at(b, c, 0), a.columns); // your matrix unit (you)
  case DO_SUM: return sum_of(at(a, r, 0), a.columns);
  case DO_ADD: return *at(a, r, c) + *at(b, r, c);
  case DO_MUL: return *at(a, r, c) * *at(b, r, c);
  case DO_SCALE: return *at(a, r, c) * it->factor + it->summand;
  case DO_RSQRT: return 1 / sqrtf(*at(a, r, c));
  default: return *at(a, r, c) / (1 + expf(-*at(a, r, c))); // DO_SILU
  }
}

static void compute(const struct instruction *it, struct matrix tile, struct matrix a,
                    struct matrix b) {
  for (uint64_t r = 0; r < tile.rows; ++r)
    for (uint64_t c = 0; c < tile.columns; ++c)
      tile.data[r * tile.columns + c] = element(it, a, b, r, c);
}

// ---- Launches -----------------------------------------------------------------------------------

struct run {
  const lathe_run_args *args;
  const struct lathe_executable *executable;
  const struct entry *entry;
};

// The memory of a binding from `offset` on, or NULL where there are fewer than `bytes`.
static float *bytes_of(const lathe_binding *binding, uint64_t offset, uint64_t bytes) {
  const uint64_t all = binding->buffer ? binding->buffer->size : 0;
  if (binding->size > all || binding->offset > all - binding->size || offset > binding->size ||
      bytes > binding->size - offset || (binding->offset + offset) % sizeof(float) != 0)
    return NULL;
  return (float *)((char *)binding->buffer->memory + binding->offset + offset);
}

static const lathe_binding *special(const struct run *run, uint32_t which) {
  return run->args->bindings + run->entry->binding_count + which;
}

static int locate(const struct run *run, const struct tensor *t, struct matrix *out) {
  const uint64_t times = t->rows_are == ROWS_OF_RUN      ? (uint64_t)run->args->rows
                         : t->rows_are == ROWS_OF_OUTPUT ? (uint64_t)run->args->output_rows
                                                         : 1;
  out->rows = t->rows * times;
  out->columns = t->columns;
  const lathe_binding *binding = t->place == IN_BINDING   ? run->args->bindings + t->index
                                 : t->place == IN_SCRATCH ? special(run, LATHE_BIND_SCRATCH)
                                                          : special(run, LATHE_BIND_WEIGHTS);
  const uint64_t offset =
      t->place == IN_WEIGHTS ? run->executable->weight_offsets[t->index] : t->offset;
  out->data = bytes_of(binding, offset, out->rows * out->columns * sizeof(float));
  return out->data != NULL;
}

static void store(struct matrix result, struct matrix tile, struct point p) {
  for (uint64_t r = 0; r < tile.rows && p.row + r < result.rows; ++r)
    for (uint64_t c = 0; c < tile.columns && p.column + c < result.columns; ++c)
      result.data[(p.row + r) * result.columns + p.column + c] = tile.data[r * tile.columns + c];
}

// Tiles stand one behind the other in `memory`.
static void run_point(const struct launch *launch, const struct instruction *instructions,
                      const struct matrix *operands, struct matrix result, struct point p,
                      float *memory) {
  struct matrix tiles[MOST_INSTRUCTIONS];
  for (uint32_t i = 0; i < launch->instruction_count; ++i) {
    const struct instruction *it = instructions + i;
    tiles[i] = (struct matrix){memory, it->rows, it->columns};
    memory += tiles[i].rows * tiles[i].columns;
    if (it->what <= DO_WEIGHT)
      load(it, tiles[i], operands[it->a], p);
    else
      compute(it, tiles[i], tiles[it->a], tiles[it->b]);
  }
  store(result, tiles[launch->made], p);
}

// Points do not see each other: a chip runs as many at once as it has cores. (you)
static int run_launch(const struct run *run, const struct launch *launch) {
  const struct code *code = &run->executable->code;
  struct matrix operands[MOST_INSTRUCTIONS], result;
  for (uint32_t i = 0; i < launch->operand_count; ++i)
    if (!locate(run, code->operands + launch->first_operand + i, &operands[i]))
      return 0;
  float *memory =
      bytes_of(special(run, LATHE_BIND_SCRATCH), 0, tile_floats(code, launch) * sizeof(float));
  if (!memory || !locate(run, &launch->result, &result))
    return 0;
  for (struct point p = {0, 0}; p.row < result.rows; p.row += launch->tile_rows)
    for (p.column = 0; p.column < result.columns; p.column += launch->tile_columns)
      run_point(launch, code->instructions + launch->first_instruction, operands, result, p,
                memory);
  return 1;
}

static lathe_error *run(lathe_run_args *args) {
  const struct code *code = &args->executable->code;
  if (args->entry >= code->header.entry_count)
    return fail(LATHE_ERROR_INVALID_ARGUMENT, "tiles: run: there is no such entry");
  const struct run run = {args, args->executable, code->entries + args->entry};
  if (args->binding_count != run.entry->binding_count + LATHE_BIND_COUNT || args->rows < 1 ||
      (uint64_t)args->rows > run.entry->max_rows || args->output_rows < 0 ||
      args->output_rows > args->rows)
    return fail(LATHE_ERROR_INVALID_ARGUMENT, "tiles: run: another number of bindings or rows");
  for (uint32_t i = 0; i < run.entry->launch_count; ++i)
    if (!run_launch(&run, code->launches + run.entry->first_launch + i))
      return fail(LATHE_ERROR_INVALID_ARGUMENT, "tiles: run: a binding is smaller than its rows");
  return NULL;
}

// ---- Executables --------------------------------------------------------------------------------

static lathe_error *executable_release(lathe_executable_args *args) {
  if (args->executable) {
    free(args->executable->block);
    free(args->executable->weight_offsets);
  }
  free(args->executable);
  return NULL;
}

static const char *read_code(lathe_executable *mine, const lathe_executable_load_args *args) {
  mine->block = malloc(args->size ? args->size : 1);
  mine->weight_offsets = calloc(args->weight_count + 1, sizeof(uint64_t));
  if (!mine->block || !mine->weight_offsets)
    return "tiles: no memory";
  memcpy(mine->block, args->code, args->size);
  memcpy(mine->weight_offsets, args->weight_offsets, args->weight_count * sizeof(uint64_t));
  const char *wrong = code_check(mine->block, args->size, &mine->code);
  if (!wrong && mine->code.header.weight_count != args->weight_count)
    return "tiles: the code has another number of weights";
  return wrong;
}

static lathe_error *executable_load(lathe_executable_load_args *args) {
  lathe_executable *mine = calloc(1, sizeof *mine);
  const char *wrong = mine ? read_code(mine, args) : "tiles: no memory";
  if (wrong) {
    lathe_executable_args given = {.struct_size = sizeof given, .executable = mine};
    executable_release(&given);
    return fail(LATHE_ERROR_INVALID_ARGUMENT, wrong);
  }
  args->executable = mine;
  return NULL;
}

static lathe_error *executable_entry(lathe_executable_entry_args *args) {
  const struct code *code = &args->executable->code;
  for (args->entry = 0; args->entry < code->header.entry_count; ++args->entry)
    if (text_is(args->name, code->entries[args->entry].name))
      return NULL;
  return fail(LATHE_ERROR_NOT_FOUND, "tiles: the code has no entry of this name");
}

// ---- Devices and memory: as in the template -----------------------------------------------------

static lathe_error *device_list(lathe_device_list_args *args) {
  args->device_count = 1; // count what you claim of args->hardware (you)
  return NULL;
}

static lathe_error *device_open(lathe_device_open_args *args) {
  static lathe_device device;
  if (args->index != 0)
    return fail(LATHE_ERROR_INVALID_ARGUMENT, "tiles: there is no device but device 0");
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
                                  .name = TEXT("tiles"),
                                  .kind = TEXT("cpu"),
                                  .compatibility = TEXT(COMPATIBILITY),
                                  .level = TEXT("tiles"),
                                  .import_alignment = 1,
                                  .parallelism = 1,
                                  .host_visible = 1};
  memcpy(args->properties, &mine, theirs < sizeof mine ? theirs : sizeof mine);
  return NULL;
}

static lathe_error *buffer_allocate(lathe_buffer_allocate_args *args) {
  if (args->alignment > 4096 || (args->alignment & (args->alignment - 1)) != 0)
    return fail(LATHE_ERROR_INVALID_ARGUMENT, "tiles: alignments are powers of two up to 4096");
  lathe_buffer *buffer = malloc(sizeof *buffer);
  void *memory = NULL;
  if (buffer && args->size < SIZE_MAX / 2)
    memory = aligned_alloc(4096, (args->size / 4096 + 1) * 4096);
  if (!memory) {
    free(buffer);
    return fail(LATHE_ERROR_RESOURCE_EXHAUSTED, "tiles: no block of this size");
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

const lathe_device_api devices = {.struct_size = sizeof devices,
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
