// The parts of the plugin, to each other.
#ifndef NULL_NULL_H
#define NULL_NULL_H

#include <stdbool.h>

#include "border.h"

// What code of this plugin carries and what its device takes.
#define COMPATIBILITY "arch=null;version=2"

extern const lathe_device_api device_api;   // device.c
extern const lathe_compile_api compile_api; // compile.c

// ---- code.c: the bytes that the compile half makes and the device half runs
// ----------------------- A struct code in the byte order of the machine. Bytes come out of files
// and are hostile until code_check has looked at them.

// Rows of a run, rows of a shape and columns are at most 2^20, so that a matrix has at most 2^62
// bytes and no product in this plugin overflows.
#define MAX_EXTENT (UINT64_C(1) << 20)
#define MAX_BYTES (UINT64_C(1) << 62)

enum { EXTENT_CONSTANT, EXTENT_ROWS, EXTENT_OUTPUT_ROWS, EXTENT_COUNT };

// Of a row-major matrix; a vector is a matrix of one row.
struct shape {
  uint64_t extent; // EXTENT_*: what `rows` is multiplied by in a run
  uint64_t rows, columns;
  uint64_t bytes; // of a number: 4 of f32, 2 of bf16
};

enum { PLACE_NONE, PLACE_INPUT, PLACE_RESULT, PLACE_SCRATCH, PLACE_WEIGHT, PLACE_KINDS };

// Where a value stands while an entry runs.
struct place {
  uint64_t kind;  // PLACE_*
  uint64_t index; // of the input, result or weight; of scratch: bytes from its begin
  struct shape shape;
};

enum { RUN_ENTRY, RUN_LINEAR, RUN_RMS_NORM, RUN_ADD, RUN_COPY, RUN_KINDS };

enum { PLACES = 4 };

struct entry {
  char name[64]; // its rest is zero
  uint64_t max_rows, input_count, result_count;
};

struct instruction {
  uint64_t kind; // RUN_*
  double epsilon;
  union {
    struct entry entry;          // of RUN_ENTRY: what follows, up to the next one
    struct place places[PLACES]; // the result, then the operands; PLACE_NONE where there is none
  };
};

struct code {
  uint64_t magic, weight_count, instruction_count;
  struct instruction instructions[];
};

#define MAGIC UINT64_C(0x32306c6c756e0a89) // also says the byte order
#define CODE_SIZE(instructions) (sizeof(struct code) + (instructions) * sizeof(struct instruction))

// What is wrong with the bytes, or NULL. They are aligned to 8.
const char *code_check(const struct code *code, uint64_t size);

uint64_t shape_rows(const struct shape *shape, uint64_t rows, uint64_t output_rows);
uint64_t shape_bytes(const struct shape *shape, uint64_t rows, uint64_t output_rows);
bool shape_is_sound(const struct shape *shape);
// Whether it has its operands, with shapes that fit each other as the formula of its op wants.
bool instruction_fits(const struct instruction *instruction);

// ---- support.c: what of a model is taken
// ----------------------------------------------------------

struct answer {
  uint32_t reason;                   // LATHE_REASON_*: of a no, otherwise NONE
  char text[128];                    // of a no
  double seconds;                    // of a yes, as all below
  const lathe_value *values[PLACES]; // the result, then the operands; NULL where left out
  struct instruction instruction;    // with their shapes; where they stand compile.c knows
};

// Judges one op, its costs for `rows` new tokens.
struct answer judge(const lathe_op *op, int64_t rows);
// Its numbers have 0 bytes where it is no vector or matrix of floats that kernels read. Bounds are
// not looked at.
struct shape shape_of(const lathe_type *type);

// ---- kernels.c: what an instruction does
// ----------------------------------------------------------

struct matrix {
  void *data; // NULL where the instruction has no such operand
  uint64_t rows, columns, bytes;
};

void run_instruction(const struct instruction *instruction, const struct matrix matrices[PLACES]);

#endif
