// The compile half: programs become the code of code.h. Each op is one instruction; a value stands
// in an input, a result, a weight, or in scratch memory of its own.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "null.h"

struct weight {
  lathe_packed_weight packed;
  const lathe_constant *constant; // of the program, which outlives what is compiled of it
  uint32_t id;
};

struct value {
  uint32_t id;
  bool is_f32; // in memory, as all that instructions take
  struct place place;
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
  // Of the function that is being compiled.
  lathe_function function;
  struct entry *entry;
  struct value *values; // its inputs, then the result of each op
  size_t value_count;
  uint64_t scratch_bytes;
};

static lathe_error *refuse(const struct compiled *compiled, const char *what, lathe_string where) {
  return fail(LATHE_ERROR_FAILED_PRECONDITION, "null: function '%.*s': '%.*s': %s",
              SHOWN(compiled->function.name), SHOWN(where), what);
}

// ---- Values -------------------------------------------------------------------------------------

static struct value *add_value(struct compiled *compiled, const lathe_value *theirs, uint64_t kind,
                               uint64_t index) {
  TAKE(lathe_value, value, theirs);
  TAKE(lathe_type, type, value.type);
  struct value *mine = &compiled->values[compiled->value_count++];
  *mine = (struct value){.id = value.id, .place = {kind, index, {0}}};
  mine->is_f32 = read_shape(value.type, &mine->place.shape) && type.element == LATHE_ELEMENT_F32;
  return mine;
}

static const struct value *find_value(const struct compiled *compiled, const lathe_value *theirs) {
  TAKE(lathe_value, value, theirs);
  for (size_t i = compiled->value_count; i-- > 0;)
    if (compiled->values[i].id == value.id)
      return &compiled->values[i];
  return NULL;
}

// What an op computes stands where the function wants it as a result, or else in scratch memory.
static void place_value(struct compiled *compiled, struct value *value) {
  const uint64_t rows = compiled->entry->max_rows;
  for (size_t i = 0; i < compiled->function.result_count; ++i) {
    TAKE(lathe_operand, result, compiled->function.results[i]);
    TAKE(lathe_value, wanted, result.value);
    if (wanted.id == value->id) {
      value->place.kind = PLACE_RESULT;
      value->place.index = i;
      return;
    }
  }
  value->place.index = compiled->scratch_bytes;
  compiled->scratch_bytes += (shape_bytes(&value->place.shape, rows, rows) + 63) / 64 * 64;
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

// ---- Functions ----------------------------------------------------------------------------------

static lathe_error *add_input(struct compiled *compiled, size_t index) {
  TAKE(lathe_operand, input, compiled->function.inputs[index]);
  TAKE(lathe_value, value, input.value);
  TAKE(lathe_type, type, value.type);
  if (type.kind != LATHE_TYPE_TENSOR)
    return refuse(compiled, "is an input that is no tensor", input.name);
  add_value(compiled, input.value, PLACE_INPUT, index);
  return NULL;
}

static lathe_error *add_instruction(struct compiled *compiled, const struct answer *answer,
                                    lathe_string name) {
  struct instruction *instruction = &compiled->instructions[compiled->header.instruction_count++];
  *instruction = answer->instruction;
  for (int i = 0; i < PLACES - 1; ++i) {
    if (!answer->operands[i])
      continue;
    const struct value *value = find_value(compiled, answer->operands[i]);
    if (!value || !(value->is_f32 || value->place.kind == PLACE_WEIGHT))
      return refuse(compiled, "takes a value that is neither f32 nor of a lathe.weight", name);
    instruction->places[i + 1] = value->place;
  }
  struct value *result = add_value(compiled, answer->result, PLACE_SCRATCH, 0);
  place_value(compiled, result);
  instruction->places[0] = result->place;
  if (compiled->scratch_bytes > MAX_BYTES)
    return refuse(compiled, "needs more scratch memory than 2^62 bytes", name);
  return NULL;
}

static lathe_error *add_op(struct compiled *compiled, size_t index) {
  TAKE(lathe_op, op, compiled->function.ops[index]);
  struct answer answer = judge(&op, 1);
  if (answer.error)
    return answer.error;
  if (answer.verdict == LATHE_SUPPORT_NO)
    return refuse(compiled, answer.text, op.location);
  if (answer.instruction.kind != RUN_NOTHING)
    return add_instruction(compiled, &answer, op.name);
  const struct shape *shape = &answer.instruction.places[0].shape;
  add_value(compiled, answer.result, PLACE_WEIGHT, weight_of(compiled, op.constant, shape));
  return NULL;
}

// An input or a weight that is a result too, or a value that is two results, is copied.
static lathe_error *add_result(struct compiled *compiled, size_t index) {
  TAKE(lathe_operand, result, compiled->function.results[index]);
  const struct value *value = find_value(compiled, result.value);
  if (!value || !value->is_f32)
    return refuse(compiled, "is a result that is no f32 tensor", result.name);
  const struct place place = {PLACE_RESULT, index, value->place.shape};
  if (value->place.kind != PLACE_RESULT || value->place.index != index)
    compiled->instructions[compiled->header.instruction_count++] =
        (struct instruction){RUN_COPY, 0, {place, value->place}};
  return NULL;
}

static lathe_error *begin_entry(struct compiled *compiled, const lathe_function *theirs) {
  take(&compiled->function, sizeof compiled->function, theirs);
  compiled->entry = &compiled->entries[compiled->header.entry_count];
  compiled->value_count = compiled->scratch_bytes = 0;
  const lathe_function *function = &compiled->function;
  struct entry *entry = compiled->entry;
  if (function->name.size >= sizeof entry->name || (uint64_t)function->max_rows - 1 >= MAX_EXTENT ||
      function->input_count > UINT16_MAX || function->result_count > UINT16_MAX)
    return refuse(compiled, "its name, rows or values are more than null takes", function->name);
  memcpy(entry->name, function->name.data, function->name.size);
  entry->max_rows = function->max_rows;
  entry->input_count = function->input_count;
  entry->result_count = function->result_count;
  entry->first_instruction = compiled->header.instruction_count;
  return NULL;
}

static lathe_error *add_entry(struct compiled *compiled, const lathe_function *theirs) {
  lathe_error *error = begin_entry(compiled, theirs);
  for (size_t i = 0; !error && i < compiled->function.input_count; ++i)
    error = add_input(compiled, i);
  for (size_t i = 0; !error && i < compiled->function.op_count; ++i)
    error = add_op(compiled, i);
  for (size_t i = 0; !error && i < compiled->function.result_count; ++i)
    error = add_result(compiled, i);
  struct header *header = &compiled->header;
  compiled->entry->instruction_count =
      header->instruction_count - compiled->entry->first_instruction;
  lathe_compiled_entry *shown = &compiled->shown_entries[header->entry_count];
  *shown = (lathe_compiled_entry){sizeof *shown, compiled->function.name, compiled->scratch_bytes};
  compiled->entry_list[header->entry_count++] = shown;
  return error;
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

// An array out of the block, or, as long as there is none, its size.
static void *carve(char *block, size_t *used, size_t count, size_t size) {
  void *begin = block ? block + *used : NULL;
  *used += count * size;
  return begin;
}

static size_t lay_out(struct compiled *c, char *block, const lathe_program *program) {
  size_t entries = program->function_count, ops = 0, values = 0, used = sizeof *c;
  for (size_t i = 0; i < entries; ++i) {
    TAKE(lathe_function, function, program->functions[i]);
    ops += function.op_count + function.result_count;
    values += function.op_count + function.input_count;
  }
  c->entries = carve(block, &used, entries, sizeof *c->entries);
  c->shown_entries = carve(block, &used, entries, sizeof *c->shown_entries);
  c->entry_list = carve(block, &used, entries, sizeof *c->entry_list);
  c->instructions = carve(block, &used, ops, sizeof *c->instructions);
  c->weights = carve(block, &used, ops, sizeof *c->weights);
  c->weight_list = carve(block, &used, ops, sizeof *c->weight_list);
  c->values = carve(block, &used, values, sizeof *c->values);
  return used;
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

static lathe_error *compile(lathe_compile_args *args) {
  TAKE(lathe_compile_args, mine, args);
  TAKE(lathe_program, program, mine.program);
  struct compiled none;
  struct compiled *compiled = calloc(1, lay_out(&none, NULL, &program));
  if (!compiled)
    return fail(LATHE_ERROR_RESOURCE_EXHAUSTED, "null: no memory to compile");
  lay_out(compiled, (char *)compiled, &program);
  lathe_error *error = NULL;
  for (size_t i = 0; !error && i < program.function_count; ++i) {
    error = add_entry(compiled, program.functions[i]);
    if (!error && mine.progress && mine.progress(mine.context, (i + 1.0) / program.function_count))
      error = fail(LATHE_ERROR_UNAVAILABLE, "null: compile: stopped by the host");
  }
  if (!error)
    error = finish(compiled);
  mine.compiled = &compiled->shown;
  if (!error)
    return give(args, &mine);
  release(&compiled->shown);
  return error;
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
  return give(args, &mine);
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
  return give(args, &mine);
}

const lathe_compile_api compile_api = {
    .struct_size = sizeof compile_api,
    .target_list = target_list,
    .supports = supports,
    .compile = compile,
};
