#include "tests/unit/plugins/program_builder.h"

#include <cstddef>
#include <cstring>

namespace lathe::plugins {
namespace {

constexpr size_t kMore = 40; // bytes of a newer host
constexpr int kGarbage = 0xa5;

} // namespace

template <typename Struct> Struct *ProgramBuilder::make(Struct value, size_t known) {
  auto memory = std::shared_ptr<char[]>(new char[sizeof(Struct) + kMore]);
  std::memset(memory.get(), kGarbage, sizeof(Struct) + kMore);
  known = age_ == Age::older ? known : sizeof(Struct);
  value.struct_size = age_ == Age::newer ? sizeof(Struct) + kMore : known;
  std::memcpy(memory.get(), &value, known);
  kept_.push_back(memory);
  return reinterpret_cast<Struct *>(memory.get());
}

template <typename Item> const Item *ProgramBuilder::keep(std::vector<Item> items) {
  auto kept = std::make_shared<const std::vector<Item>>(std::move(items));
  kept_.push_back(kept);
  return kept->data();
}

lathe_string ProgramBuilder::keepText(const std::string &text) {
  auto kept = std::make_shared<const std::string>(text);
  kept_.push_back(kept);
  return textOf(*kept);
}

const lathe_type *ProgramBuilder::tensor(std::vector<int64_t> shape, uint32_t element,
                                         int64_t row_factor) {
  lathe_type type = {};
  type.kind = LATHE_TYPE_TENSOR;
  type.element = element;
  type.rank = shape.size();
  type.shape = keep(std::move(shape));
  type.row_factor = row_factor;
  return make(type);
}

const lathe_type *ProgramBuilder::quantized(std::vector<int64_t> shape) {
  lathe_type type = {};
  type.kind = LATHE_TYPE_QUANTIZED;
  type.element = LATHE_ELEMENT_E4M3;
  type.rank = shape.size();
  type.shape = keep(std::move(shape));
  type.row_factor = 1;
  type.block_rows = type.block_columns = 128;
  type.scale_element = LATHE_ELEMENT_F32;
  return make(type);
}

const lathe_type *ProgramBuilder::kvCache() {
  lathe_type type = {};
  type.kind = LATHE_TYPE_KV_CACHE;
  type.element = LATHE_ELEMENT_F32;
  type.slots = 1;
  type.max_context = 16;
  type.kv_heads = type.key_dim = type.value_dim = 4;
  return make(type);
}

void ProgramBuilder::function(const std::string &name, int64_t max_rows) {
  functions_.push_back({name, max_rows, {}, {}, {}, 0});
}

const lathe_value *ProgramBuilder::value(const lathe_type *type) {
  return make(lathe_value{0, functions_.back().value_count++, 1, type});
}

const lathe_operand *ProgramBuilder::operand(const std::string &name, const lathe_value *value) {
  return make(lathe_operand{0, keepText(name), value});
}

const lathe_value *ProgramBuilder::input(const std::string &name, const lathe_type *type) {
  const lathe_value *added = value(type);
  functions_.back().inputs.push_back(operand(name, added));
  return added;
}

void ProgramBuilder::result(const std::string &name, const lathe_value *value) {
  functions_.back().results.push_back(operand(name, value));
}

const lathe_op *ProgramBuilder::addOp(lathe_op op) {
  functions_.back().ops.push_back(make(op, offsetof(lathe_op, kernel)));
  return lastOp();
}

const lathe_value *ProgramBuilder::op(const std::string &name, const Operands &operands,
                                      const lathe_type *result,
                                      const std::vector<Attribute> &attributes, uint32_t version) {
  return op(name, operands, {{"result", result}}, attributes, version)[0];
}

std::vector<const lathe_value *>
ProgramBuilder::op(const std::string &name, const Operands &operands,
                   const std::vector<std::pair<std::string, const lathe_type *>> &results,
                   const std::vector<Attribute> &attributes, uint32_t version) {
  lathe_op op = {};
  op.name = keepText(name);
  op.version = version;
  op.location = keepText("layers.3");
  std::vector<const lathe_operand *> taken;
  for (const auto &[part, value] : operands)
    taken.push_back(operand(part, value));
  std::vector<const lathe_attribute *> known;
  for (const Attribute &attribute : attributes) {
    lathe_attribute real = {};
    real.name = keepText(attribute.name);
    real.kind = attribute.integer ? LATHE_ATTRIBUTE_INTEGER : LATHE_ATTRIBUTE_REAL;
    real.integer = attribute.integer.value_or(0);
    real.real = attribute.real;
    known.push_back(make(real));
  }
  std::vector<const lathe_value *> computed;
  std::vector<const lathe_operand *> given;
  for (const auto &[part, type] : results) {
    computed.push_back(value(type));
    given.push_back(operand(part, computed.back()));
  }
  op.operand_count = taken.size();
  op.operands = keep(std::move(taken));
  op.attribute_count = known.size();
  op.attributes = keep(std::move(known));
  op.result_count = given.size();
  op.results = keep(std::move(given));
  addOp(op);
  return computed;
}

const lathe_value *ProgramBuilder::launch(ProgramBuilder &kernel, int64_t tile_rows,
                                          int64_t tile_columns, const Operands &operands,
                                          const lathe_type *result) {
  lathe_function function = *kernel.program()->functions[0];
  function.max_rows = 0;
  function.tile_rows = tile_rows;
  function.tile_columns = tile_columns;
  const lathe_value *computed = op("tile.launch", operands, result);
  lathe_op launch = *lastOp();
  launch.kernel = make(function);
  functions_.back().ops.back() = make(launch);
  return computed;
}

const lathe_value *ProgramBuilder::weight(const std::string &name, const lathe_type *type,
                                          std::vector<uint8_t> bytes, std::vector<uint8_t> scales) {
  lathe_constant constant = {};
  constant.id = static_cast<uint32_t>(constants_.size());
  constant.name = keepText(name);
  constant.type = type;
  constants_.push_back(make(constant));
  bytes_.push_back(std::move(bytes));
  scales_.push_back(std::move(scales));
  return sameWeight(constant.id);
}

const lathe_value *ProgramBuilder::sameWeight(uint32_t constant) {
  const lathe_value *added = value(constants_[constant]->type);
  lathe_op op = {};
  op.name = keepText("lathe.weight");
  op.version = 1;
  op.location = keepText("layers.3");
  op.result_count = 1;
  op.results = keep(std::vector<const lathe_operand *>{operand("result", added)});
  op.constant = constants_[constant];
  addOp(op);
  return added;
}

lathe_error *ProgramBuilder::read(void *context, lathe_read_args *args) {
  static lathe_error beyond = {
      sizeof beyond, LATHE_ERROR_INVALID_ARGUMENT, 0, {"beyond the end", 14}, [](lathe_error *) {}};
  const auto &builder = *static_cast<ProgramBuilder *>(context);
  const auto &bytes = (args->scales ? builder.scales_ : builder.bytes_)[args->constant->id];
  if (args->offset > bytes.size() || args->size > bytes.size() - args->offset)
    return &beyond;
  std::memcpy(args->destination, bytes.data() + args->offset, args->size);
  return nullptr;
}

const lathe_program *ProgramBuilder::program() {
  std::vector<const lathe_function *> functions;
  for (const Function &mine : functions_) {
    lathe_function function = {};
    function.name = keepText(mine.name);
    function.max_rows = mine.max_rows;
    function.input_count = mine.inputs.size();
    function.inputs = keep(mine.inputs);
    function.op_count = mine.ops.size();
    function.ops = keep(mine.ops);
    function.result_count = mine.results.size();
    function.results = keep(mine.results);
    functions.push_back(make(function, offsetof(lathe_function, tile_rows)));
  }
  lathe_program program = {};
  program.function_count = functions.size();
  program.functions = keep(std::move(functions));
  program.constant_count = constants_.size();
  program.constants = keep(constants_);
  program.context = this;
  program.read = read;
  return make(program);
}

} // namespace lathe::plugins
