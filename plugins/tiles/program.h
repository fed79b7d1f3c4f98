// What the compile half asks of a program.
#ifndef LATHE_TILES_PROGRAM_H
#define LATHE_TILES_PROGRAM_H

#include "tiles.h"

// NULL where the op has none of that name.
const lathe_attribute *attribute(const lathe_op *op, const char *name);
// DO_*, or DO_COUNT of an op that has no instruction.
uint32_t what_of(const lathe_op *op);
// Since abi 1.1: NULL where the host is older, which never shows a launch.
const lathe_function *kernel_of(const lathe_op *op);
const lathe_type *type_of(const lathe_operand *operand);
// Extents of a matrix, or of a vector as one row. 0 where they are open.
uint32_t rows_of(const lathe_type *type);
uint32_t columns_of(const lathe_type *type);

lathe_error *supports(lathe_support_args *args);

#endif
