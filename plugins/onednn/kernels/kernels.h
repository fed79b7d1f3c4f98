// What instructions do, over matrices that have been looked at: kernels check nothing.
#pragma once

#include <functional>

#include "code/code.h"
#include "kernels/library.h"

namespace onednn {

struct Matrix {
  void *data = nullptr; // NULL where the instruction has no such operand, or it has no rows
  uint64_t rows = 0, columns = 0, stride = 0;
  uint64_t element = element_f32;

  float *row(uint64_t index) const { return static_cast<float *>(data) + index * stride; }
  const int32_t *indices() const { return static_cast<const int32_t *>(data); }
  bool isDense() const { return stride == columns || rows == 1; }
};

// An instruction with its operands in memory.
struct Step {
  const Instruction *instruction = nullptr;
  Matrix matrices[kPlaces];
  float *cache = nullptr; // of run_attention
};

// run.cpp
void runStep(const Step &step, Library &library);
// "linear 1408x2048 bf16"
std::string labelOf(const Instruction &instruction);

// products.cpp
void linear(const Step &step, Library &library);
void absorbQuery(const Step &step, Library &library);
void expandValue(const Step &step, Library &library);

// attention.cpp
void attention(const Step &step, Library &library);

// rows.cpp
void rmsNorm(const Step &step, Library &library);
void add(const Step &step, Library &library);
void scale(const Step &step, Library &library);
void swiglu(const Step &step, Library &library);
void copy(const Step &step, Library &library);
// `count` numbers, each rounded.
void copyRounded(float *to, const float *from, uint64_t count, uint64_t rounding);

} // namespace onednn
