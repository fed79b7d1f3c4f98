// Looking at programs, and what the compile half takes of them.
#include <string.h>

#include "program.h"

const lathe_attribute *attribute(const lathe_op *op, const char *name) {
  for (size_t i = 0; i < op->attribute_count; ++i)
    if (text_is(op->attributes[i]->name, name))
      return op->attributes[i];
  return NULL;
}

static int has(const lathe_op *op, const char *name) {
  const lathe_attribute *found = attribute(op, name);
  return found && found->integer != 0;
}

uint32_t what_of(const lathe_op *op) {
  static const struct {
    const char *name;
    uint32_t what;
  } known[] = {
      {"tile.load", DO_LOAD},     {"tile.load_row", DO_ROW}, {"tile.load_weight", DO_WEIGHT},
      {"tile.matmul", DO_MATMUL}, {"tile.add", DO_ADD},      {"tile.mul", DO_MUL},
      {"tile.scale", DO_SCALE},   {"tile.sum", DO_SUM},      {"tile.rsqrt", DO_RSQRT},
      {"tile.silu", DO_SILU}};
  for (size_t i = 0; i < sizeof known / sizeof *known; ++i)
    if (text_is(op->name, known[i].name)) {
      const uint32_t what = known[i].what;
      return what == DO_LOAD && has(op, "strip")  ? DO_STRIP
             : what == DO_ROW && has(op, "whole") ? DO_WHOLE
                                                  : what;
    }
  return DO_COUNT;
}

const lathe_function *kernel_of(const lathe_op *op) {
  return LATHE_HAS_FIELD(lathe_op, op, kernel) ? op->kernel : NULL;
}

const lathe_type *type_of(const lathe_operand *operand) { return operand->value->type; }

uint32_t rows_of(const lathe_type *type) {
  return type->rank < 2 ? 1 : type->shape[0] < 0 ? 0 : (uint32_t)type->shape[0];
}
uint32_t columns_of(const lathe_type *type) { return (uint32_t)type->shape[type->rank - 1]; }

// ---- What it takes ------------------------------------------------------------------------------

static lathe_error *answer(lathe_support_args *args, uint32_t reason, const char *text) {
  args->verdict = reason == LATHE_REASON_NONE ? LATHE_SUPPORT_YES : LATHE_SUPPORT_NO;
  args->reason = reason;
  args->text.size = strlen(text);
  if (args->text.data && args->text.capacity > 0)
    memcpy(args->text.data, text,
           args->text.size < args->text.capacity ? args->text.size : args->text.capacity);
  return NULL;
}

// Tensors and tiles of f32; weights may be bf16, too, and are f32 in memory.
static int is_taken(const lathe_type *type, int is_weight) {
  if (type->kind != LATHE_TYPE_TENSOR || type->rank < 1 || type->rank > 2 ||
      !(type->element == LATHE_ELEMENT_F32 || (is_weight && type->element == LATHE_ELEMENT_BF16)))
    return 0;
  for (size_t i = 0; i < type->rank; ++i)
    if (type->shape[i] > LIMIT)
      return 0;
  return type->row_factor <= LIMIT;
}

// What an op does at one point, in steps of a loop.
static double work_of(uint32_t what, const lathe_op *op) {
  const lathe_type *type = type_of(op->results[0]);
  const double tile = (double)rows_of(type) * columns_of(type);
  return what == DO_MATMUL ? tile * columns_of(type_of(op->operands[0])) : tile;
}

lathe_error *supports(lathe_support_args *args) {
  const lathe_op *op = args->op;
  args->seconds = 0;
  if (kernel_of(op)) {
    args->seconds = 1e-6; // what a launch costs beside its points (you)
    const int fits = kernel_of(op)->op_count <= MOST_INSTRUCTIONS;
    return answer(args, fits ? LATHE_REASON_NONE : LATHE_REASON_SHAPE_LIMIT,
                  fits ? "" : "a kernel has at most 64 ops");
  }
  const uint32_t what = what_of(op);
  if (what == DO_COUNT)
    return answer(args, LATHE_REASON_UNSUPPORTED_OP, "there is no instruction for it");
  const int is_weight = what == DO_ROW || what == DO_WHOLE || what == DO_WEIGHT;
  for (size_t i = 0; i < op->operand_count; ++i)
    if (!is_taken(type_of(op->operands[i]), is_weight || (what == DO_MATMUL && i == 1)))
      return answer(args, LATHE_REASON_UNSUPPORTED_TYPE, "tiles are f32, weights f32 or bf16");
  const int64_t points = LATHE_HAS_FIELD(lathe_support_args, args, points) ? args->points : 1;
  args->seconds = points * work_of(what, op) / 1e9; // decides whether ops come here (you)
  return answer(args, LATHE_REASON_NONE, "");
}
