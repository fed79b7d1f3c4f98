// What of a model this device takes, op by op. A refusal says what about the op is not taken.
#include <stdarg.h>
#include <stdio.h>

#include "null.h"

// A product and a sum in the loops of kernels.c on one core of a server, measured.
#define SECONDS_A_STEP 0.25e-9

// To take one more op: a row here, its rule in instruction_fits, its loop in kernels.c.
static const struct row {
  const char *op;
  uint32_t kind;
  const char *operands[PLACES - 1];
  int first_weight; // of the operands: from this one on they may be bf16
} table[] = {{"lathe.linear", RUN_LINEAR, {"x", "weight", "bias"}, 1},
             {"lathe.rms_norm", RUN_RMS_NORM, {"input", "scale"}, 1},
             {"lathe.add", RUN_ADD, {"lhs", "rhs"}, 2}};

enum { KNOWN_VERSION = 1 }; // of each op's meaning

// False, so that who finds something wrong can return it.
__attribute__((format(printf, 3, 4))) static bool refuse(struct answer *answer, uint32_t reason,
                                                         const char *format, ...) {
  answer->reason = reason;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(answer->text, sizeof answer->text, format, arguments);
  va_end(arguments);
  return false;
}

// ---- Looking at ops -----------------------------------------------------------------------------

static const lathe_value *find_operand(const lathe_op *op, const char *name) {
  for (size_t i = 0; name && i < op->operand_count; ++i)
    if (text_is(op->operands[i]->name, name))
      return op->operands[i]->value;
  return NULL;
}

static double find_real(const lathe_op *op, const char *name) {
  for (size_t i = 0; i < op->attribute_count; ++i)
    if (text_is(op->attributes[i]->name, name))
      return op->attributes[i]->real;
  return 0;
}

struct shape shape_of(const lathe_type *type) {
  if (type->kind != LATHE_TYPE_TENSOR || type->rank < 1 || type->rank > 2)
    return (struct shape){0};
  const int64_t first = type->shape[0], last = type->shape[type->rank - 1];
  const uint64_t bytes = type->element == LATHE_ELEMENT_F32    ? 4
                         : type->element == LATHE_ELEMENT_BF16 ? 2
                                                               : 0;
  if (first == LATHE_EXTENT_ROWS || first == LATHE_EXTENT_OUTPUT_ROWS)
    return (struct shape){first == LATHE_EXTENT_ROWS ? EXTENT_ROWS : EXTENT_OUTPUT_ROWS,
                          type->row_factor, type->rank == 2 ? last : 1, bytes};
  return (struct shape){EXTENT_CONSTANT, type->rank == 2 ? first : 1, last, bytes};
}

// The shape of a value, or a refusal that says what about its type is not taken.
static bool look(struct answer *answer, const char *name, const lathe_value *value,
                 bool may_be_bf16, struct shape *shape) {
  *shape = shape_of(value->type);
  if (shape->bytes != 4 && !(may_be_bf16 && shape->bytes == 2))
    return refuse(answer, LATHE_REASON_UNSUPPORTED_TYPE, "%s is no vector or matrix of f32%s", name,
                  may_be_bf16 ? " or bf16" : "");
  if (!shape_is_sound(shape))
    return refuse(answer, LATHE_REASON_SHAPE_LIMIT, "%s has an extent that is not in 1 to %d", name,
                  (int)MAX_EXTENT);
  return true;
}

// ---- Judging ------------------------------------------------------------------------------------

static double seconds_of(const struct instruction *instruction, uint64_t rows) {
  const struct shape *result = &instruction->places[0].shape, *x = &instruction->places[1].shape;
  // Steps for each number of the result; a norm has a root, and is in double precision.
  const double steps[RUN_KINDS] = {0, x->columns, 4, 1, 1};
  const uint64_t numbers = shape_rows(result, rows, rows) * result->columns;
  return numbers * steps[instruction->kind] * SECONDS_A_STEP;
}

static bool find_values(struct answer *answer, const struct row *row, const lathe_op *op) {
  answer->instruction.kind = row->kind;
  answer->instruction.epsilon = find_real(op, "epsilon");
  for (int i = 0; i < PLACES; ++i) {
    const char *name = i == 0 ? "result" : row->operands[i - 1];
    const lathe_value *value = i == 0 ? op->results[0]->value : find_operand(op, name);
    struct place *place = &answer->instruction.places[i];
    answer->values[i] = value;
    place->kind = value ? PLACE_SCRATCH : PLACE_NONE; // whether it is there
    if (value && !look(answer, name, value, i > row->first_weight, &place->shape))
      return false;
  }
  return instruction_fits(&answer->instruction) ||
         refuse(answer, LATHE_REASON_UNSUPPORTED_OP, "its operands do not fit each other");
}

struct answer judge(const lathe_op *op, int64_t rows) {
  struct answer answer = {.reason = LATHE_REASON_NONE};
  const struct row *row = table, *end = table + sizeof table / sizeof *table;
  while (row < end && !text_is(op->name, row->op))
    ++row;
  if (row == end)
    refuse(&answer, LATHE_REASON_UNSUPPORTED_OP, "null has no %.*s", SHOWN(op->name));
  else if (op->version > KNOWN_VERSION)
    refuse(&answer, LATHE_REASON_UNSUPPORTED_OP, "%s is of version %u; null knows %d", row->op,
           op->version, KNOWN_VERSION);
  else if (find_values(&answer, row, op))
    answer.seconds = seconds_of(&answer.instruction, rows < 1 ? 1 : rows);
  return answer;
}
