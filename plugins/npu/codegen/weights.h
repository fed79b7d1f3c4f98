// Weights as kernels want them: strips of rows, one after the other, each in fractals (zN) or in
// rows, converted to the cube's type. A strip is made from the checkpoint when it is asked for.
// With `scaled`, of f16, each row is multiplied by a power of two that brings its largest number
// into [2^14, 2^15), and behind a strip stands what undoes that, an f32 a row. A second part is
// what the first lacks of these numbers.
#pragma once

#include "codegen/op.h"
#include "isa/dtype.h"

namespace npu::codegen {

// Matrix m of the packed weight has the source's rows [first + m * step, + n) and k columns; or,
// transposed, its rows [first + m * step, + k), whose n columns are the matrix's rows.
struct Packing {
  DType type = DType::F32;
  bool fractals = false, transposed = false, scaled = false, second_part = false;
  uint64_t matrices = 1, n = 0, k = 0;
  uint64_t strip = 1; // rows of the matrix in a strip; the last one is filled up with zeros
  uint64_t k_padded = 0;
  uint64_t first = 0, step = 0;

  uint64_t strips() const { return (n + strip - 1) / strip; } // of a matrix
  uint64_t numbers_bytes() const { return bytesOf(type, strip * k_padded); }
  uint64_t strip_bytes() const { return numbers_bytes() + (scaled ? strip * 4 : 0); }
  uint64_t bytes() const { return matrices * strips() * strip_bytes(); }
  std::string layout() const;
};

// A weight's numbers, whatever it is stored as.
class Constant {
public:
  Constant(const lathe_program *program, const lathe_constant *constant, Type type)
      : program(program), constant(constant), type(std::move(type)) {}
  // Rows [begin, begin + count) of all matrices of it one below the other.
  Result<std::vector<float>> rows(uint64_t begin, uint64_t count) const;

private:
  Result<std::vector<float>> read(bool scales, uint64_t begin, uint64_t count) const;
  Status scale(std::vector<float> &values, uint64_t begin, uint64_t count) const;
  const lathe_program *program;
  const lathe_constant *constant;
  Type type;
};

// Bytes [offset, offset + size) of the packed weight.
Status pack(const Constant &source, const Packing &packing, uint64_t offset, uint64_t size,
            std::byte *to);

} // namespace npu::codegen
