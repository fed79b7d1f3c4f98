#include "codegen/op.h"

namespace npu::codegen {

using plugin::Count;
using plugin::take;
using plugin::view;

std::string_view element_name(uint32_t element) {
  constexpr std::string_view names[] = {"none", "f32", "f16",  "bf16", "i32",
                                        "i8",   "i4",  "e4m3", "e5m2", "e8m0"};
  return element < std::size(names) ? names[element] : "of an unknown type";
}

static Count count_of(int64_t extent, uint64_t factor) {
  if (extent == LATHE_EXTENT_ROWS || extent == LATHE_EXTENT_OUTPUT_ROWS)
    return {extent == LATHE_EXTENT_ROWS ? Count::Rows : Count::OutputRows, factor};
  return {Count::Constant, static_cast<uint64_t>(extent)};
}

// Extents of 1 to max_extent: whatever is made of them does not overflow.
static bool in_bounds(const lathe_type &type) {
  for (size_t i = 0; i < type.rank; ++i) {
    bool rows = i == 0 && type.shape[0] < 0 && type.shape[0] >= LATHE_EXTENT_OUTPUT_ROWS;
    if (!rows && (type.shape[i] < 1 || type.shape[i] > static_cast<int64_t>(plugin::max_extent)))
      return false;
  }
  return type.row_factor >= 0 && type.row_factor <= 4096;
}

static Status read_extents(const lathe_type &type, Type &result) {
  if (type.rank < 1 || type.rank > 3 || !in_bounds(type))
    return error("a tensor of ", type.rank, " dimensions, or with an extent that is not in 1 to ",
                 plugin::max_extent);
  uint64_t factor = type.row_factor ? static_cast<uint64_t>(type.row_factor) : 1;
  Count first = count_of(type.shape[0], factor);
  result.rank = type.rank;
  result.cols = type.rank == 1 ? 1 : static_cast<uint64_t>(type.shape[type.rank - 1]);
  result.rows = first;
  if (type.rank == 1 && first.extent == Count::Constant && type.element != LATHE_ELEMENT_I32) {
    result.rows = {Count::Constant, 1};
    result.cols = first.factor;
  }
  if (type.rank == 3) {
    result.matrices = first.factor;
    result.rows = count_of(type.shape[1], 1);
  }
  return {};
}

Result<Type> read_type(const lathe_type *theirs) {
  lathe_type type = take(theirs);
  Type result;
  result.kind = type.kind, result.element = type.element;
  auto natural = [](int64_t value) { return static_cast<uint64_t>(value < 0 ? 0 : value); };
  result.block_rows = natural(type.block_rows), result.block_columns = natural(type.block_columns);
  result.scale_element = type.scale_element;
  result.slots = natural(type.slots), result.max_context = natural(type.max_context);
  result.kv_lora_rank = natural(type.kv_lora_rank), result.rope_dim = natural(type.rope_dim);
  result.kv_heads = natural(type.kv_heads), result.key_dim = natural(type.key_dim);
  result.value_dim = natural(type.value_dim);
  if (!result.is_cache())
    NPU_RETURN_IF_ERROR(read_extents(type, result));
  for (uint64_t each : {result.slots, result.max_context, result.kv_lora_rank, result.rope_dim,
                        result.kv_heads, result.key_dim, result.value_dim})
    if (each > plugin::max_extent)
      return error("a cache with an extent above ", plugin::max_extent);
  return result;
}

Result<Part> read_part(const lathe_operand *theirs) {
  lathe_operand operand = take(theirs);
  lathe_value value = take(operand.value);
  Part part{std::string(view(operand.name)), operand.value, value.id, {}};
  NPU_ASSIGN_OR_RETURN(part.type, read_type(value.type));
  return part;
}

Result<Op> Op::read(const lathe_op *theirs) {
  lathe_op op = take(theirs);
  Op result;
  result.name = view(op.name), result.location = view(op.location);
  result.version = op.version, result.constant = op.constant;
  for (size_t i = 0; i < op.operand_count; ++i) {
    NPU_ASSIGN_OR_RETURN(Part part, read_part(op.operands[i]));
    result.operands.push_back(std::move(part));
  }
  for (size_t i = 0; i < op.result_count; ++i) {
    NPU_ASSIGN_OR_RETURN(Part part, read_part(op.results[i]));
    result.results.push_back(std::move(part));
  }
  for (size_t i = 0; i < op.attribute_count; ++i)
    result.attributes.push_back(take(op.attributes[i]));
  return result;
}

const Part *Op::operand(std::string_view part) const {
  for (const Part &each : operands)
    if (each.name == part)
      return &each;
  return nullptr;
}

const Part &Op::part(std::string_view part) const {
  static const Part nothing{"an operand that is left out", nullptr, ~uint32_t{0}, {}};
  const Part *found = operand(part);
  return found ? *found : nothing;
}

std::vector<const Part *> Op::all_operands(std::string_view part) const {
  std::vector<const Part *> result;
  for (const Part &each : operands)
    if (each.name == part)
      result.push_back(&each);
  return result;
}

std::optional<lathe_attribute> Op::find(std::string_view attribute) const {
  for (const lathe_attribute &each : attributes)
    if (view(each.name) == attribute)
      return each;
  return std::nullopt;
}

int64_t Op::integer(std::string_view attribute, int64_t otherwise) const {
  auto found = find(attribute);
  return found ? found->integer : otherwise;
}

double Op::real(std::string_view attribute, double otherwise) const {
  auto found = find(attribute);
  return found ? found->real : otherwise;
}

std::string_view Op::word(std::string_view attribute) const {
  auto found = find(attribute);
  return found ? view(found->text) : std::string_view();
}

std::vector<float> Op::reals(std::string_view attribute) const {
  std::vector<float> result;
  if (auto found = find(attribute))
    for (size_t i = 0; i < found->count; ++i)
      result.push_back(static_cast<float>(found->reals[i]));
  return result;
}

} // namespace npu::codegen
