// The bytes that the compile half makes and the device half runs: a header, entries, instructions,
// as the structs below in the byte order of the machine. Both halves use this file, so that the
// format is known in one place. Bytes come out of files and are hostile until code_read has looked
// at them.
#ifndef NULL_CODE_H
#define NULL_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Rows of a run, rows of a shape and columns are at most 2^20, so that a matrix has at most 2^62
// bytes and no product in this plugin overflows.
#define MAX_EXTENT (UINT64_C(1) << 20)
#define MAX_BYTES (UINT64_C(1) << 62)

enum { EXTENT_CONSTANT = 0, EXTENT_ROWS = 1, EXTENT_OUTPUT_ROWS = 2, EXTENT_COUNT = 3 };

// Of a row-major matrix of f32; a vector is a matrix of one row.
struct shape {
  uint64_t extent; // EXTENT_*: what `rows` is multiplied by in a run
  uint64_t rows, columns;
};

enum { PLACE_NONE, PLACE_INPUT, PLACE_RESULT, PLACE_SCRATCH, PLACE_WEIGHT };

// Where a value stands while an entry runs.
struct place {
  uint64_t kind;  // PLACE_*
  uint64_t index; // of the input, result or weight; of scratch: bytes from its begin
  struct shape shape;
};

enum { RUN_NOTHING, RUN_LINEAR, RUN_RMS_NORM, RUN_ADD, RUN_COPY, RUN_KINDS };

enum { PLACES = 4 };

struct instruction {
  uint64_t kind; // RUN_*; in code never RUN_NOTHING
  double epsilon;
  struct place places[PLACES]; // the result, then the operands; PLACE_NONE where there is none
};

struct entry {
  char name[64]; // its rest is zero
  uint64_t max_rows, input_count, result_count;
  uint64_t first_instruction, instruction_count;
};

struct header {
  uint64_t magic, checksum; // of all that follows these two
  uint64_t weight_count, entry_count, instruction_count;
};

struct code {
  struct header header;
  const struct entry *entries;
  const struct instruction *instructions;
};

// All of it in one block, which the caller frees; NULL: no memory. Fills in magic and checksum.
void *code_write(const struct code *code, size_t *size);
// What is wrong with the bytes, or NULL. Then `code` points into them; they are aligned to 8.
const char *code_read(const void *bytes, uint64_t size, struct code *code);

uint64_t shape_rows(const struct shape *shape, uint64_t rows, uint64_t output_rows);
uint64_t shape_bytes(const struct shape *shape, uint64_t rows, uint64_t output_rows);
bool shape_is_sound(const struct shape *shape);
bool same_shape(const struct shape *a, const struct shape *b);
// Whether the shapes of its places fit each other, as the formula of its op wants.
bool instruction_fits(const struct instruction *instruction);

#endif
