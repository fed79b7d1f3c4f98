// Programs as the host shows them to a compile half, built by hand.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/abi/plugin.h"

namespace lathe::plugins {

// How old the host is whose structs a plugin sees: a newer one has bytes behind what we know, an
// older one is of abi 1.0. What lies past struct_size is garbage in both.
enum class Age { same, newer, older };

inline lathe_string textOf(const std::string &text) { return {text.data(), text.size()}; }

using Operands = std::vector<std::pair<std::string, const lathe_value *>>;

struct Attribute {
  std::string name;
  double real;
  std::optional<int64_t> integer = std::nullopt; // then it is one
};

class ProgramBuilder {
public:
  explicit ProgramBuilder(Age age = Age::same) : age_(age) {}
  ProgramBuilder(const ProgramBuilder &) = delete;
  ProgramBuilder &operator=(const ProgramBuilder &) = delete;

  // Types live as long as the builder.
  const lathe_type *tensor(std::vector<int64_t> shape, uint32_t element = LATHE_ELEMENT_F32,
                           int64_t row_factor = 1);
  const lathe_type *rows(int64_t columns, int64_t row_factor = 1) {
    return tensor({LATHE_EXTENT_ROWS, columns}, LATHE_ELEMENT_F32, row_factor);
  }
  const lathe_type *outputRows(int64_t columns) {
    return tensor({LATHE_EXTENT_OUTPUT_ROWS, columns});
  }
  const lathe_type *quantized(std::vector<int64_t> shape);
  const lathe_type *kvCache();
  // Any other one; struct_size is set here.
  const lathe_type *type(lathe_type type) { return make(type); }

  // What follows is added to the last function.
  void function(const std::string &name, int64_t max_rows);
  const lathe_value *input(const std::string &name, const lathe_type *type);
  const lathe_value *op(const std::string &name, const Operands &operands, const lathe_type *result,
                        const std::vector<Attribute> &attributes = {}, uint32_t version = 1);
  // Of several results, by their names.
  std::vector<const lathe_value *>
  op(const std::string &name, const Operands &operands,
     const std::vector<std::pair<std::string, const lathe_type *>> &results,
     const std::vector<Attribute> &attributes = {}, uint32_t version = 1);
  // Runs the first function of `kernel`, which must outlive the program, with tiles of that size.
  const lathe_value *launch(ProgramBuilder &kernel, int64_t tile_rows, int64_t tile_columns,
                            const Operands &operands, const lathe_type *result);
  // The op, and a constant of the program; `bytes` and `scales` as they would stand in a
  // checkpoint.
  const lathe_value *weight(const std::string &name, const lathe_type *type,
                            std::vector<uint8_t> bytes, std::vector<uint8_t> scales = {});
  // The same constant once more.
  const lathe_value *sameWeight(uint32_t constant);
  void result(const std::string &name, const lathe_value *value);

  // The last op that was added.
  const lathe_op *lastOp() const { return functions_.back().ops.back(); }
  // Valid until the builder changes.
  const lathe_program *program();

private:
  struct Function {
    std::string name;
    int64_t max_rows;
    std::vector<const lathe_operand *> inputs, results;
    std::vector<const lathe_op *> ops;
    uint32_t value_count = 0;
  };

  // A struct of the age, of which `known` bytes are there when it is old.
  template <typename Struct> Struct *make(Struct value, size_t known = sizeof(Struct));
  template <typename Item> const Item *keep(std::vector<Item> items);
  lathe_string keepText(const std::string &text);
  const lathe_value *value(const lathe_type *type);
  const lathe_operand *operand(const std::string &name, const lathe_value *value);
  const lathe_op *addOp(lathe_op op);
  static lathe_error *read(void *context, lathe_read_args *args);

  Age age_;
  std::vector<std::shared_ptr<const void>> kept_;
  std::vector<Function> functions_;
  std::vector<const lathe_constant *> constants_;
  std::vector<std::vector<uint8_t>> bytes_, scales_; // of constants
};

} // namespace lathe::plugins
