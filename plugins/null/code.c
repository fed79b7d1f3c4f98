#include "code.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC UINT64_C(0x31306c6c756e0a89) // also says the byte order

// FNV-1a over what stands behind the checksum: finds damage, not malice.
static uint64_t checksum(const char *bytes, uint64_t size) {
  uint64_t sum = UINT64_C(0xcbf29ce484222325);
  for (uint64_t i = 2 * sizeof(uint64_t); i < size; ++i)
    sum = (sum ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
  return sum;
}

void *code_write(const struct code *code, size_t *size) {
  struct header header = code->header;
  const size_t entries = header.entry_count * sizeof(struct entry);
  const size_t instructions = header.instruction_count * sizeof(struct instruction);
  *size = sizeof header + entries + instructions;
  char *bytes = malloc(*size);
  if (!bytes)
    return NULL;
  memcpy(bytes, &header, sizeof header);
  memcpy(bytes + sizeof header, code->entries, entries);
  memcpy(bytes + sizeof header + entries, code->instructions, instructions);
  header.magic = MAGIC;
  header.checksum = checksum(bytes, *size);
  memcpy(bytes, &header, sizeof header);
  return bytes;
}

// ---- Shapes -------------------------------------------------------------------------------------

uint64_t shape_rows(const struct shape *shape, uint64_t rows, uint64_t output_rows) {
  switch (shape->extent) {
  case EXTENT_ROWS: return shape->rows * rows;
  case EXTENT_OUTPUT_ROWS: return shape->rows * output_rows;
  default: return shape->rows;
  }
}

uint64_t shape_bytes(const struct shape *shape, uint64_t rows, uint64_t output_rows) {
  return shape_rows(shape, rows, output_rows) * shape->columns * sizeof(float);
}

// Of 1 to MAX_EXTENT: 0 wraps around.
static bool is_extent(uint64_t extent) { return extent - 1 < MAX_EXTENT; }

bool shape_is_sound(const struct shape *shape) {
  return shape->extent < EXTENT_COUNT && is_extent(shape->rows) && is_extent(shape->columns);
}

bool same_shape(const struct shape *a, const struct shape *b) {
  return a->extent == b->extent && a->rows == b->rows && a->columns == b->columns;
}

static bool is_vector(const struct shape *shape, uint64_t length) {
  return shape->extent == EXTENT_CONSTANT && shape->rows == 1 && shape->columns == length;
}

bool instruction_fits(const struct instruction *instruction) {
  const struct place *places = instruction->places;
  const struct shape *result = &places[0].shape, *a = &places[1].shape, *b = &places[2].shape;
  const bool has_third = places[3].kind != PLACE_NONE;
  switch (instruction->kind) {
  case RUN_LINEAR: // x, weight, bias
    return result->extent == a->extent && result->rows == a->rows && b->extent == EXTENT_CONSTANT &&
           a->columns == b->columns && result->columns == b->rows &&
           (!has_third || is_vector(&places[3].shape, b->rows));
  case RUN_RMS_NORM: // input, scale
    return same_shape(result, a) && is_vector(b, b->columns) && a->columns % b->columns == 0 &&
           isfinite(instruction->epsilon) && instruction->epsilon > 0 && !has_third;
  case RUN_ADD: return same_shape(result, a) && same_shape(result, b) && !has_third;
  case RUN_COPY: return same_shape(result, a) && places[2].kind == PLACE_NONE && !has_third;
  default: return false;
  }
}

// ---- Checks of hostile bytes --------------------------------------------------------------------

// Whether a place ends inside of what is bound to it is asked in each run: sizes are known there.
static bool is_place(const struct code *code, const struct entry *entry,
                     const struct place *place) {
  switch (place->kind) {
  case PLACE_NONE: return true;
  case PLACE_INPUT: return place->index < entry->input_count && shape_is_sound(&place->shape);
  case PLACE_RESULT: return place->index < entry->result_count && shape_is_sound(&place->shape);
  case PLACE_SCRATCH: return shape_is_sound(&place->shape);
  case PLACE_WEIGHT:
    return place->index < code->header.weight_count && shape_is_sound(&place->shape);
  default: return false;
  }
}

static bool is_instruction(const struct code *code, const struct entry *entry,
                           const struct instruction *instruction) {
  const struct place *places = instruction->places;
  bool is_sound = (places[0].kind == PLACE_RESULT || places[0].kind == PLACE_SCRATCH) &&
                  places[1].kind != PLACE_NONE &&
                  (places[2].kind != PLACE_NONE || instruction->kind == RUN_COPY);
  for (int i = 0; is_sound && i < PLACES; ++i)
    is_sound = is_place(code, entry, &places[i]);
  return is_sound && instruction_fits(instruction);
}

static bool is_entry(const struct code *code, const struct entry *entry) {
  const uint64_t all = code->header.instruction_count, first = entry->first_instruction;
  bool is_sound = entry->name[sizeof entry->name - 1] == 0 && is_extent(entry->max_rows) &&
                  entry->input_count <= UINT16_MAX && entry->result_count <= UINT16_MAX &&
                  first <= all && entry->instruction_count <= all - first;
  for (uint64_t i = 0; is_sound && i < entry->instruction_count; ++i)
    is_sound = is_instruction(code, entry, &code->instructions[first + i]);
  return is_sound;
}

const char *code_read(const void *bytes, uint64_t size, struct code *code) {
  const struct header *header = &code->header;
  if (size < sizeof *header)
    return "shorter than its header";
  memcpy(&code->header, bytes, sizeof *header);
  if (header->magic != MAGIC)
    return "not made by this plugin, or for another byte order";
  const uint64_t left = size - sizeof *header;
  if (header->entry_count > left / sizeof(struct entry) ||
      header->instruction_count > left / sizeof(struct instruction) ||
      header->entry_count * sizeof(struct entry) +
              header->instruction_count * sizeof(struct instruction) !=
          left)
    return "not as long as its header says";
  if (header->checksum != checksum(bytes, size))
    return "damaged";
  code->entries = (const struct entry *)((const char *)bytes + sizeof *header);
  code->instructions = (const struct instruction *)(code->entries + header->entry_count);
  for (uint64_t i = 0; i < header->entry_count; ++i)
    if (!is_entry(code, &code->entries[i]))
      return "an entry or an instruction makes no sense";
  return NULL;
}
