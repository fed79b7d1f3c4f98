// What each instruction does: loops that the compiler may make fast, and nothing cleverer. Work is
// cut by shapes alone and each sum has a fixed order, so that results do not depend on threads.
#include <math.h>
#include <string.h>

#include "null.h"

struct work {
  struct matrix result, a, b, c;
  double epsilon;
};

// Eight sums side by side, so that one addition need not wait for the one before.
static float dot(const float *a, const float *b, uint64_t count) {
  float lanes[8] = {0}, sum = 0;
  uint64_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (uint64_t lane = 0; lane < 8; ++lane)
      lanes[lane] += a[i + lane] * b[i + lane];
  for (uint64_t lane = 0; lane < 8; ++lane)
    sum += lanes[lane];
  for (; i < count; ++i)
    sum += a[i] * b[i];
  return sum;
}

// An item is a row of the weight, which is read once for all rows of x.
static void linear(void *context, int64_t begin, int64_t end) {
  const struct work *work = context;
  const uint64_t size = work->a.columns;
  for (int64_t n = begin; n < end; ++n)
    for (uint64_t t = 0; t < work->a.rows; ++t) {
      float sum = dot(work->a.data + t * size, work->b.data + n * size, size);
      work->result.data[t * work->result.columns + n] = work->c.data ? sum + work->c.data[n] : sum;
    }
}

// An item is a group of columns, as long as the scale.
static void rms_norm(void *context, int64_t begin, int64_t end) {
  const struct work *work = context;
  const uint64_t size = work->b.columns;
  for (int64_t group = begin; group < end; ++group) {
    const float *x = work->a.data + group * size;
    float *result = work->result.data + group * size;
    double squares = 0;
    for (uint64_t j = 0; j < size; ++j)
      squares += (double)x[j] * x[j];
    const double factor = 1 / sqrt(squares / size + work->epsilon);
    for (uint64_t j = 0; j < size; ++j)
      result[j] = (float)(x[j] * factor * work->b.data[j]);
  }
}

// An item is a row.
static void add(void *context, int64_t begin, int64_t end) {
  const struct work *work = context;
  const uint64_t columns = work->result.columns;
  for (uint64_t i = begin * columns; i < end * columns; ++i)
    work->result.data[i] = work->a.data[i] + work->b.data[i];
}

static void copy(void *context, int64_t begin, int64_t end) {
  const struct work *work = context;
  const uint64_t columns = work->result.columns;
  memmove(work->result.data + begin * columns, work->a.data + begin * columns,
          (end - begin) * columns * sizeof(float));
}

void run_instruction(const struct instruction *instruction, const struct matrix matrices[PLACES]) {
  static const lathe_task tasks[RUN_KINDS] = {NULL, linear, rms_norm, add, copy};
  struct work work = {matrices[0], matrices[1], matrices[2], matrices[3], instruction->epsilon};
  int64_t items = work.result.rows;
  if (instruction->kind == RUN_LINEAR)
    items = work.b.rows;
  if (instruction->kind == RUN_RMS_NORM)
    items *= work.a.columns / work.b.columns;
  for_each_item(tasks[instruction->kind], &work, items);
}

// ---- Small floats -------------------------------------------------------------------------------

static float from_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static float from_f16(uint16_t code) {
  const uint32_t sign = (uint32_t)(code & 0x8000) << 16, exponent = code >> 10 & 31;
  const uint32_t fraction = code & 0x3ff;
  if (exponent == 31) // infinity or NaN: the same fields, wider
    return from_bits(sign | 0x7f800000 | fraction << 13);
  if (exponent == 0) // multiples of 2^-24
    return (sign ? -0x1p-24f : 0x1p-24f) * (float)fraction;
  return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

void widen(float *to, const void *from, uint32_t element, size_t count) {
  const uint16_t *halves = from;
  if (element == LATHE_ELEMENT_F32)
    memcpy(to, from, count * sizeof *to);
  else if (element == LATHE_ELEMENT_BF16)
    for (size_t i = 0; i < count; ++i)
      to[i] = from_bits((uint32_t)halves[i] << 16);
  else
    for (size_t i = 0; i < count; ++i)
      to[i] = from_f16(halves[i]);
}
