// The compile half: programs become the code of code.h. Each op is one instruction; a value stands
// in an input, a result, a weight, or in scratch memory that is used again once nobody needs it.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "null.h"

struct weight {
  lathe_packed_weight packed;
  const lathe_constant *constant; // of the program, which outlives what is compiled of it
  uint32_t id;
};

// One block: the arrays stand behind it, as long as the program can need.
struct compiled {
  lathe_compiled shown; // first, so that the host's pointer is ours
  struct header header; // counts what is there so far
  struct entry *entries;
  struct instruction *instructions;
  struct weight *weights;
  lathe_compiled_entry *shown_entries;
  const lathe_compiled_entry **entry_list;
  const lathe_packed_weight **weight_list;
};

struct value {
  uint32_t id;
  bool is_f32; // in memory, as all that instructions take
  struct place place;
};

// A function on its way to an entry.
struct builder {
  struct compiled *compiled;
  lathe_function function;
  struct entry *entry;
  uint64_t scratch_bytes;
  struct value *values; // the inputs, then the result of each op
  size_t value_count;
};

static lathe_error *refuse(const struct builder *builder, const char *what, lathe_string where) {
  return fail(LATHE_ERROR_FAILED_PRECONDITION, "null: function '%.*s': '%.*s': %s",
              SHOWN(builder->function.name), SHOWN(where), what);
}

// ---- Values and ops -----------------------------------------------------------------------------

static struct value *add_value(struct builder *builder, const lathe_value *theirs, uint64_t kind,
                               uint64_t index) {
  TAKE(lathe_value, value, theirs);
  TAKE(lathe_type, type, value.type);
  struct value *mine = &builder->values[builder->value_count++];
  *mine = (struct value){.id = value.id, .place = {kind, index, {0}}};
  mine->is_f32 = read_shape(value.type, &mine->place.shape) && type.element == LATHE_ELEMENT_F32;
  return mine;
}

static struct value *find_value(struct builder *builder, const lathe_value *theirs) {
  TAKE(lathe_value, value, theirs);
  for (size_t i = builder->value_count; i-- > 0;)
    if (builder->values[i].id == value.id)
      return &builder->values[i];
  return NULL;
}

// What an op computes stands where the function wants it as a result, or else in scratch memory.
static lathe_error *place_value(struct builder *builder, struct value *value) {
  const uint64_t rows = builder->entry->max_rows;
  for (size_t i = 0; i < builder->function.result_count; ++i) {
    TAKE(lathe_operand, result, builder->function.results[i]);
    TAKE(lathe_value, wanted, result.value);
    if (wanted.id == value->id) {
      value->place.kind = PLACE_RESULT;
      value->place.index = i;
      return NULL;
    }
  }
  value->place.index = builder->scratch_bytes;
  builder->scratch_bytes += (shape_bytes(&value->place.shape, rows, rows) + 63) / 64 * 64;
  return builder->scratch_bytes <= MAX_BYTES
             ? NULL
             : refuse(builder, "needs more scratch memory than 2^62 bytes", builder->function.name);
}

static uint64_t weight_of(struct compiled *compiled, const lathe_constant *theirs,
                          const struct shape *shape) {
  TAKE(lathe_constant, constant, theirs);
  uint64_t *count = &compiled->header.weight_count;
  for (uint64_t i = 0; i < *count; ++i)
    if (compiled->weights[i].id == constant.id)
      return i;
  struct weight *weight = &compiled->weights[*count];
  weight->constant = theirs;
  weight->id = constant.id;
  weight->packed = (lathe_packed_weight){
      sizeof weight->packed, TEXT("rows_f32"), &weight->id, 1, shape_bytes(shape, 1, 1), 64};
  compiled->weight_list[*count] = &weight->packed;
  return (*count)++;
}

static struct instruction *add_instruction(struct builder *builder) {
  return &builder->compiled->instructions[builder->compiled->header.instruction_count++];
}

static lathe_error *build_instruction(struct builder *builder, const struct answer *answer,
                                      lathe_string name) {
  struct instruction *instruction = add_instruction(builder);
  *instruction = answer->instruction;
  for (int i = 0; i < PLACES - 1; ++i) {
    if (!answer->operands[i])
      continue;
    const struct value *value = find_value(builder, answer->operands[i]);
    if (!value || !(value->is_f32 || value->place.kind == PLACE_WEIGHT))
      return refuse(builder, "takes a value that is neither f32 nor of a lathe.weight", name);
    instruction->places[i + 1] = value->place;
  }
  struct value *result = add_value(builder, answer->result, PLACE_SCRATCH, 0);
  lathe_error *error = place_value(builder, result);
  instruction->places[0] = result->place;
  return error;
}

static lathe_error *build_op(struct builder *builder, size_t index) {
  TAKE(lathe_op, op, builder->function.ops[index]);
  struct answer answer = judge(&op, 1);
  if (answer.error)
    return answer.error;
  if (answer.verdict == LATHE_SUPPORT_NO)
    return refuse(builder, answer.text, op.location);
  if (!text_is(op.name, "lathe.weight"))
    return build_instruction(builder, &answer, op.name);
  const struct shape *shape = &answer.instruction.places[0].shape;
  add_value(builder, answer.result, PLACE_WEIGHT, weight_of(builder->compiled, op.constant, shape));
  return NULL;
}

// An input or a weight that is a result too, or a value that is two results, is copied.
static lathe_error *build_result(struct builder *builder, size_t index) {
  TAKE(lathe_operand, result, builder->function.results[index]);
  const struct value *value = find_value(builder, result.value);
  if (!value || !value->is_f32)
    return refuse(builder, "is a result that is no f32 tensor", result.name);
  const struct place place = {PLACE_RESULT, index, value->place.shape};
  if (value->place.kind != PLACE_RESULT || value->place.index != index)
    *add_instruction(builder) = (struct instruction){RUN_COPY, 0, {place, value->place}};
  return NULL;
}

// ---- Functions ----------------------------------------------------------------------------------

static lathe_error *begin_entry(struct builder *builder) {
  const lathe_function *function = &builder->function;
  struct header *header = &builder->compiled->header;
  struct entry *entry = builder->entry = &builder->compiled->entries[header->entry_count];
  if (function->name.size >= sizeof entry->name || (uint64_t)function->max_rows - 1 >= MAX_EXTENT ||
      function->input_count > UINT16_MAX || function->result_count > UINT16_MAX)
    return refuse(builder, "its name, rows or values are more than null takes", function->name);
  memcpy(entry->name, function->name.data, function->name.size);
  entry->max_rows = function->max_rows;
  entry->input_count = function->input_count;
  entry->result_count = function->result_count;
  entry->first_instruction = header->instruction_count;
  return NULL;
}

static lathe_error *build_input(struct builder *builder, size_t index) {
  TAKE(lathe_operand, input, builder->function.inputs[index]);
  TAKE(lathe_value, value, input.value);
  TAKE(lathe_type, type, value.type);
  if (type.kind != LATHE_TYPE_TENSOR)
    return refuse(builder, "is an input that is no tensor", input.name);
  add_value(builder, input.value, PLACE_INPUT, index);
  return NULL;
}

static lathe_error *build_function(struct builder *builder) {
  lathe_error *error = begin_entry(builder);
  for (size_t i = 0; !error && i < builder->function.input_count; ++i)
    error = build_input(builder, i);
  for (size_t i = 0; !error && i < builder->function.op_count; ++i)
    error = build_op(builder, i);
  for (size_t i = 0; !error && i < builder->function.result_count; ++i)
    error = build_result(builder, i);
  return error;
}

static lathe_error *build_entry(struct compiled *compiled, const lathe_function *theirs) {
  struct builder builder = {.compiled = compiled};
  take(&builder.function, sizeof builder.function, theirs);
  builder.values =
      calloc(builder.function.input_count + builder.function.op_count + 1, sizeof *builder.values);
  if (!builder.values)
    return fail(LATHE_ERROR_RESOURCE_EXHAUSTED, "null: no memory to compile");
  lathe_error *error = build_function(&builder);
  free(builder.values);
  if (error)
    return error;
  struct header *header = &compiled->header;
  builder.entry->instruction_count = header->instruction_count - builder.entry->first_instruction;
  lathe_compiled_entry *shown = &compiled->shown_entries[header->entry_count];
  *shown = (lathe_compiled_entry){sizeof *shown, builder.function.name, builder.scratch_bytes};
  compiled->entry_list[header->entry_count++] = shown;
  return NULL;
}

// ---- Packing ------------------------------------------------------------------------------------

enum { CHUNK = 256 }; // numbers that are converted at once

static lathe_error *read_numbers(const lathe_program *program, const lathe_constant *constant,
                                 uint64_t first, size_t count, float *numbers) {
  TAKE(lathe_constant, mine, constant);
  TAKE(lathe_type, type, mine.type);
  const uint64_t bytes = type.element == LATHE_ELEMENT_F32 ? 4 : 2;
  uint32_t stored[CHUNK];
  lathe_read_args args = {.struct_size = sizeof args,
                          .constant = constant,
                          .offset = first * bytes,
                          .size = count * bytes,
                          .destination = stored};
  lathe_error *error = program->read(program->context, &args);
  if (!error)
    widen(numbers, stored, type.element, count);
  return error;
}

// The part that is wanted may begin and end inside of a number.
static lathe_error *pack(lathe_pack_args *args) {
  TAKE(lathe_pack_args, mine, args);
  TAKE(lathe_program, program, mine.program);
  const struct compiled *compiled = (const struct compiled *)mine.compiled;
  if (mine.weight >= compiled->header.weight_count)
    return fail(LATHE_ERROR_INVALID_ARGUMENT, "null: there is no weight %u", mine.weight);
  const struct weight *weight = &compiled->weights[mine.weight];
  if (mine.offset > weight->packed.size || mine.size > weight->packed.size - mine.offset)
    return fail(LATHE_ERROR_INVALID_ARGUMENT, "null: weight %u has %" PRIu64 " bytes", mine.weight,
                weight->packed.size);
  const uint64_t end = mine.offset + mine.size, all = weight->packed.size / sizeof(float);
  for (uint64_t at = mine.offset, part; at < end; at += part) {
    float numbers[CHUNK];
    const uint64_t first = at / sizeof(float), skipped = at % sizeof(float);
    const uint64_t count = all - first < CHUNK ? all - first : CHUNK;
    lathe_error *error = read_numbers(&program, weight->constant, first, count, numbers);
    if (error)
      return error;
    part = count * sizeof(float) - skipped;
    part = part < end - at ? part : end - at;
    memcpy((char *)mine.destination + (at - mine.offset), (char *)numbers + skipped, part);
  }
  return NULL;
}

// ---- The border ---------------------------------------------------------------------------------

static void release(lathe_compiled *shown) {
  free((void *)shown->code);
  free(shown);
}

static void *carve(char **memory, size_t count, size_t size) {
  void *begin = *memory;
  *memory += count * size;
  return begin;
}

static struct compiled *make_compiled(const lathe_program *program) {
  const size_t entries = program->function_count;
  size_t ops = 0; // and copies
  for (size_t i = 0; i < entries; ++i) {
    TAKE(lathe_function, function, program->functions[i]);
    ops += function.op_count + function.result_count;
  }
  struct compiled *c = NULL;
  const size_t entry = sizeof *c->entries + sizeof *c->shown_entries + sizeof *c->entry_list;
  const size_t op = sizeof *c->instructions + sizeof *c->weights + sizeof *c->weight_list;
  c = calloc(1, sizeof *c + entries * entry + ops * op);
  if (!c)
    return NULL;
  char *memory = (char *)(c + 1);
  c->entries = carve(&memory, entries, sizeof *c->entries);
  c->shown_entries = carve(&memory, entries, sizeof *c->shown_entries);
  c->entry_list = carve(&memory, entries, sizeof *c->entry_list);
  c->instructions = carve(&memory, ops, sizeof *c->instructions);
  c->weights = carve(&memory, ops, sizeof *c->weights);
  c->weight_list = carve(&memory, ops, sizeof *c->weight_list);
  return c;
}

static lathe_error *finish(struct compiled *compiled) {
  const struct code code = {compiled->header, compiled->entries, compiled->instructions};
  compiled->shown = (lathe_compiled){.struct_size = sizeof compiled->shown,
                                     .compatibility = TEXT(COMPATIBILITY),
                                     .entries = compiled->entry_list,
                                     .entry_count = code.header.entry_count,
                                     .weights = compiled->weight_list,
                                     .weight_count = code.header.weight_count,
                                     .pack = pack,
                                     .release = release};
  compiled->shown.code = code_write(&code, &compiled->shown.code_size);
  return compiled->shown.code ? NULL : fail(LATHE_ERROR_RESOURCE_EXHAUSTED, "null: no memory");
}

static lathe_error *build(struct compiled *compiled, const lathe_compile_args *args,
                          const lathe_program *program) {
  for (size_t i = 0; i < program->function_count; ++i) {
    lathe_error *error = build_entry(compiled, program->functions[i]);
    if (error)
      return error;
    if (args->progress && args->progress(args->context, (i + 1.0) / program->function_count))
      return fail(LATHE_ERROR_UNAVAILABLE, "null: compile: stopped by the host");
  }
  return finish(compiled);
}

static lathe_error *compile(lathe_compile_args *args) {
  TAKE(lathe_compile_args, mine, args);
  TAKE(lathe_program, program, mine.program);
  struct compiled *compiled = make_compiled(&program);
  if (!compiled)
    return fail(LATHE_ERROR_RESOURCE_EXHAUSTED, "null: no memory to compile");
  lathe_error *error = build(compiled, &mine, &program);
  if (error) {
    release(&compiled->shown);
    return error;
  }
  mine.compiled = &compiled->shown;
  give(args, &mine);
  return NULL;
}

static lathe_error *supports(lathe_support_args *args) {
  TAKE(lathe_support_args, mine, args);
  struct answer answer = judge(mine.op, mine.rows);
  if (answer.error)
    return answer.error;
  mine.verdict = answer.verdict;
  mine.reason = answer.reason;
  mine.seconds = answer.seconds;
  write_text(&mine.text, answer.text);
  give(args, &mine);
  return NULL;
}

static lathe_error *target_list(lathe_target_list_args *args) {
  static const lathe_target target = {
      .struct_size = sizeof target,
      .name = TEXT("null"),
      .description = TEXT("the host's memory, one op after the other in plain C"),
      .compatibility = TEXT(COMPATIBILITY),
      .takes = LATHE_TAKES_OPS | LATHE_TAKES_PARTITIONS,
  };
  static const lathe_target *const targets[] = {&target};
  TAKE(lathe_target_list_args, mine, args);
  mine.targets = targets;
  mine.target_count = 1;
  give(args, &mine);
  return NULL;
}

const lathe_compile_api compile_api = {
    .struct_size = sizeof compile_api,
    .target_list = target_list,
    .supports = supports,
    .compile = compile,
};
