// What of a model this device takes, op by op. A refusal says what about the op is not taken.
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "null.h"

// What one core of a server does in the loops of kernels.c, measured: costs are told by these.
#define BYTES_PER_SECOND 15e9
#define FLOPS_PER_SECOND 14e9

// To take one more op: a row here, its rule in instruction_fits, its loop in kernels.c.
static const struct op {
  const char *name;
  uint32_t kind;
  const char *operands[PLACES - 1]; // the third may be left out
  uint32_t halves;                  // bits of places that may be f16 and bf16, the result being 0
} ops[] = {{"lathe.weight", RUN_NOTHING, {NULL}, 1 << 0},
           {"lathe.linear", RUN_LINEAR, {"x", "weight", "bias"}, 1 << 2 | 1 << 3},
           {"lathe.rms_norm", RUN_RMS_NORM, {"input", "scale"}, 1 << 2},
           {"lathe.add", RUN_ADD, {"lhs", "rhs"}, 0}};

enum { KNOWN_VERSION = 1 }; // of each op's meaning

static const char *element_name(uint32_t element) {
  static const char *const names[] = {"none", "f32", "f16",  "bf16", "i32",
                                      "i8",   "i4",  "e4m3", "e5m2", "e8m0"};
  return element < sizeof names / sizeof *names ? names[element] : "of an unknown type";
}

// ---- Answers ------------------------------------------------------------------------------------

static bool is_open(const struct answer *answer) {
  return !answer->error && answer->verdict == LATHE_SUPPORT_YES;
}

__attribute__((format(printf, 3, 4))) static void refuse(struct answer *answer, uint32_t reason,
                                                         const char *format, ...) {
  answer->verdict = LATHE_SUPPORT_NO;
  answer->reason = reason;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(answer->text, sizeof answer->text, format, arguments);
  va_end(arguments);
}

// What no verified program holds is not refused: the question makes no sense.
static void require(struct answer *answer, bool holds, const lathe_op *op, const char *rule) {
  if (is_open(answer) && !holds)
    answer->error = fail(LATHE_ERROR_INVALID_ARGUMENT, "null: %.*s at '%.*s' %s", SHOWN(op->name),
                         SHOWN(op->location), rule);
}

// ---- Looking at ops -----------------------------------------------------------------------------

static const lathe_value *find_operand(const lathe_op *op, const char *name) {
  for (size_t i = 0; name && i < op->operand_count; ++i) {
    TAKE(lathe_operand, operand, op->operands[i]);
    if (text_is(operand.name, name))
      return operand.value;
  }
  return NULL;
}

static double find_real(const lathe_op *op, const char *name) {
  for (size_t i = 0; i < op->attribute_count; ++i) {
    TAKE(lathe_attribute, attribute, op->attributes[i]);
    if (attribute.kind == LATHE_ATTRIBUTE_REAL && text_is(attribute.name, name))
      return attribute.real;
  }
  return 0;
}

bool read_shape(const lathe_type *theirs, struct shape *shape) {
  TAKE(lathe_type, type, theirs);
  if (type.kind != LATHE_TYPE_TENSOR || type.rank < 1 || type.rank > 2)
    return false;
  const int64_t first = type.shape[0], last = type.shape[type.rank - 1];
  const uint64_t factor = type.row_factor == 0 ? 1 : type.row_factor; // 0: an older host has none
  if (first == LATHE_EXTENT_ROWS || first == LATHE_EXTENT_OUTPUT_ROWS)
    *shape = (struct shape){first == LATHE_EXTENT_ROWS ? EXTENT_ROWS : EXTENT_OUTPUT_ROWS, factor,
                            type.rank == 2 ? last : 1};
  else
    *shape = (struct shape){EXTENT_CONSTANT, type.rank == 2 ? first : 1, last};
  return shape_is_sound(shape);
}

// The shape of a value, or a refusal that says what about its type is not taken.
static struct shape look(struct answer *answer, const char *name, const lathe_value *theirs,
                         bool may_be_half) {
  TAKE(lathe_value, value, theirs);
  TAKE(lathe_type, type, value.type);
  struct shape shape = {0};
  const bool fits = read_shape(value.type, &shape);
  const bool is_half = type.element == LATHE_ELEMENT_F16 || type.element == LATHE_ELEMENT_BF16;
  if (type.kind != LATHE_TYPE_TENSOR)
    refuse(answer, LATHE_REASON_UNSUPPORTED_TYPE, "%s is %s; null takes tensors of floats", name,
           type.kind == LATHE_TYPE_QUANTIZED ? "quantised" : "a cache");
  else if (type.element != LATHE_ELEMENT_F32 && !(may_be_half && is_half))
    refuse(answer, LATHE_REASON_UNSUPPORTED_TYPE, "%s is %s; null takes %s", name,
           element_name(type.element), may_be_half ? "f32, f16 and bf16" : "f32");
  else if (type.rank < 1 || type.rank > 2)
    refuse(answer, LATHE_REASON_SHAPE_LIMIT, "%s has %zu dimensions; null takes 1 or 2", name,
           type.rank);
  else if (!fits)
    refuse(answer, LATHE_REASON_SHAPE_LIMIT, "%s has an extent that is not in 1 to %d", name,
           (int)MAX_EXTENT);
  return shape;
}

// ---- Judging ------------------------------------------------------------------------------------

// The time of what is read and written, or of what is computed, whichever is longer. A weight costs
// nothing in a run.
static double seconds_of(const struct instruction *instruction, uint64_t rows) {
  const struct place *places = instruction->places;
  // A norm's root and double precision cost as much as sixteen additions for each number.
  const double per_number[RUN_KINDS] = {0, 2.0 * places[1].shape.columns, 16, 1, 0};
  double bytes = 0;
  for (int i = 0; i < PLACES && instruction->kind != RUN_NOTHING; ++i)
    bytes += (double)shape_bytes(&places[i].shape, rows, rows);
  double numbers = (double)shape_bytes(&places[0].shape, rows, rows) / sizeof(float);
  double flops = numbers * per_number[instruction->kind];
  return fmax(bytes / BYTES_PER_SECOND, flops / FLOPS_PER_SECOND);
}

// Whether what is read of the checkpoint has the type of the result: packing converts nothing else.
static bool has_constant(const lathe_op *op, const lathe_value *result) {
  if (!op->constant)
    return false;
  TAKE(lathe_constant, constant, op->constant);
  TAKE(lathe_value, value, result);
  TAKE(lathe_type, type, value.type);
  TAKE(lathe_type, stored, constant.type);
  struct shape shape, stored_shape;
  return stored.kind == type.kind && stored.element == type.element &&
         read_shape(value.type, &shape) && read_shape(constant.type, &stored_shape) &&
         same_shape(&shape, &stored_shape) && shape.extent == EXTENT_CONSTANT;
}

static void judge_by_row(struct answer *answer, const struct op *row, const lathe_op *op) {
  struct instruction *instruction = &answer->instruction;
  instruction->kind = row->kind;
  instruction->epsilon = find_real(op, "epsilon");
  for (int i = 0; i < PLACES && is_open(answer); ++i) {
    const char *name = i == 0 ? "result" : row->operands[i - 1];
    const lathe_value *value = i == 0 ? answer->result : find_operand(op, name);
    require(answer, value || !name || i == 3, op, "lacks an operand");
    if (!value)
      continue;
    instruction->places[i].kind = PLACE_SCRATCH; // it is there; compile.c knows better where
    instruction->places[i].shape = look(answer, name, value, row->halves >> i & 1);
    if (i > 0)
      answer->operands[i - 1] = value;
  }
  if (row->kind == RUN_NOTHING)
    require(answer, has_constant(op, answer->result), op, "has another type than its constant");
  else
    require(answer, !is_open(answer) || instruction_fits(instruction), op,
            "breaks the rules of its operands' shapes or of epsilon");
}

struct answer judge(const lathe_op *theirs, int64_t rows) {
  struct answer answer = {.verdict = LATHE_SUPPORT_YES};
  TAKE(lathe_op, op, theirs);
  const struct op *row = ops, *end = ops + sizeof ops / sizeof *ops;
  while (row < end && !text_is(op.name, row->name))
    ++row;
  if (row == end)
    refuse(&answer, LATHE_REASON_UNSUPPORTED_OP, "null has no %.*s", SHOWN(op.name));
  else if (op.version > KNOWN_VERSION)
    refuse(&answer, LATHE_REASON_UNSUPPORTED_OP, "%s is of version %u; null knows %d", row->name,
           op.version, KNOWN_VERSION);
  require(&answer, op.result_count == 1, &op, "has not one result");
  if (!is_open(&answer))
    return answer;
  TAKE(lathe_operand, result, op.results[0]);
  answer.result = result.value;
  judge_by_row(&answer, row, &op);
  if (is_open(&answer))
    answer.seconds = seconds_of(&answer.instruction, rows < 1 ? 1 : rows);
  return answer;
}
