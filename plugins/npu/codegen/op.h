// An op of the host's program as code that lowers it wants to read it: types and attributes by
// name, copied into structs of our own age. What no verified program holds is an error of its own.
#pragma once

#include "plugin/border.h"
#include "plugin/code.h"

#include <optional>
#include <vector>

namespace npu::codegen {

// A tensor of rows or a weight. Ranks above 2 have their outer extents in `matrices`.
struct Type {
  uint32_t kind = 0, element = 0; // LATHE_TYPE_*, LATHE_ELEMENT_*
  size_t rank = 0;
  uint64_t matrices = 1;
  plugin::Count rows; // of rank 1: of one column where it has rows, else one row
  uint64_t cols = 0;
  uint64_t block_rows = 0, block_columns = 0; // quantised
  uint32_t scale_element = 0;
  uint64_t slots = 0, max_context = 0, kv_lora_rank = 0, rope_dim = 0, kv_heads = 0, key_dim = 0,
           value_dim = 0; // caches

  bool is_cache() const { return kind == LATHE_TYPE_LATENT_CACHE || kind == LATHE_TYPE_KV_CACHE; }
  bool is_tensor(uint32_t of) const { return kind == LATHE_TYPE_TENSOR && element == of; }
};

Result<Type> read_type(const lathe_type *theirs);
std::string_view element_name(uint32_t element);

// A value in its part.
struct Part {
  std::string name;
  const lathe_value *value = nullptr;
  uint32_t id = 0;
  Type type;
};
Result<Part> read_part(const lathe_operand *theirs);

class Op {
public:
  static Result<Op> read(const lathe_op *theirs);

  std::string name, location;
  uint32_t version = 1;
  const lathe_constant *constant = nullptr;
  std::vector<Part> operands, results;

  const Part *operand(std::string_view part) const; // nullptr where it is left out
  // Of nothing where it is left out, which no function that reads values takes.
  const Part &part(std::string_view part) const;
  std::vector<const Part *> all_operands(std::string_view part) const;
  int64_t integer(std::string_view attribute, int64_t otherwise = 0) const;
  double real(std::string_view attribute, double otherwise = 0) const;
  std::string_view word(std::string_view attribute) const;
  std::vector<float> reals(std::string_view attribute) const;

private:
  std::optional<lathe_attribute> find(std::string_view attribute) const;
  std::vector<lathe_attribute> attributes;
};

} // namespace npu::codegen
