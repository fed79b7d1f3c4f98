// What each instruction does: loops that the compiler may make fast, and nothing cleverer. Work is
// cut by shapes alone and each sum has a fixed order, so that results do not depend on threads.
#include <math.h>
#include <string.h>

#include "null.h"

struct work {
  struct matrix result, a, b, c;
  double epsilon;
};

// A number of a weight.
static float number_at(const struct matrix *matrix, uint64_t index) {
  if (matrix->bytes == sizeof(float))
    return ((const float *)matrix->data)[index];
  const uint32_t bits = (uint32_t)((const uint16_t *)matrix->data)[index] << 16; // bf16
  float number;
  memcpy(&number, &bits, sizeof number);
  return number;
}

// Eight sums side by side, so that one addition need not wait for the one before.
static float dot(const float *x, const struct matrix *weight, uint64_t begin, uint64_t count) {
  float lanes[8] = {0}, sum = 0;
  uint64_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (uint64_t lane = 0; lane < 8; ++lane)
      lanes[lane] += x[i + lane] * number_at(weight, begin + i + lane);
  for (; i < count; ++i)
    sum += x[i] * number_at(weight, begin + i);
  for (uint64_t lane = 0; lane < 8; ++lane)
    sum += lanes[lane];
  return sum;
}

// An item is a row of the weight, which is read once for all rows of x.
static void linear(void *context, int64_t begin, int64_t end) {
  const struct work *work = context;
  const uint64_t size = work->a.columns;
  const float *x = work->a.data;
  float *result = work->result.data;
  for (int64_t n = begin; n < end; ++n)
    for (uint64_t t = 0; t < work->a.rows; ++t) {
      const float sum = dot(x + t * size, &work->b, n * size, size);
      result[t * work->result.columns + n] = work->c.data ? sum + number_at(&work->c, n) : sum;
    }
}

// An item is a group of columns, as long as the scale.
static void rms_norm(void *context, int64_t begin, int64_t end) {
  const struct work *work = context;
  const uint64_t size = work->b.columns;
  for (int64_t group = begin; group < end; ++group) {
    const float *x = (const float *)work->a.data + group * size;
    float *result = (float *)work->result.data + group * size;
    double squares = 0;
    for (uint64_t j = 0; j < size; ++j)
      squares += (double)x[j] * x[j];
    const double factor = 1 / sqrt(squares / size + work->epsilon);
    for (uint64_t j = 0; j < size; ++j)
      result[j] = (float)(x[j] * factor * number_at(&work->b, j));
  }
}

// An item is a row.
static void add(void *context, int64_t begin, int64_t end) {
  const struct work *work = context;
  const float *a = work->a.data, *b = work->b.data;
  float *result = work->result.data;
  const uint64_t columns = work->result.columns;
  for (uint64_t i = begin * columns; i < end * columns; ++i)
    result[i] = a[i] + b[i];
}

static void copy(void *context, int64_t begin, int64_t end) {
  const struct work *work = context;
  const uint64_t row = work->result.columns * work->result.bytes;
  memmove((char *)work->result.data + begin * row, (const char *)work->a.data + begin * row,
          (end - begin) * row);
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
