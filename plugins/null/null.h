// The parts of the plugin, to each other.
#ifndef NULL_NULL_H
#define NULL_NULL_H

#include "border.h"
#include "code.h"

// What code of this plugin carries and what its device takes.
#define COMPATIBILITY "arch=null;version=1"

extern const lathe_device_api device_api;   // device.c
extern const lathe_compile_api compile_api; // compile.c

// ---- support.c: what of a model is taken

struct answer {
  lathe_error *error; // the question makes no sense; for who asked to release
  uint32_t verdict, reason;
  double seconds;
  char text[160];
  // Of a yes, what compile.c makes of the op: its result, its operands (NULL where left out) and an
  // instruction with their shapes, of RUN_NOTHING where it is a weight.
  const lathe_value *result, *operands[PLACES - 1];
  struct instruction instruction;
};

// Judges one op, its costs for `rows` new tokens.
struct answer judge(const lathe_op *op, int64_t rows);
// False where it is no tensor of one or two dimensions in bounds. The element is not looked at.
bool read_shape(const lathe_type *type, struct shape *shape);

// ---- kernels.c: what an instruction does

struct matrix {
  float *data; // NULL where the instruction has no such operand
  uint64_t rows, columns;
};

void run_instruction(const struct instruction *instruction, const struct matrix matrices[PLACES]);
// `count` numbers of f32, f16 or bf16 as f32.
void widen(float *to, const void *from, uint32_t element, size_t count);

#endif
