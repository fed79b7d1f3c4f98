#include "codegen/generator.h"

namespace npu::codegen {

using plugin::take;
using plugin::view;

// ---- Matrices

Matrix Matrix::columns(uint64_t begin, uint64_t count) const {
  Matrix result = *this;
  result.at.offset += bytesOf(type, begin);
  result.cols = count;
  return result;
}

Matrix Matrix::split(uint64_t parts) const {
  Matrix result = *this;
  result.rows.factor *= parts;
  result.cols /= parts;
  result.ld /= parts;
  return result;
}

static std::optional<DType> number_type(uint32_t element) {
  switch (element) {
  case LATHE_ELEMENT_F32: return DType::F32;
  case LATHE_ELEMENT_F16: return DType::F16;
  case LATHE_ELEMENT_BF16: return DType::Bf16;
  case LATHE_ELEMENT_I32: return DType::I32;
  default: return std::nullopt;
  }
}

static Matrix matrix_of(const Type &type, const Source &at) {
  Matrix result{at, number_type(type.element).value_or(DType::F32), type.rows, type.cols, 0};
  result.ld = result.row_bytes();
  return result;
}

// ---- Values

Generator::Generator(const Device &device) : device(device) { code.module.device = device.name; }

Status Generator::refuse(uint32_t reason, std::string why) {
  refusal = {reason, std::move(why)};
  return Error{refusal.text};
}

Status Generator::unsupported_type(const Part &part, std::string_view takes) {
  const char *kind = part.type.kind == LATHE_TYPE_QUANTIZED ? "quantised " : "";
  return refuse(LATHE_REASON_UNSUPPORTED_TYPE,
                text(part.name, " is ", kind, element_name(part.type.element), "; ", device.name,
                     " takes ", takes));
}

void Generator::note(const std::string &conversion) {
  if (converted.find(conversion) == std::string::npos)
    converted += (converted.empty() ? "" : "; ") + conversion;
}

Result<Matrix> Generator::matrix(const Part &part) {
  if (part.type.kind != LATHE_TYPE_TENSOR || !number_type(part.type.element)) {
    NPU_RETURN_IF_ERROR(unsupported_type(part, "f32, bf16, f16 or i32 there"));
  }
  if (auto known = values.find(part.id); known != values.end())
    return known->second;
  if (!asking)
    return error(part.name, " is a value that nothing gives");
  Matrix input = matrix_of(part.type, {Source::Input, 0, 0, {}});
  values[part.id] = input;
  return input;
}

Result<Weight> Generator::weight(const Part &part) {
  if (auto known = known_weights.find(part.id); known != known_weights.end())
    return known->second;
  if (!asking)
    NPU_RETURN_IF_ERROR(refuse(LATHE_REASON_VENDOR, text(part.name, " is no weight")));
  bool numbers = part.type.kind == LATHE_TYPE_QUANTIZED ||
                 (part.type.kind == LATHE_TYPE_TENSOR && number_type(part.type.element));
  if (!numbers || part.type.rows.extent != Count::Constant)
    NPU_RETURN_IF_ERROR(unsupported_type(part, "weights of floats or codes there"));
  return Weight{nullptr, part.type};
}

Matrix Generator::make(const Part &part, DType type) {
  auto result = result_of.find(part.id);
  Matrix made = result == result_of.end()
                    ? scratch(type, part.type.rows, part.type.cols)
                    : matrix_of(part.type, {Source::Result, result->second, 0, {}});
  values[part.id] = made;
  return made;
}

void Generator::bind(const Part &part, const Matrix &view) { values[part.id] = view; }

Matrix Generator::scratch(DType type, Count rows, uint64_t cols, uint64_t ld) {
  Matrix made{{Source::Scratch, static_cast<uint32_t>(pieces.size()), 0, {}}, type, rows, cols, ld};
  made.ld = ld ? ld : made.row_bytes();
  pieces.push_back(most(rows) * made.ld);
  return made;
}

// What a value made of the matrix is known by.
static std::string key_of(const Matrix &from) {
  return text(from.at.kind, ",", from.at.index, ",", from.at.offset, ",", from.cols, ",", from.ld,
              ",", from.rows.factor, ",");
}

Result<Matrix> Generator::convert(const Matrix &from, kernels::MapOp how, DType type) {
  uint64_t parts = how == kernels::MapOp::Split ? 2 : 1;
  std::string key = text(key_of(from), int(how), name(type));
  if (auto known = converted_known.find(key); known != converted_known.end())
    return known->second;
  Matrix made = scratch(type, from.rows, parts * from.cols), written = made;
  written.cols = from.cols;
  NPU_RETURN_IF_ERROR(emit_map(*this, how, {from}, written));
  return converted_known[key] = made;
}

Result<Matrix> Generator::as(const Matrix &from, DType type) {
  if (from.type == type)
    return from;
  Matrix source = from;
  if (from.type != DType::F32 && type != DType::F32 && !casts(from.type, type)) {
    NPU_ASSIGN_OR_RETURN(source, as(from, DType::F32));
  }
  return convert(source, kernels::MapOp::Copy, type);
}

Result<Matrix> Generator::in_parts(const Matrix &from) {
  NPU_ASSIGN_OR_RETURN(Matrix source, as(from, DType::F32));
  return convert(source, kernels::MapOp::Split, DType::Bf16);
}

Result<ScaledRows> Generator::scaled(const Matrix &from, uint64_t parts) {
  NPU_ASSIGN_OR_RETURN(Matrix source, as(from, DType::F32));
  std::string key = text(key_of(from), parts);
  if (auto known = scaled_known.find(key); known != scaled_known.end())
    return known->second;
  ScaledRows made{scratch(DType::F16, from.rows, parts * from.cols),
                  scratch(DType::F32, from.rows, 1)};
  kernels::ScalePlan plan{from.cols, source.ld, made.rows.ld, parts};
  NPU_ASSIGN_OR_RETURN(uint32_t index, kernel(text("scale ", plan.cols, " ", plan.x_ld, " ", parts),
                                              [&] { return scale_rows(device, plan); }));
  uint64_t rows = most(from.rows);
  launch(index, text("scale ", plan.cols), from.rows,
         {source.at, made.rows.at, made.factors.at, number(from.rows)},
         {kernels::vector_kind(device), rows, 10.0 * static_cast<double>(rows * plan.cols)});
  return scaled_known[key] = made;
}

Result<Matrix> Generator::as_if_bf16(const Matrix &from) {
  return convert(from, kernels::MapOp::Round, DType::F32);
}

Result<Source> Generator::cache(const Part &part, std::string_view what, uint64_t bytes) {
  auto named = cache_names.find(part.id);
  if (named == cache_names.end() && !asking)
    return error(part.name, " is a cache that is no input");
  std::string key = text(asking ? part.name : named->second, "/", what);
  auto [at, fresh] = caches.try_emplace(key, code.state_bytes, bytes);
  if (at->second.second != bytes)
    return error("cache ", key, " has two sizes");
  if (fresh)
    code.state_bytes += kernels::round_up(bytes, 512);
  return Source{Source::State, 0, at->second.first, {}};
}

// ---- Weights

Source Generator::packed(const Weight &weight, const Packing &packing) {
  uint32_t id = weight.constant ? take(weight.constant).id : 0;
  std::string key = text(id, " ", packing.layout());
  auto [at, fresh] = packed_known.try_emplace(key, static_cast<uint32_t>(weights.size()));
  if (fresh)
    weights.push_back({weight, packing});
  return {Source::Weight, at->second, 0, {}};
}

Source Generator::rows_of(const Weight &weight) {
  const Type &type = weight.type;
  Packing packing{.type = DType::F32,
                  .n = type.matrices * type.rows.factor,
                  .k = type.cols,
                  .k_padded = type.cols};
  return packed(weight, packing);
}

// ---- Launches

void Generator::launch(uint32_t kernel, std::string label, Count rows, std::vector<Source> args,
                       const Work &work) {
  unsigned each = std::max(1u, device.perGroup(work.core));
  uint64_t blocks = std::clamp<uint64_t>(kernels::ceil_div(work.items, each), 1, device.groups);
  code.entries.back().launches.push_back(
      {kernel, static_cast<uint32_t>(blocks), rows, std::move(label), std::move(args)});
  double peak = 0; // operations a cycle
  for (const CubeTile &tile : device.cube.tiles)
    peak = std::max(peak, 2.0 * tile.m * tile.n * tile.k / tile.cycles);
  double cycles =
      std::max(work.bytes / device.global.read,
               work.operations / (peak * std::max(1u, kernels::cores_of(device, CoreKind::Aic))));
  seconds += (device.launchMicroseconds + device.microseconds(cycles)) * 1e-6;
}

// ---- Entries

Status Generator::begin_entry(const lathe_function &function) {
  if (function.max_rows < 1 || static_cast<uint64_t>(function.max_rows) > plugin::max_extent)
    return error(view(function.name), " takes up to ", function.max_rows,
                 " rows, this plugin 1 to ", plugin::max_extent);
  max_rows = static_cast<uint64_t>(function.max_rows);
  values.clear(), known_weights.clear(), cache_names.clear(), result_of.clear();
  converted_known.clear(), scaled_known.clear(), pieces.clear();
  plugin::Entry entry{std::string(view(function.name)), max_rows, 0, 0, 0, {}};
  for (size_t i = 0; i < function.input_count; ++i) {
    NPU_ASSIGN_OR_RETURN(Part part, read_part(function.inputs[i]));
    if (part.type.is_cache())
      cache_names[part.id] = part.name;
    else
      values[part.id] =
          matrix_of(part.type, {Source::Input, static_cast<uint32_t>(entry.inputs++), 0, {}});
  }
  for (size_t i = 0; i < function.result_count; ++i) {
    NPU_ASSIGN_OR_RETURN(Part part, read_part(function.results[i]));
    if (!part.type.is_cache() && !values.contains(part.id))
      result_of.try_emplace(part.id, static_cast<uint32_t>(entry.results));
    entry.results += !part.type.is_cache();
  }
  code.entries.push_back(std::move(entry));
  return {};
}

Status Generator::lower(const Op &op) {
  refusal = {};
  if (op.version > 1)
    return refuse(LATHE_REASON_UNSUPPORTED_OP,
                  text(op.name, " is of version ", op.version, "; this plugin knows 1"));
  if (op.operands.empty() || op.results.empty())
    return error(op.name, " takes or gives nothing");
  for (auto *group : {lower_basic, lower_linear, lower_attention, lower_moe})
    if (Lowered done = group(*this, op))
      return std::move(*done);
  return refuse(LATHE_REASON_UNSUPPORTED_OP, text("this plugin has no ", op.name));
}

Status Generator::add(const Op &op) {
  if (op.name == "lathe.weight") {
    if (op.results.size() != 1 || !op.constant)
      return error("a weight without its constant");
    known_weights[op.results[0].id] = {op.constant, op.results[0].type};
    return {};
  }
  NPU_RETURN_IF_ERROR(lower(op));
  // A cache that comes out is the one that went in.
  for (const Part &result : op.results)
    for (const Part &operand : op.operands)
      if (result.type.is_cache() && operand.type.is_cache())
        cache_names[result.id] = cache_names[operand.id];
  return {};
}

// An input or a view that is a result, or a value that is two, is copied.
Status Generator::copy_results(const lathe_function &function) {
  uint32_t index = 0;
  for (size_t i = 0; i < function.result_count; ++i) {
    NPU_ASSIGN_OR_RETURN(Part part, read_part(function.results[i]));
    if (part.type.is_cache())
      continue;
    Source target{Source::Result, index++, 0, {}};
    auto value = values.find(part.id);
    if (value == values.end())
      return error(part.name, " is a result that nothing gives");
    if (!(value->second.at == target))
      NPU_RETURN_IF_ERROR(
          emit_map(*this, kernels::MapOp::Copy, {value->second}, matrix_of(part.type, target)));
  }
  return {};
}

Status Generator::end_entry(const lathe_function &function) {
  NPU_RETURN_IF_ERROR(copy_results(function));
  place_scratch();
  return {};
}

Status Generator::ask(const Op &op, uint64_t rows) {
  asking = true;
  max_rows = std::clamp<uint64_t>(rows, 1, plugin::max_extent);
  code.entries.push_back({"asked", max_rows, 1, 1, 0, {}});
  return op.name == "lathe.weight" ? Status() : lower(op);
}

} // namespace npu::codegen
