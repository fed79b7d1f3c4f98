// Norms, rotations, elementwise ops, rows by index.
#include "codegen/generator.h"

namespace npu::codegen {

using kernels::MapOp;

static std::string key_of(const Matrix &matrix) {
  return text(name(matrix.type), "/", matrix.rows == Count{Count::Constant, 0} ? 0 : matrix.ld);
}

// A matrix of 0 rows is one row for all rows: a bias.
Status emit_map(Generator &g, MapOp op, const std::vector<Matrix> &inputs, const Matrix &output,
                float factor) {
  bool converts = op == MapOp::Copy && inputs[0].type != output.type;
  if (converts && !g.casts(inputs[0].type, output.type))
    return g.refuse(LATHE_REASON_UNSUPPORTED_TYPE,
                    text("the vector unit of ", g.device.name, " turns no ", name(inputs[0].type),
                         " into ", name(output.type)));
  kernels::MapPlan plan{.op = op,
                        .cols = output.cols,
                        .inputs = {},
                        .output = {output.type, output.ld},
                        .factor = factor};
  std::string key = text("map ", int(op), " ", output.cols, " ", factor, " ", key_of(output));
  std::vector<Source> args;
  double bytes = static_cast<double>(output.row_bytes());
  for (const Matrix &input : inputs) {
    bool repeats = input.rows == Count{Count::Constant, 0};
    plan.inputs.push_back({input.type, repeats ? 0 : input.ld});
    key += " " + key_of(input);
    args.push_back(input.at);
    bytes += static_cast<double>(input.row_bytes());
  }
  args.push_back(output.at);
  args.push_back(number(output.rows));
  NPU_ASSIGN_OR_RETURN(uint32_t kernel, g.kernel(key, [&] { return map(g.device, plan); }));
  constexpr const char *names[] = {"copy", "add", "scale", "swiglu", "split", "round"};
  uint64_t rows = g.most(output.rows);
  g.launch(kernel, text(names[int(op)], " ", output.cols, " ", name(output.type)), output.rows,
           std::move(args),
           {kernels::vector_kind(g.device), kernels::ceil_div(rows * output.cols, 2048),
            bytes * static_cast<double>(rows)});
  return {};
}

Status emit_gather(Generator &g, const Source &index, const Matrix &table, const Count &table_rows,
                   const Matrix &out) {
  kernels::GatherPlan plan{table.type, out.type, out.cols, table.ld, out.ld};
  std::string key =
      text("gather ", name(table.type), name(out.type), " ", out.cols, " ", table.ld, " ", out.ld);
  NPU_ASSIGN_OR_RETURN(uint32_t kernel, g.kernel(key, [&] { return gather(g.device, plan); }));
  uint64_t rows = g.most(out.rows);
  g.launch(kernel, text("rows ", out.cols, " ", name(table.type)), out.rows,
           {index, table.at, out.at, number(out.rows), number(table_rows)},
           {kernels::vector_kind(g.device), rows, 2.0 * rows * out.row_bytes()});
  return {};
}

namespace {

// Elementwise, all of one type.
Status lower_map(Generator &g, const Op &op, MapOp kind,
                 std::initializer_list<const char *> parts) {
  std::vector<Matrix> inputs;
  for (const char *part : parts) {
    const Part *operand = op.operand(part);
    if (!operand)
      return error(op.name, " lacks ", part);
    NPU_ASSIGN_OR_RETURN(Matrix input, g.matrix(*operand));
    inputs.push_back(input);
  }
  DType type = kind == MapOp::Copy ? inputs[0].type : DType::F32;
  if (op.results[0].type.element != LATHE_ELEMENT_F32 || type != inputs[0].type)
    return g.unsupported_type(op.results[0], "f32 rows");
  return emit_map(g, kind, inputs, g.make(op.results[0], DType::F32),
                  static_cast<float>(op.real("factor", 1)));
}

Status lower_cast(Generator &g, const Op &op) {
  NPU_ASSIGN_OR_RETURN(Matrix input, g.matrix(op.operands[0]));
  uint32_t element = op.results[0].type.element;
  DType to = element == LATHE_ELEMENT_F32    ? DType::F32
             : element == LATHE_ELEMENT_BF16 ? DType::Bf16
                                             : DType::F16;
  return emit_map(g, MapOp::Copy, {input}, g.make(op.results[0], to));
}

Status lower_rms_norm(Generator &g, const Op &op) {
  NPU_ASSIGN_OR_RETURN(Matrix x, g.matrix(op.part("input")));
  NPU_ASSIGN_OR_RETURN(Weight scale, g.weight(op.part("scale")));
  if (x.type != DType::F32)
    return g.unsupported_type(op.part("input"), "f32 rows");
  Matrix y = g.make(op.results[0], DType::F32);
  kernels::NormPlan plan{x.cols / scale.type.cols, scale.type.cols, x.ld, y.ld,
                         static_cast<float>(op.real("epsilon"))};
  std::string key =
      text("norm ", plan.groups, " ", plan.cols, " ", x.ld, " ", y.ld, " ", plan.epsilon);
  NPU_ASSIGN_OR_RETURN(uint32_t kernel, g.kernel(key, [&] { return rms_norm(g.device, plan); }));
  uint64_t rows = g.most(x.rows);
  g.launch(kernel, text("rms_norm ", plan.cols), x.rows,
           {x.at, g.rows_of(scale), y.at, number(x.rows)},
           {kernels::vector_kind(g.device), rows * plan.groups, 3.0 * rows * x.row_bytes()});
  return {};
}

// A table whose type the vector unit turns into f32 is kept as it is.
Status lower_embedding(Generator &g, const Op &op) {
  NPU_ASSIGN_OR_RETURN(Weight table, g.weight(op.part("table")));
  NPU_ASSIGN_OR_RETURN(Matrix tokens, g.matrix(op.part("tokens")));
  const Type &type = table.type;
  DType stored = type.is_tensor(LATHE_ELEMENT_BF16)  ? DType::Bf16
                 : type.is_tensor(LATHE_ELEMENT_F16) ? DType::F16
                                                     : DType::F32;
  if (stored != DType::F32 && !g.casts(stored, DType::F32))
    stored = DType::F32;
  uint64_t rows = type.rows.factor;
  Packing packing{.type = stored, .n = rows, .k = type.cols, .k_padded = type.cols};
  Matrix matrix{g.packed(table, packing),
                stored,
                {Count::Constant, rows},
                type.cols,
                bytesOf(stored, type.cols)};
  return emit_gather(g, tokens.at, matrix, {Count::Constant, rows},
                     g.make(op.results[0], DType::F32));
}

Status lower_select_rows(Generator &g, const Op &op) {
  NPU_ASSIGN_OR_RETURN(Matrix x, g.matrix(op.part("input")));
  NPU_ASSIGN_OR_RETURN(Matrix rows, g.matrix(op.part("rows")));
  return emit_gather(g, rows.at, x, x.rows, g.make(op.results[0], x.type));
}

// Columns are looked at where they are.
Status lower_slice(Generator &g, const Op &op) {
  NPU_ASSIGN_OR_RETURN(Matrix x, g.matrix(op.part("input")));
  uint64_t offset = static_cast<uint64_t>(op.integer("offset")), cols = op.results[0].type.cols;
  if (offset > x.cols || cols > x.cols - offset)
    return error("slice goes beyond its input");
  g.bind(op.results[0], x.columns(offset, cols));
  return {};
}

Status lower_concat(Generator &g, const Op &op) {
  Matrix all = g.make(op.results[0], DType::F32);
  uint64_t at = 0;
  for (const Part &part : op.operands) {
    NPU_ASSIGN_OR_RETURN(Matrix x, g.matrix(part));
    if (x.cols > all.cols - at)
      return error("concat has more columns than its result");
    NPU_RETURN_IF_ERROR(emit_map(g, MapOp::Copy, {x}, all.columns(at, x.cols)));
    at += x.cols;
  }
  return {};
}

Status lower_rope_table(Generator &g, const Op &op) {
  NPU_ASSIGN_OR_RETURN(Matrix positions, g.matrix(op.part("positions")));
  kernels::RopeTablePlan plan{op.reals("frequencies"), static_cast<float>(op.real("magnitude", 1))};
  if (plan.frequencies.empty() || op.results[0].type.cols != 2 * plan.frequencies.size())
    return error("rope_table has not two columns a frequency");
  Matrix out = g.make(op.results[0], DType::F32);
  std::string key = text("rope_table ", plan.magnitude);
  for (float frequency : plan.frequencies)
    key += text(" ", std::bit_cast<uint32_t>(frequency));
  NPU_ASSIGN_OR_RETURN(uint32_t kernel, g.kernel(key, [&] { return rope_table(g.device, plan); }));
  uint64_t rows = g.most(out.rows);
  g.launch(kernel, text("rope_table ", out.cols), out.rows,
           {positions.at, out.at, number(out.rows)},
           {kernels::vector_kind(g.device), rows, 1.0 * rows * out.row_bytes()});
  return {};
}

Status lower_rope(Generator &g, const Op &op) {
  NPU_ASSIGN_OR_RETURN(Matrix x, g.matrix(op.part("input")));
  NPU_ASSIGN_OR_RETURN(Matrix table, g.matrix(op.part("table")));
  uint64_t head = static_cast<uint64_t>(op.integer("head_dim"));
  uint64_t offset = static_cast<uint64_t>(op.integer("offset"));
  if (!head || x.cols % head || offset > head || table.cols > head - offset || table.cols % 2)
    return error("rope turns more than its heads have");
  if (!table.dense()) {
    Matrix dense = g.scratch(DType::F32, table.rows, table.cols);
    NPU_RETURN_IF_ERROR(emit_map(g, MapOp::Copy, {table}, dense));
    table = dense;
  }
  Matrix y = g.make(op.results[0], DType::F32);
  kernels::RopePlan plan{
      x.cols / head, head, offset, table.cols, x.ld, y.ld, op.word("layout") == "pairs"};
  std::string key = text("rope ", plan.heads, " ", head, " ", offset, " ", plan.d, " ", x.ld, " ",
                         y.ld, " ", plan.pairs);
  NPU_ASSIGN_OR_RETURN(uint32_t kernel, g.kernel(key, [&] { return rope(g.device, plan); }));
  uint64_t rows = g.most(x.rows);
  g.launch(kernel, text("rope ", plan.heads, "x", head), x.rows,
           {x.at, table.at, y.at, number(x.rows)},
           {kernels::vector_kind(g.device), rows, 2.0 * rows * x.row_bytes()});
  return {};
}

} // namespace

Lowered lower_basic(Generator &g, const Op &op) {
  if (op.name == "lathe.add")
    return lower_map(g, op, MapOp::Add, {"lhs", "rhs"});
  if (op.name == "lathe.scale")
    return lower_map(g, op, MapOp::Scale, {"input"});
  if (op.name == "lathe.swiglu")
    return lower_map(g, op, MapOp::Swiglu, {"gate", "up"});
  if (op.name == "lathe.cast")
    return lower_cast(g, op);
  if (op.name == "lathe.rms_norm")
    return lower_rms_norm(g, op);
  if (op.name == "lathe.embedding")
    return lower_embedding(g, op);
  if (op.name == "lathe.select_rows")
    return lower_select_rows(g, op);
  if (op.name == "lathe.slice")
    return lower_slice(g, op);
  if (op.name == "lathe.concat")
    return lower_concat(g, op);
  if (op.name == "lathe.rope_table")
    return lower_rope_table(g, op);
  if (op.name == "lathe.rope")
    return lower_rope(g, op);
  return std::nullopt;
}

} // namespace npu::codegen
