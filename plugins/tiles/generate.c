// The compile half: the table that it makes of kernels over tiles.
#include <stdlib.h>
#include <string.h>

#include "program.h"

struct growing {
  void *items;
  uint32_t count, capacity;
};

// A zeroed item at the end; NULL where there is no memory.
static void *append(struct growing *all, size_t size) {
  if (all->count == all->capacity) {
    const uint32_t capacity = all->capacity ? 2 * all->capacity : 16;
    void *items = realloc(all->items, capacity * size);
    if (!items)
      return NULL;
    all->items = items;
    all->capacity = capacity;
  }
  return memset((char *)all->items + all->count++ * size, 0, size);
}

struct weight {
  lathe_packed_weight packed;
  const lathe_constant *constant;
  uint32_t id;
};

struct compiled {
  lathe_compiled shown;
  struct growing entries, launches, operands, instructions, weights;
  struct growing shown_entries; // of lathe_compiled_entry
  const lathe_compiled_entry **entry_list;
  const lathe_packed_weight **weight_list;
  void *code;
  // Of the function at hand:
  struct tensor *places; // of values, by their ids
  uint64_t scratch_bytes;
};

static lathe_error *no_memory(void) {
  return fail(LATHE_ERROR_RESOURCE_EXHAUSTED, "tiles: no memory to compile");
}

static struct tensor shape_of(const lathe_type *type) {
  struct tensor t = {.rows = rows_of(type), .columns = columns_of(type)};
  if (type->rank == 2 && type->shape[0] < 0) {
    t.rows_are = type->shape[0] == LATHE_EXTENT_ROWS ? ROWS_OF_RUN : ROWS_OF_OUTPUT;
    t.rows = (uint32_t)type->row_factor;
  }
  return t;
}

static void place(struct compiled *c, const lathe_value *value, uint32_t where, uint32_t index) {
  struct tensor t = shape_of(value->type);
  t.place = where;
  t.index = index;
  c->places[value->id] = t;
}

static void place_in_scratch(struct compiled *c, const lathe_value *value, uint64_t max_rows) {
  place(c, value, IN_SCRATCH, 0);
  struct tensor *t = &c->places[value->id];
  const uint64_t rows = t->rows_are == ROWS_CONSTANT ? t->rows : t->rows * max_rows;
  t->offset = c->scratch_bytes;
  c->scratch_bytes += (rows * t->columns * sizeof(float) + 63) / 64 * 64;
}

// Equal weights of several ops are one.
static lathe_error *add_weight(struct compiled *c, const lathe_op *op) {
  const lathe_value *value = op->results[0]->value;
  const struct weight *known = c->weights.items;
  for (uint32_t i = 0; i < c->weights.count; ++i)
    if (known[i].id == op->constant->id)
      return place(c, value, IN_WEIGHTS, i), NULL;
  struct weight *mine = append(&c->weights, sizeof *mine);
  if (!mine)
    return no_memory();
  const uint64_t floats = (uint64_t)rows_of(value->type) * columns_of(value->type);
  mine->constant = op->constant;
  mine->id = op->constant->id;
  mine->packed = (lathe_packed_weight){.struct_size = sizeof mine->packed,
                                       .layout = TEXT("rows_f32"),
                                       .constant_count = 1,
                                       .size = floats * sizeof(float),
                                       .alignment = 64};
  return place(c, value, IN_WEIGHTS, c->weights.count - 1), NULL;
}

// Which of a kernel's inputs, or which of its ops, a value is; both count from 0.
static uint32_t number_of(const lathe_function *kernel, const lathe_value *value) {
  for (uint32_t i = 0; i < kernel->input_count; ++i)
    if (kernel->inputs[i]->value->id == value->id)
      return i;
  for (uint32_t i = 0; i < kernel->op_count; ++i)
    if (kernel->ops[i]->results[0]->value->id == value->id)
      return i;
  return 0;
}

static lathe_error *add_instruction(struct compiled *c, const lathe_function *kernel,
                                    const lathe_op *op) {
  struct instruction *it = append(&c->instructions, sizeof *it);
  if (!it)
    return no_memory();
  const lathe_type *type = type_of(op->results[0]);
  *it = (struct instruction){.what = what_of(op),
                             .a = number_of(kernel, op->operands[0]->value),
                             .rows = rows_of(type),
                             .columns = columns_of(type)};
  if (op->operand_count > 1)
    it->b = number_of(kernel, op->operands[1]->value);
  if (attribute(op, "offset"))
    it->offset = (uint32_t)attribute(op, "offset")->integer;
  if (it->what == DO_SCALE) {
    it->factor = (float)attribute(op, "factor")->real;
    it->summand = (float)attribute(op, "summand")->real;
  }
  return NULL;
}

static lathe_error *add_launch(struct compiled *c, const lathe_op *op) {
  const lathe_function *kernel = kernel_of(op);
  if (!kernel || kernel->op_count > MOST_INSTRUCTIONS || op->operand_count > MOST_INSTRUCTIONS)
    return fail(LATHE_ERROR_FAILED_PRECONDITION, "tiles: a kernel has at most 64 ops and inputs");
  struct launch *launch = append(&c->launches, sizeof *launch);
  if (!launch)
    return no_memory();
  *launch = (struct launch){.first_operand = c->operands.count,
                            .operand_count = (uint32_t)op->operand_count,
                            .first_instruction = c->instructions.count,
                            .instruction_count = (uint32_t)kernel->op_count,
                            .tile_rows = (uint32_t)kernel->tile_rows,
                            .tile_columns = (uint32_t)kernel->tile_columns,
                            .made = number_of(kernel, kernel->results[0]->value),
                            .result = c->places[op->results[0]->value->id]};
  lathe_error *error = NULL;
  for (size_t i = 0; !error && i < op->operand_count; ++i) {
    struct tensor *operand = append(&c->operands, sizeof *operand);
    if (!operand)
      return no_memory();
    *operand = c->places[op->operands[i]->value->id];
  }
  for (size_t i = 0; !error && i < kernel->op_count; ++i)
    error = add_instruction(c, kernel, kernel->ops[i]);
  return error;
}

// Room for the tiles of the largest kernel, at the beginning of scratch.
static uint64_t tile_bytes(const lathe_function *function) {
  uint64_t most = 0;
  for (size_t i = 0; i < function->op_count; ++i) {
    const lathe_function *kernel = kernel_of(function->ops[i]);
    uint64_t floats = 0;
    for (size_t j = 0; kernel && j < kernel->op_count; ++j) {
      const lathe_type *type = type_of(kernel->ops[j]->results[0]);
      floats += (uint64_t)rows_of(type) * columns_of(type);
    }
    most = floats > most ? floats : most;
  }
  return (most * sizeof(float) + 63) / 64 * 64;
}

// Where values stand: what comes in and goes out is bound, all else is scratch.
static lathe_error *place_values(struct compiled *c, const lathe_function *function) {
  uint32_t last = 0;
  for (size_t i = 0; i < function->op_count; ++i)
    last = function->ops[i]->results[0]->value->id;
  free(c->places);
  c->places = calloc((size_t)last + function->input_count + 1, sizeof *c->places);
  if (!c->places)
    return no_memory();
  c->scratch_bytes = tile_bytes(function);
  for (size_t i = 0; i < function->input_count; ++i)
    place(c, function->inputs[i]->value, IN_BINDING, (uint32_t)i);
  for (size_t i = 0; i < function->op_count; ++i)
    if (!function->ops[i]->constant)
      place_in_scratch(c, function->ops[i]->results[0]->value, (uint64_t)function->max_rows);
  for (size_t i = 0; i < function->result_count; ++i) {
    const lathe_value *value = function->results[i]->value;
    if (c->places[value->id].place != IN_SCRATCH)
      return fail(LATHE_ERROR_FAILED_PRECONDITION,
                  "tiles: a result is what a launch gives, and once");
    place(c, value, IN_BINDING, (uint32_t)(function->input_count + i));
  }
  return NULL;
}

static lathe_error *add_entry(struct compiled *c, const lathe_function *function) {
  struct entry *entry = append(&c->entries, sizeof *entry);
  lathe_compiled_entry *shown = append(&c->shown_entries, sizeof *shown);
  if (!entry || !shown)
    return no_memory();
  if (function->name.size >= sizeof entry->name || function->max_rows > LIMIT)
    return fail(LATHE_ERROR_FAILED_PRECONDITION, "tiles: a function's name or rows are too long");
  memcpy(entry->name, function->name.data, function->name.size);
  entry->first_launch = c->launches.count;
  lathe_error *error = place_values(c, function);
  for (size_t i = 0; !error && i < function->op_count; ++i) {
    const lathe_op *op = function->ops[i];
    error = op->constant ? add_weight(c, op) : add_launch(c, op);
  }
  entry->launch_count = c->launches.count - entry->first_launch;
  entry->binding_count = (uint32_t)(function->input_count + function->result_count);
  entry->max_rows = (uint64_t)function->max_rows;
  entry->scratch_bytes = c->scratch_bytes;
  *shown = (lathe_compiled_entry){sizeof *shown, function->name, c->scratch_bytes};
  return error;
}

// ---- Packing ------------------------------------------------------------------------------------

static lathe_error *read_float(const lathe_program *program, const lathe_constant *constant,
                               uint64_t index, float *out) {
  const uint64_t bytes = constant->type->element == LATHE_ELEMENT_F32 ? 4 : 2;
  uint32_t bits = 0; // the upper half of an f32 is a bf16
  lathe_read_args args = {.struct_size = sizeof args,
                          .constant = constant,
                          .offset = index * bytes,
                          .size = bytes,
                          .destination = (char *)&bits + (4 - bytes)};
  lathe_error *error = program->read(program->context, &args);
  memcpy(out, &bits, sizeof bits);
  return error;
}

// Number by number, for brevity; the part that is wanted may begin and end inside of one. (you)
static lathe_error *pack(lathe_pack_args *args) {
  const struct compiled *c = (const struct compiled *)args->compiled;
  const struct weight *weight = (const struct weight *)c->weights.items + args->weight;
  for (uint64_t i = 0; i < args->size;) {
    float number = 0;
    const uint64_t begin = (args->offset + i) % sizeof number;
    lathe_error *error =
        read_float(args->program, weight->constant, (args->offset + i) / sizeof number, &number);
    if (error)
      return error;
    const uint64_t left = args->size - i, all = sizeof number - begin;
    memcpy((char *)args->destination + i, (char *)&number + begin, left < all ? left : all);
    i += left < all ? left : all;
  }
  return NULL;
}

// ---- The border ---------------------------------------------------------------------------------

static void release(lathe_compiled *shown) {
  struct compiled *c = (struct compiled *)shown;
  const struct growing all[] = {c->entries,      c->launches, c->operands,
                                c->instructions, c->weights,  c->shown_entries};
  for (size_t i = 0; i < sizeof all / sizeof *all; ++i)
    free(all[i].items);
  free(c->entry_list);
  free(c->weight_list);
  free(c->code);
  free(c->places);
  free(c);
}

static void copy_items(void *to, const struct growing *all, size_t size) {
  if (all->count)
    memcpy(to, all->items, all->count * size);
}

static int write_code(struct compiled *c) {
  struct code code = {.header = {.magic = MAGIC,
                                 .entry_count = c->entries.count,
                                 .launch_count = c->launches.count,
                                 .operand_count = c->operands.count,
                                 .instruction_count = c->instructions.count,
                                 .weight_count = c->weights.count}};
  c->shown.code_size = code_size(&code.header);
  c->shown.code = c->code = calloc(1, c->shown.code_size);
  if (!c->code)
    return 0;
  memcpy(c->code, &code.header, sizeof code.header);
  code_view(&code, c->code);
  copy_items(code.entries, &c->entries, sizeof *code.entries);
  copy_items(code.launches, &c->launches, sizeof *code.launches);
  copy_items(code.operands, &c->operands, sizeof *code.operands);
  copy_items(code.instructions, &c->instructions, sizeof *code.instructions);
  return 1;
}

// When nothing grows any more, pointers can be given out.
static lathe_error *finish(struct compiled *c) {
  c->entry_list = calloc(c->entries.count + 1, sizeof *c->entry_list);
  c->weight_list = calloc(c->weights.count + 1, sizeof *c->weight_list);
  if (!c->entry_list || !c->weight_list || !write_code(c))
    return no_memory();
  for (uint32_t i = 0; i < c->entries.count; ++i)
    c->entry_list[i] = (lathe_compiled_entry *)c->shown_entries.items + i;
  for (uint32_t i = 0; i < c->weights.count; ++i) {
    struct weight *weight = (struct weight *)c->weights.items + i;
    weight->packed.constants = &weight->id;
    c->weight_list[i] = &weight->packed;
  }
  c->shown.struct_size = sizeof c->shown;
  c->shown.compatibility = (lathe_string)TEXT(COMPATIBILITY);
  c->shown.entries = c->entry_list;
  c->shown.entry_count = c->entries.count;
  c->shown.weights = c->weight_list;
  c->shown.weight_count = c->weights.count;
  c->shown.pack = pack;
  c->shown.release = release;
  return NULL;
}

static lathe_error *compile(lathe_compile_args *args) {
  struct compiled *c = calloc(1, sizeof *c);
  if (!c)
    return no_memory();
  lathe_error *error = NULL;
  for (size_t i = 0; !error && i < args->program->function_count; ++i)
    error = add_entry(c, args->program->functions[i]);
  if (!error)
    error = finish(c);
  if (error)
    release(&c->shown);
  else
    args->compiled = &c->shown;
  return error;
}

static lathe_error *target_list(lathe_target_list_args *args) {
  static const lathe_target target = {.struct_size = sizeof target,
                                      .name = TEXT("tiles"),
                                      .description = TEXT("walks tables of ops on tiles"),
                                      .compatibility = TEXT(COMPATIBILITY),
                                      .takes = LATHE_TAKES_TILES,
                                      .tile_rows = 8, // what fits your matrix unit (you)
                                      .tile_columns = 32};
  static const lathe_target *const targets[] = {&target};
  args->targets = targets;
  args->target_count = 1;
  return NULL;
}

const lathe_compile_api compiler = {.struct_size = sizeof compiler,
                                    .target_list = target_list,
                                    .supports = supports,
                                    .compile = compile};
