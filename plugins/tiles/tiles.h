// A code generator that is handed kernels over tiles and knows no op of a model. What it generates
// is a table of instructions, one for each op on tiles, which a device that is the host's memory
// walks at each point of a grid. A chip has instructions of its own in place of the table. (you)
#ifndef LATHE_TILES_H
#define LATHE_TILES_H

#include <lathe/plugin.h>

#define TEXT(literal)                                                                              \
  { literal, sizeof(literal) - 1 }
#define COMPATIBILITY "arch=tiles;version=1"

// An error whose message is `what`, which stays. See the template for what an error is.
lathe_error *fail(uint32_t code, const char *what);
int text_is(lathe_string text, const char *expected);

// ---- The code: a header and its four arrays, one behind the other -------------------------------

#define MAGIC "tiles\0\0" // and the 0 behind it
enum {
  LIMIT = 1 << 20, // of counts and extents: products of three of them fit 64 bits
  MOST_INSTRUCTIONS = 64
};

// Where a tensor of f32 stands: an input or result of the entry, scratch memory, a packed weight.
enum { IN_BINDING, IN_SCRATCH, IN_WEIGHTS };
// How many rows it has: so many, or so many for each row, or output row, of a run.
enum { ROWS_CONSTANT, ROWS_OF_RUN, ROWS_OF_OUTPUT };

struct tensor {
  uint32_t place, index; // of the binding or weight
  uint64_t offset;       // bytes into scratch
  uint32_t rows_are, rows, columns, reserved;
};

enum {       // what makes a tile
  DO_LOAD,   // from row and column of the point on
  DO_STRIP,  // from row of the point and a column on
  DO_ROW,    // of a vector, from the point's column on
  DO_WHOLE,  // of a vector
  DO_WEIGHT, // rows from the point's column on
  DO_MATMUL,
  DO_ADD,
  DO_MUL,
  DO_SCALE,
  DO_SUM,
  DO_RSQRT,
  DO_SILU,
  DO_COUNT
};

struct instruction {
  uint32_t what;
  uint32_t a, b;          // loads: a is an operand of the launch; others: instructions before it
  uint32_t rows, columns; // of the tile that it makes
  uint32_t offset;        // loads: column
  float factor, summand;
};

struct launch {
  uint32_t first_operand, operand_count, first_instruction, instruction_count;
  uint32_t tile_rows, tile_columns, made, reserved; // `made`: the instruction that makes the tile
  struct tensor result;
};

struct entry {
  char name[48];
  uint64_t max_rows, scratch_bytes; // the kernel's tiles stand in scratch from 0 on
  uint32_t binding_count, first_launch, launch_count, reserved;
};

struct header {
  char magic[8];
  uint32_t entry_count, launch_count, operand_count, instruction_count;
  uint32_t weight_count, reserved;
};

struct code {
  struct header header;
  struct entry *entries;
  struct launch *launches;
  struct tensor *operands;
  struct instruction *instructions;
};

uint64_t code_size(const struct header *header);
// Points the arrays into `block`, which begins with the header.
void code_view(struct code *code, void *block);
// NULL, or what is wrong: after it nothing in the code has to be checked but sizes of bindings.
const char *code_check(const void *block, uint64_t size, struct code *code);
// Floats that the tiles of a launch take.
uint64_t tile_floats(const struct code *code, const struct launch *launch);

extern const lathe_compile_api compiler;
extern const lathe_device_api devices;

#endif
