// The bytes that the compile half makes and the device half runs: a header, entries, instructions,
// as the structs below in the byte order of the machine. Both halves use this file, so that the
// format is known in one place. Bytes come out of files and are hostile until readCode has looked
// at them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace onednn {

// Rows of a run, rows of a shape, columns and strides are at most 2^20, so that no matrix has more
// than 2^62 bytes and no product of extents overflows.
inline constexpr uint64_t kMaxExtent = uint64_t{1} << 20;
inline constexpr uint64_t kMaxBytes = uint64_t{1} << 62;

enum Extent : uint64_t { extent_constant, extent_rows, extent_output_rows, extent_count };

struct Shape {
  uint64_t extent = extent_constant; // what `rows` is multiplied by in a run
  uint64_t rows = 0, columns = 0;

  bool operator==(const Shape &) const = default;
};

// In memory. Rows that the model has as bf16 are f32 here, rounded: see README.md.
enum Element : uint64_t { element_f32, element_bf16, element_i32, element_count };

enum PlaceKind : uint64_t {
  place_none,
  place_input,
  place_result,
  place_scratch,
  place_weight,
  place_kinds
};

// Where a matrix stands while an entry runs; a vector is a matrix of one row.
struct Place {
  uint64_t kind = place_none;
  uint64_t index = 0;  // of the input, result or weight
  uint64_t offset = 0; // bytes from its begin, or from the begin of scratch memory
  uint64_t stride = 0; // elements from a row to the next
  uint64_t element = element_f32;
  Shape shape;
};

enum InstructionKind : uint64_t {
  run_linear,       // result, x, weight, bias or none
  run_rms_norm,     // result, input, scale
  run_add,          // result, lhs, rhs
  run_scale,        // result, input
  run_swiglu,       // result, gate, up
  run_copy,         // result, input: rounded to `rounding`
  run_attention,    // result, query, key, value or none, slots, positions
  run_absorb_query, // result, input, kv_b
  run_expand_value, // result, input, kv_b
  run_kinds
};

inline constexpr size_t kPlaces = 6;

// A cache of run_attention in the memory of the state, f32: [slots, kv_heads, max_context,
// key_dim], then the same of value_dim. Of latents the values are the first columns of the keys.
struct CacheShape {
  uint64_t offset = 0; // bytes
  uint64_t slots = 0, max_context = 0, kv_heads = 0, key_dim = 0, value_dim = 0;
  uint64_t is_latent = 0; // 1: there are no values of their own
  uint64_t rounding = 0;  // Rounding of what is written
};

enum Rounding : uint64_t { round_not, round_bf16, round_f16, rounding_count };

struct Heads {
  uint64_t count = 0;
  uint64_t window = 0;                // of attention: keys that a row sees; 0: all
  uint64_t nope = 0, rope = 0, v = 0; // columns a head of the two folds
};

struct Instruction {
  uint64_t kind = run_kinds;
  double real = 0; // epsilon, factor, softmax_scale
  uint64_t rounding = round_not;
  Heads heads;
  CacheShape cache;
  Place places[kPlaces]; // the result, then the operands
};

struct Entry {
  char name[64] = {}; // its rest is zero
  uint64_t max_rows = 0, input_count = 0, result_count = 0;
  uint64_t first_instruction = 0, instruction_count = 0;
};

struct Code {
  uint64_t weight_count = 0;
  std::vector<Entry> entries;
  std::vector<Instruction> instructions;
};

std::vector<uint8_t> writeCode(const Code &code);
// Throws a Failure of INVALID_ARGUMENT that says what is wrong with the bytes.
Code readCode(const void *bytes, uint64_t size);

inline bool isThere(const Place &place) { return place.kind != place_none; }
uint64_t elementBytes(uint64_t element);
uint64_t rowsIn(const Shape &shape, uint64_t rows, uint64_t output_rows);
// From the begin of the first row to the end of the last one.
uint64_t bytesOf(const Place &place, uint64_t rows, uint64_t output_rows);
uint64_t cacheBytes(const CacheShape &cache);   // 0 where it is more than kMaxBytes
uint64_t valuesOffset(const CacheShape &cache); // bytes from the begin of the cache

bool isSound(const Shape &shape);
// Whether the shapes of its places fit each other, as the formula of its op wants: check.cpp.
bool fits(const Instruction &instruction);

} // namespace onednn
