// The compile half: programs become the code of code.c. Each op is one instruction; what it
// computes stands in scratch memory of its own, and results are copied out of there at the end.
#include <stdlib.h>
#include <string.h>

#include "null.h"

struct weight {
  lathe_packed_weight packed;
  uint32_t constant; // the id of its source
};

// Arrays are as long as the program can need.
struct compiled {
  lathe_compiled shown; // first, so that the host's pointer is ours
  struct code *code;
  struct weight *weights; // by the ids of their constants
  const lathe_packed_weight **weight_list;
  lathe_compiled_entry *entries;
  const lathe_compiled_entry **entry_list;
  // Of the function that is being compiled.
  const lathe_function *function;
  struct place *places; // of its values, by their ids
  uint64_t scratch_bytes;
};

static lathe_error *refuse(const struct compiled *compiled, const char *what, lathe_string where) {
  return fail(LATHE_ERROR_FAILED_PRECONDITION, "null: function '%.*s': '%.*s': %s",
              SHOWN(compiled->function->name), SHOWN(where), what);
}

// ---- Functions ----------------------------------------------------------------------------------

static struct instruction *new_instruction(struct compiled *compiled) {
  return &compiled->code->instructions[compiled->code->instruction_count++];
}

static lathe_error *add_weight(struct compiled *compiled, const lathe_op *op) {
  const lathe_value *value = op->results[0]->value;
  const struct shape shape = shape_of(value->type);
  if (!shape_is_sound(&shape))
    return refuse(compiled, "is a weight of a type that null does not take", op->location);
  const uint32_t id = op->constant->id;
  compiled->places[value->id] = (struct place){PLACE_WEIGHT, id, shape};
  struct weight *weight = &compiled->weights[id];
  weight->constant = id;
  weight->packed = (lathe_packed_weight){
      sizeof weight->packed, TEXT("rows"), &weight->constant, 1, shape_bytes(&shape, 1, 1), 64};
  compiled->weight_list[id] = &weight->packed;
  return NULL;
}

static lathe_error *add_op(struct compiled *compiled, const lathe_op *op) {
  if (text_is(op->name, "lathe.weight"))
    return add_weight(compiled, op);
  struct answer answer = judge(op, 1);
  if (answer.reason != LATHE_REASON_NONE)
    return refuse(compiled, answer.text, op->location);
  struct place *places = answer.instruction.places;
  for (int i = 1; i < PLACES && answer.values[i]; ++i)
    places[i] = compiled->places[answer.values[i]->id];
  places[0].index = compiled->scratch_bytes;
  compiled->places[answer.values[0]->id] = places[0];
  const uint64_t rows = compiled->function->max_rows;
  compiled->scratch_bytes += (shape_bytes(&places[0].shape, rows, rows) + 63) / 64 * 64;
  *new_instruction(compiled) = answer.instruction;
  return NULL;
}

static lathe_error *add_input(struct compiled *compiled, size_t index) {
  const lathe_operand *input = compiled->function->inputs[index];
  if (input->value->type->kind != LATHE_TYPE_TENSOR)
    return refuse(compiled, "is an input that is no tensor", input->name);
  compiled->places[input->value->id] =
      (struct place){PLACE_INPUT, index, shape_of(input->value->type)};
  return NULL;
}

static lathe_error *add_result(struct compiled *compiled, size_t index) {
  const lathe_operand *result = compiled->function->results[index];
  const struct place from = compiled->places[result->value->id];
  const struct place to = {PLACE_RESULT, index, from.shape};
  if (!shape_is_sound(&from.shape))
    return refuse(compiled, "is a result of a type that null does not take", result->name);
  *new_instruction(compiled) = (struct instruction){.kind = RUN_COPY, .places = {to, from}};
  return NULL;
}

static lathe_error *begin_entry(struct compiled *compiled) {
  const lathe_function *function = compiled->function;
  struct entry *entry = &new_instruction(compiled)->entry;
  if (function->name.size >= sizeof entry->name || function->max_rows > (int64_t)MAX_EXTENT)
    return refuse(compiled, "its name or its rows are more than null takes", function->name);
  memcpy(entry->name, function->name.data, function->name.size);
  entry->max_rows = function->max_rows;
  entry->input_count = function->input_count;
  entry->result_count = function->result_count;
  return NULL;
}

static lathe_error *add_entry(struct compiled *compiled, const lathe_function *function) {
  compiled->function = function;
  compiled->scratch_bytes = 0;
  lathe_error *error = begin_entry(compiled);
  for (size_t i = 0; !error && i < function->input_count; ++i)
    error = add_input(compiled, i);
  for (size_t i = 0; !error && i < function->op_count; ++i)
    error = add_op(compiled, function->ops[i]);
  for (size_t i = 0; !error && i < function->result_count; ++i)
    error = add_result(compiled, i);
  lathe_compiled_entry *entry = &compiled->entries[compiled->shown.entry_count];
  *entry = (lathe_compiled_entry){sizeof *entry, function->name, compiled->scratch_bytes};
  compiled->entry_list[compiled->shown.entry_count++] = entry;
  return error;
}

// ---- The border ---------------------------------------------------------------------------------

// The bytes stay as they are in the checkpoint, which knows where they end.
static lathe_error *pack(lathe_pack_args *args) {
  const lathe_program *program = args->program;
  if (args->weight >= program->constant_count)
    return fail(LATHE_ERROR_INVALID_ARGUMENT, "null: there is no weight %u", args->weight);
  lathe_read_args read = {.struct_size = sizeof read,
                          .constant = program->constants[args->weight],
                          .offset = args->offset,
                          .size = args->size,
                          .destination = args->destination};
  return program->read(program->context, &read);
}

static void release(lathe_compiled *shown) {
  struct compiled *compiled = (struct compiled *)shown;
  free(compiled->code);
  free(compiled->weights);
  free(compiled->weight_list);
  free(compiled->entries);
  free(compiled->entry_list);
  free(compiled->places);
  free(compiled);
}

// NULL where there is not as much memory.
static struct compiled *allocate(const lathe_program *program) {
  struct compiled *c = calloc(1, sizeof *c);
  if (!c)
    return NULL;
  const size_t entries = program->function_count + 1, weights = program->constant_count + 1;
  size_t most = entries; // instructions, and values of a function
  for (size_t i = 0; i < program->function_count; ++i) {
    const lathe_function *function = program->functions[i];
    most += function->input_count + function->op_count + function->result_count;
  }
  c->code = calloc(1, CODE_SIZE(most));
  c->weights = calloc(weights, sizeof *c->weights);
  c->weight_list = calloc(weights, sizeof *c->weight_list);
  c->entries = calloc(entries, sizeof *c->entries);
  c->entry_list = calloc(entries, sizeof *c->entry_list);
  c->places = calloc(most, sizeof *c->places);
  if (c->code && c->weights && c->weight_list && c->entries && c->entry_list && c->places)
    return c;
  release(&c->shown);
  return NULL;
}

static lathe_error *compile(lathe_compile_args *args) {
  struct compiled *compiled = allocate(args->program);
  if (!compiled)
    return fail(LATHE_ERROR_RESOURCE_EXHAUSTED, "null: no memory to compile");
  for (size_t i = 0; i < args->program->function_count; ++i) {
    lathe_error *error = add_entry(compiled, args->program->functions[i]);
    if (error) {
      release(&compiled->shown);
      return error;
    }
  }
  compiled->code->magic = MAGIC;
  compiled->code->weight_count = args->program->constant_count;
  compiled->shown = (lathe_compiled){.struct_size = sizeof compiled->shown,
                                     .compatibility = TEXT(COMPATIBILITY),
                                     .code = compiled->code,
                                     .code_size = CODE_SIZE(compiled->code->instruction_count),
                                     .entries = compiled->entry_list,
                                     .entry_count = compiled->shown.entry_count,
                                     .weights = compiled->weight_list,
                                     .weight_count = compiled->code->weight_count,
                                     .pack = pack,
                                     .release = release};
  args->compiled = &compiled->shown;
  return NULL;
}

static lathe_error *supports(lathe_support_args *args) {
  const struct answer answer = judge(args->op, args->rows);
  args->reason = answer.reason;
  args->verdict = answer.reason == LATHE_REASON_NONE ? LATHE_SUPPORT_YES : LATHE_SUPPORT_NO;
  args->seconds = answer.seconds;
  write_text(&args->text, answer.text);
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
  args->targets = targets;
  args->target_count = 1;
  return NULL;
}

const lathe_compile_api compile_api = {
    .struct_size = sizeof compile_api,
    .target_list = target_list,
    .supports = supports,
    .compile = compile,
};
