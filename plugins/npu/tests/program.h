// Programs as a host shows them, for tests of the plugin: a few lines make what MLIR would.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include <lathe/plugin.h>

namespace npu {

class Program {
public:
  using Extents = std::vector<int64_t>;

  const lathe_value *input(const char *name, uint32_t element, Extents shape) {
    const lathe_value *made = value(element, std::move(shape));
    inputs.push_back(operand(name, made));
    return made;
  }
  // A weight of f32.
  const lathe_value *weight(const char *name, Extents shape, std::vector<float> numbers) {
    const lathe_value *made = value(LATHE_ELEMENT_F32, std::move(shape));
    lathe_constant &constant = constants.emplace_back(sized<lathe_constant>());
    constant.id = static_cast<uint32_t>(data.size());
    constant.name = string(name);
    constant.type = made->type;
    data.push_back(std::move(numbers));
    lathe_op &op = begin("lathe.weight");
    op.constant = &constant;
    finish(op, {}, {{"result", made}}, {});
    return made;
  }
  using Named = std::vector<std::pair<const char *, const lathe_value *>>;
  // An op with one result of f32.
  const lathe_value *op(const char *name, const Named &operands, Extents shape,
                        const std::map<std::string, double> &reals = {}) {
    const lathe_value *made = value(LATHE_ELEMENT_F32, std::move(shape));
    finish(begin(name), operands, {{"result", made}}, reals);
    return made;
  }
  const lathe_op *last_op() const { return ops.back(); }

  const lathe_program *program(const char *function_name, int64_t max_rows,
                               const lathe_value *result) {
    results = {operand("result", result)};
    function = sized<lathe_function>();
    function.name = string(function_name);
    function.max_rows = max_rows;
    function.inputs = inputs.data(), function.input_count = inputs.size();
    function.ops = ops.data(), function.op_count = ops.size();
    function.results = results.data(), function.result_count = 1;
    functions = {&function};
    whole = sized<lathe_program>();
    whole.functions = functions.data(), whole.function_count = 1;
    whole.context = this;
    whole.read = [](void *context, lathe_read_args *args) -> lathe_error * {
      const auto &numbers = static_cast<Program *>(context)->data[args->constant->id];
      const char *from = reinterpret_cast<const char *>(numbers.data());
      std::copy_n(from + args->offset, args->size, static_cast<char *>(args->destination));
      return nullptr;
    };
    return &whole;
  }

  std::vector<std::vector<float>> data; // of weights, by id

private:
  template <class T> static T sized() {
    T made = {};
    made.struct_size = sizeof made;
    return made;
  }
  lathe_string string(const char *text) {
    const std::string &kept = texts.emplace_back(text);
    return {kept.data(), kept.size()};
  }
  const lathe_value *value(uint32_t element, Extents shape) {
    const Extents &kept = shapes.emplace_back(std::move(shape));
    lathe_type &type = types.emplace_back(sized<lathe_type>());
    type.kind = LATHE_TYPE_TENSOR, type.element = element;
    type.shape = kept.data(), type.rank = kept.size(), type.row_factor = 1;
    lathe_value &made = values.emplace_back(sized<lathe_value>());
    made.id = static_cast<uint32_t>(values.size() - 1), made.type = &type;
    return &made;
  }
  const lathe_operand *operand(const char *name, const lathe_value *of) {
    lathe_operand &made = operands.emplace_back(sized<lathe_operand>());
    made.name = string(name), made.value = of;
    return &made;
  }
  lathe_op &begin(const char *name) {
    lathe_op &made = op_structs.emplace_back(sized<lathe_op>());
    made.name = string(name), made.version = 1, made.location = string("here");
    ops.push_back(&made);
    return made;
  }
  void finish(lathe_op &made, const Named &takes, const Named &gives,
              const std::map<std::string, double> &reals) {
    auto keep = [&](const Named &named) -> std::vector<const lathe_operand *> & {
      auto &list = lists.emplace_back();
      for (auto [name, of] : named)
        list.push_back(operand(name, of));
      return list;
    };
    auto &in = keep(takes), &out = keep(gives);
    made.operands = in.data(), made.operand_count = in.size();
    made.results = out.data(), made.result_count = out.size();
    auto &attributes = attribute_lists.emplace_back();
    for (const auto &[name, real] : reals) {
      lathe_attribute &attribute = attribute_structs.emplace_back(sized<lathe_attribute>());
      attribute.name = string(name.c_str());
      attribute.kind = LATHE_ATTRIBUTE_REAL, attribute.real = real;
      attributes.push_back(&attribute);
    }
    made.attributes = attributes.data(), made.attribute_count = attributes.size();
  }

  std::deque<std::string> texts;
  std::deque<Extents> shapes;
  std::deque<lathe_type> types;
  std::deque<lathe_value> values;
  std::deque<lathe_operand> operands;
  std::deque<lathe_constant> constants;
  std::deque<lathe_op> op_structs;
  std::deque<lathe_attribute> attribute_structs;
  std::deque<std::vector<const lathe_operand *>> lists;
  std::deque<std::vector<const lathe_attribute *>> attribute_lists;
  std::vector<const lathe_operand *> inputs, results;
  std::vector<const lathe_op *> ops;
  std::vector<const lathe_function *> functions;
  lathe_function function;
  lathe_program whole;
};

} // namespace npu
