// What code must look like: shapes that fit each other, and nothing that the device must not believe.
#include "null.h"

#include <math.h>

// ---- Shapes -------------------------------------------------------------------------------------

uint64_t shape_rows(const struct shape *shape, uint64_t rows, uint64_t output_rows) {
  const uint64_t factors[EXTENT_COUNT] = {1, rows, output_rows};
  return shape->rows * factors[shape->extent];
}

uint64_t shape_bytes(const struct shape *shape, uint64_t rows, uint64_t output_rows) {
  return shape_rows(shape, rows, output_rows) * shape->columns * shape->bytes;
}

// Of 1 to MAX_EXTENT: 0 wraps around.
static bool is_extent(uint64_t extent) { return extent - 1 < MAX_EXTENT; }

bool shape_is_sound(const struct shape *shape) {
  return shape->extent < EXTENT_COUNT && is_extent(shape->rows) && is_extent(shape->columns) &&
         (shape->bytes == 2 || shape->bytes == 4);
}

static bool same_shape(const struct shape *a, const struct shape *b) {
  return a->extent == b->extent && a->rows == b->rows && a->columns == b->columns &&
         a->bytes == b->bytes;
}

static bool is_vector(const struct shape *shape, uint64_t length) {
  return shape->extent == EXTENT_CONSTANT && shape->rows == 1 && shape->columns == length;
}

bool instruction_fits(const struct instruction *instruction) {
  const struct place *places = instruction->places;
  const struct shape *result = &places[0].shape, *a = &places[1].shape, *b = &places[2].shape;
  int count = 0; // of places, which are the first ones
  while (count < PLACES && places[count].kind != PLACE_NONE)
    ++count;
  if (instruction->kind == RUN_COPY)
    return count == 2 && same_shape(result, a);
  if (count < 3 || result->bytes != 4 || a->bytes != 4) // the kernels' floats
    return false;
  switch (instruction->kind) {
  case RUN_LINEAR: // x, weight, bias
    return result->extent == a->extent && result->rows == a->rows && b->extent == EXTENT_CONSTANT &&
           a->columns == b->columns && result->columns == b->rows &&
           (count == 3 || is_vector(&places[3].shape, b->rows));
  case RUN_RMS_NORM: // input, scale
    return same_shape(result, a) && is_vector(b, b->columns) && a->columns % b->columns == 0 &&
           isfinite(instruction->epsilon) && instruction->epsilon > 0;
  case RUN_ADD: return same_shape(result, a) && same_shape(result, b);
  default: return false;
  }
}

// ---- Checks of hostile bytes --------------------------------------------------------------------

// Whether a place ends inside of what is bound to it is asked in each run: sizes are known there.
static bool is_place(const struct code *code, const struct entry *entry,
                     const struct place *place) {
  const uint64_t counts[PLACE_KINDS] = {0, entry->input_count, entry->result_count, UINT64_MAX,
                                        code->weight_count};
  return place->kind == PLACE_NONE ||
         (place->kind < PLACE_KINDS && place->index < counts[place->kind] &&
          shape_is_sound(&place->shape));
}

static bool is_instruction(const struct code *code, const struct entry *entry,
                           const struct instruction *instruction) {
  const struct place *places = instruction->places;
  bool is_sound = places[0].kind == PLACE_RESULT || places[0].kind == PLACE_SCRATCH;
  for (int i = 0; is_sound && i < PLACES; ++i)
    is_sound = is_place(code, entry, &places[i]);
  return is_sound && instruction_fits(instruction);
}

static bool is_entry(const struct entry *entry) {
  return entry->name[sizeof entry->name - 1] == 0 && is_extent(entry->max_rows) &&
         entry->input_count <= UINT16_MAX && entry->result_count <= UINT16_MAX;
}

const char *code_check(const struct code *code, uint64_t size) {
  if (size < sizeof *code)
    return "shorter than its header";
  if (code->magic != MAGIC)
    return "not made by this plugin, or for another byte order";
  const uint64_t most = (size - sizeof *code) / sizeof *code->instructions;
  if (code->instruction_count != most || CODE_SIZE(most) != size)
    return "not as long as its header says";
  const struct entry *entry = NULL;
  for (uint64_t i = 0; i < code->instruction_count; ++i) {
    const struct instruction *next = &code->instructions[i];
    if (next->kind == RUN_ENTRY)
      entry = &next->entry;
    if (!entry || !(next->kind == RUN_ENTRY ? is_entry(entry) : is_instruction(code, entry, next)))
      return "an entry or an instruction makes no sense";
  }
  return NULL;
}
