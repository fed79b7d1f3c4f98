#include "tests/conformance/case/body.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"

#include "passes/row_source.h"

namespace lathe::conformance {
namespace {

using mlir::Value;
using reference::Indices;
using reference::Noise;

int64_t product(llvm::ArrayRef<int64_t> shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

// Vectors scale norms and products add them; matrices of variance 1 / columns keep rows' size.
Fill usualFill(llvm::ArrayRef<int64_t> shape) {
  return shape.size() == 1 ? around(1, 0.25)
                           : uniform(std::sqrt(3.0 / static_cast<double>(shape.back())));
}

llvm::SmallVector<int64_t> scaleShape(ir::QuantizedType type) {
  llvm::SmallVector<int64_t> shape(type.getShape());
  int64_t &rows = shape[shape.size() - 2], &columns = shape.back();
  rows = (rows + type.getBlockRows() - 1) / type.getBlockRows();
  columns = (columns + type.getBlockColumns() - 1) / type.getBlockColumns();
  return shape;
}

} // namespace

Body::Body(Program &program, const Step &step)
    : program_(program), step_(step), is_first_(program.module().getBody()->empty()),
      builder_(program.module().getContext()) {
  builder_.setInsertionPointToEnd(program.module().getBody());
  function_ =
      create<mlir::func::FuncOp>(Program::functionName(step), builder_.getFunctionType({}, {}));
  int64_t max_rows = 1;
  for (const Step &other : program.spec().steps)
    max_rows = step.rows == 1 ? 1 : std::max({max_rows, other.rows, program.spec().max_rows});
  function_->setAttr("lathe.max_rows", builder_.getI64IntegerAttr(max_rows));
  builder_.setInsertionPointToStart(function_.addEntryBlock());
  if (program.rows_from_ == RowsFrom::table)
    tokens(0), slots(), positions(), outputRows(); // all of a step's, in their order
}

int64_t Body::rowsExtent(int64_t factor) const {
  return step_.rows == 1 ? factor : mlir::ShapedType::kDynamic;
}
mlir::RankedTensorType Body::rowsType(int64_t columns, llvm::StringRef element, int64_t factor) {
  return mlir::RankedTensorType::get({rowsExtent(factor), columns},
                                     elementNamed(builder_.getContext(), element));
}
mlir::Value Body::rounded(mlir::Value rows) {
  auto type = mlir::cast<mlir::RankedTensorType>(rows.getType());
  return create<ir::CastOp>(type.clone(builder_.getBF16Type()), rows);
}
mlir::RankedTensorType Body::indicesType(int64_t columns, int64_t factor) {
  llvm::SmallVector<int64_t> shape = {rowsExtent(factor)};
  if (columns > 0)
    shape.push_back(columns);
  return mlir::RankedTensorType::get(shape, builder_.getI32Type());
}
ir::QuantizedType Body::codesType(int64_t columns, int64_t block, llvm::StringRef scale,
                                  llvm::StringRef codes) {
  mlir::MLIRContext *context = builder_.getContext();
  return ir::QuantizedType::get(context, {rowsExtent(1), columns}, elementNamed(context, codes), 1,
                                block, elementNamed(context, scale));
}

Value Body::argument(const std::string &name, mlir::Type type, bool is_output_rows, int64_t factor,
                     std::function<reference::Value(size_t)> value) {
  if (Value known = known_.lookup(name))
    return known;
  mlir::Block &block = function_.getBody().front();
  const unsigned index = block.getNumArguments();
  Value made = block.addArgument(type, builder_.getUnknownLoc());
  function_.setType(builder_.getFunctionType(block.getArgumentTypes(), {}));
  function_.setArgAttr(index, "lathe.name", builder_.getStringAttr(name));
  if (mlir::ShapedType::isDynamic(ir::shapeOf(type)[0]))
    passes::noteRowSource(function_, index, {is_output_rows, factor});
  if (isFirst())
    program_.inputs_.push_back({name, std::move(value)});
  return known_[name] = made;
}

Value Body::tokens(int64_t vocab) {
  Program *program = &program_;
  if (vocab > 0 && isFirst()) {
    // The table's program has the argument already, for rows; now it means tokens.
    for (Input &input : program_.inputs_)
      if (input.name == "tokens")
        input.value = [=](size_t step) {
          const Noise noise = program->noise("tokens", step);
          std::vector<int32_t> ids(program->spec().steps[step].rows);
          for (size_t t = 0; t < ids.size(); ++t)
            ids[t] = below(vocab)(noise, static_cast<int64_t>(t), 0);
          return reference::share(Indices(std::move(ids)));
        };
  }
  return argument("tokens", indicesType(0), false, 1, [=](size_t step) {
    const Noise noise = program->noise("tokens", step);
    std::vector<int32_t> ids(program->spec().steps[step].rows);
    for (size_t t = 0; t < ids.size(); ++t)
      ids[t] = vocab > 0 ? below(vocab)(noise, static_cast<int64_t>(t), 0)
                         : static_cast<int32_t>(program->rowsBefore(step) + t);
    return reference::share(Indices(std::move(ids)));
  });
}

Value Body::slots() {
  Program *program = &program_;
  return argument("slots", indicesType(0), false, 1,
                  [=](size_t step) { return reference::share(Indices(program->slots(step))); });
}

Value Body::positions() {
  Program *program = &program_;
  return argument("positions", indicesType(0), false, 1,
                  [=](size_t step) { return reference::share(Indices(program->positions(step))); });
}

Value Body::outputRows() {
  Program *program = &program_;
  auto type = mlir::RankedTensorType::get({mlir::ShapedType::kDynamic}, builder_.getI32Type());
  return argument("output_rows", type, true, 1, [=](size_t step) {
    const Step &of = program->spec().steps[step];
    std::vector<int32_t> rows(of.output_rows);
    std::iota(rows.begin(), rows.end(), static_cast<int32_t>(of.rows - of.output_rows));
    return reference::share(Indices(std::move(rows)));
  });
}

Value Body::rows(const std::string &name, int64_t columns, Fill fill, int64_t factor) {
  if (program_.rows_from_ == RowsFrom::table && factor == 1)
    return lookUp(name, columns, fill);
  if (program_.rows_from_ == RowsFrom::table)
    program_.unfit_ = "its rows are not one a token";
  Program *program = &program_;
  return argument(name, rowsType(columns, "f32", factor), false, factor, [=](size_t step) {
    reference::Tensor tensor({program->spec().steps[step].rows * factor, columns});
    const Noise noise = program->noise(name);
    const int64_t first = program->rowsBefore(step) * factor;
    for (int64_t i = 0; i < tensor.rows(); ++i)
      for (int64_t j = 0; j < columns; ++j)
        tensor.row(i)[j] = fill(noise, first + i, j);
    return reference::share(std::move(tensor));
  });
}

// The table holds the rows of all steps, one behind the other.
Value Body::lookUp(const std::string &name, int64_t columns, const Fill &fill) {
  const int64_t count = program_.rowsBefore(program_.spec().steps.size());
  Value table = weight(name, {count, columns}, "f32", fill);
  return create<ir::EmbeddingOp>(rowsType(columns), known_.lookup("tokens"), table);
}

Value Body::indices(const std::string &name, int64_t columns, IndexFill fill, int64_t factor) {
  if (program_.rows_from_ == RowsFrom::table)
    program_.unfit_ = "it begins with indices";
  Program *program = &program_;
  return argument(name, indicesType(columns, factor), false, factor, [=](size_t step) {
    std::vector<int64_t> shape = {program->spec().steps[step].rows * factor};
    if (columns > 0)
      shape.push_back(columns);
    const Noise noise = program->noise(name, step);
    std::vector<int32_t> values(product(shape));
    const int64_t width = std::max<int64_t>(columns, 1);
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = fill(noise, static_cast<int64_t>(i) / width, static_cast<int64_t>(i) % width);
    return reference::share(Indices(std::move(shape), std::move(values)));
  });
}

Value Body::table(const std::string &name, int64_t count,
                  std::function<int32_t(int64_t, int64_t)> fill) {
  if (program_.rows_from_ == RowsFrom::table)
    program_.unfit_ = "it begins with indices";
  Program *program = &program_;
  auto type = mlir::RankedTensorType::get({count}, builder_.getI32Type());
  return argument(name, type, false, 1, [=](size_t step) {
    std::vector<int32_t> values(count);
    for (int64_t i = 0; i < count; ++i)
      values[i] = fill(program->spec().steps[step].rows, i);
    return reference::share(Indices(std::move(values)));
  });
}

//===--- weights ---===//

void Body::keep(const std::string &leaf, mlir::Type element, llvm::ArrayRef<int64_t> shape,
                Fill fill) {
  program_.tensors_.insert_or_assign(program_.place_ + leaf,
                                     Tensor(element, shape, std::move(fill), program_.noise(leaf)));
}

Value Body::weightOp(const std::string &name, llvm::ArrayRef<std::string> sources, mlir::Type type,
                     mlir::Type stored, mlir::DenseI64ArrayAttr rows) {
  if (Value known = known_.lookup(name))
    return known;
  auto references = [&](llvm::StringRef suffix) {
    llvm::SmallVector<mlir::Attribute> all;
    for (const std::string &source : sources)
      all.push_back(ir::TensorRefAttr::get(builder_.getContext(), source + suffix.str(), ""));
    return builder_.getArrayAttr(all);
  };
  const bool has_scales = mlir::isa<ir::QuantizedType>(stored);
  return known_[name] =
             create<ir::WeightOp>(type, builder_.getStringAttr(name), references(""),
                                  has_scales ? references(".scales") : mlir::ArrayAttr(), rows,
                                  stored == type ? mlir::TypeAttr() : mlir::TypeAttr::get(stored));
}

// What a checkpoint holds of a weight of this type: elements by `fill`, or codes and scales.
void Body::store(const std::string &leaf, mlir::Type type, const Fill &fill) {
  if (!isFirst())
    return;
  auto codes = mlir::dyn_cast<ir::QuantizedType>(type);
  if (!codes)
    return keep(leaf, ir::elementTypeOf(type), ir::shapeOf(type),
                fill ? fill : usualFill(ir::shapeOf(type)));
  auto code = [=](const Noise &noise, int64_t i, int64_t j) {
    return reference::seededCode(codes.getElementType(), noise(i, j));
  };
  auto scale = [=](const Noise &noise, int64_t i, int64_t j) {
    return reference::seededScale(codes.getElementType(), codes.getScaleType(), noise(i, j),
                                  codes.getShape().back());
  };
  storeCodes(leaf, codes, code, scale);
}

void Body::storeCodes(const std::string &leaf, ir::QuantizedType type, const Fill &code,
                      const Fill &scale) {
  if (!isFirst())
    return;
  keep(leaf, type.getElementType(), type.getShape(), code);
  keep(leaf + ".scales", type.getScaleType(), scaleShape(type), scale);
}

Value Body::weight(const std::string &leaf, llvm::ArrayRef<int64_t> shape, llvm::StringRef layout,
                   Fill fill) {
  const std::string name = program_.place_ + leaf;
  const mlir::Type type = weightType(builder_.getContext(), shape, layout);
  store(leaf, storedType(type), fill);
  return weightOp(name, name, type, storedType(type));
}

Value Body::stack(const std::string &leaf, llvm::ArrayRef<int64_t> shape, llvm::StringRef layout,
                  bool separate) {
  if (!separate)
    return weight(leaf, shape, layout);
  const mlir::Type type = weightType(builder_.getContext(), shape, layout);
  std::vector<std::string> sources;
  for (int64_t e = 0; e < shape[0]; ++e) {
    const std::string expert = absl::StrCat(leaf, ".", e);
    store(expert, storedType(weightType(builder_.getContext(), shape.drop_front(), layout)), {});
    sources.push_back(program_.place_ + expert);
  }
  return weightOp(program_.place_ + leaf, sources, type, storedType(type));
}

Value Body::cut(const std::string &leaf, llvm::ArrayRef<int64_t> shape, llvm::StringRef layout,
                llvm::StringRef stored, int64_t begin, int64_t rows) {
  const std::string name = program_.place_ + leaf;
  mlir::MLIRContext *context = builder_.getContext();
  store(leaf, weightType(context, {rows, shape[1]}, stored), {});
  return weightOp(name, name, weightType(context, shape, layout),
                  weightType(context, shape, stored),
                  builder_.getDenseI64ArrayAttr({begin, begin + shape[0]}));
}

Value Body::codes(const std::string &leaf, llvm::ArrayRef<int64_t> shape, llvm::StringRef layout,
                  Fill code, Fill scale) {
  const std::string name = program_.place_ + leaf;
  auto type = mlir::cast<ir::QuantizedType>(weightType(builder_.getContext(), shape, layout));
  storeCodes(leaf, type, code, scale);
  return weightOp(name, name, type, type);
}

Value Body::identity(int64_t columns) {
  auto one_on_diagonal = [](const Noise &, int64_t i, int64_t j) { return i == j ? 1.0F : 0.0F; };
  return codes("identity", {columns, columns}, "f8e4m3_allxall", one_on_diagonal, constant(1));
}

//===--- caches and results ---===//

Value Body::cache(mlir::Type type) {
  mlir::Block &block = function_.getBody().front();
  const unsigned index = block.getNumArguments();
  Value made = block.addArgument(type, builder_.getUnknownLoc());
  function_.setType(builder_.getFunctionType(block.getArgumentTypes(), {}));
  function_.setArgAttr(index, "lathe.name",
                       builder_.getStringAttr(absl::StrCat("cache", cache_count_++)));
  return made;
}

Value Body::kvCache(int64_t context, int64_t kv_heads, int64_t key_dim, int64_t value_dim,
                    llvm::StringRef element) {
  return cache(ir::KvCacheType::get(builder_.getContext(), program_.spec().slots, context, kv_heads,
                                    key_dim, value_dim,
                                    elementNamed(builder_.getContext(), element)));
}

Value Body::latentCache(int64_t context, int64_t kv_lora_rank, int64_t rope_dim,
                        llvm::StringRef element) {
  return cache(ir::LatentCacheType::get(builder_.getContext(), program_.spec().slots, context,
                                        kv_lora_rank, rope_dim,
                                        elementNamed(builder_.getContext(), element)));
}

// In @decode the extent of rows is a constant: the factor of its one row.
Result Body::describe(Value value, const Measure &measure, bool has_constant_rows) {
  auto type = mlir::cast<mlir::RankedTensorType>(value.getType());
  Result result;
  result.columns = type.getRank() == 2 ? type.getShape()[1] : 1;
  result.is_indices = type.getElementType().isInteger();
  result.measure = measure;
  if (type.isDynamicDim(0)) {
    const passes::RowSource rows = passes::rowSourceOf(value);
    result.row_factor = rows.factor;
    result.is_output_rows = rows.is_output_rows;
  } else {
    (has_constant_rows ? result.constant_rows : result.row_factor) = type.getShape()[0];
  }
  return result;
}

void Body::result(Value value, const Measure &measure, bool has_constant_rows) {
  auto type = mlir::cast<mlir::RankedTensorType>(value.getType());
  const bool is_indices = type.getElementType().isInteger();
  if (program_.rows_from_ == RowsFrom::table && (is_indices || type.getRank() != 2))
    program_.unfit_ = "its results are not rows of numbers";
  if (isFirst())
    program_.results_.push_back(describe(value, measure, has_constant_rows));
  results_.push_back(value);
}

// Code of the host's CPU has one result, its logits.
Value Body::joinedResults() {
  Value only = results_.front();
  const bool is_plain = only.getDefiningOp() && only.use_empty() &&
                        !mlir::isa<ir::SliceOp, ir::EmbeddingOp>(only.getDefiningOp());
  if (results_.size() == 1 && is_plain)
    return only;
  int64_t columns = 0;
  for (Value value : results_)
    columns += ir::shapeOf(value.getType())[1];
  auto type = mlir::cast<mlir::RankedTensorType>(only.getType());
  return create<ir::ConcatOp>(
      mlir::RankedTensorType::get({type.getShape()[0], columns}, type.getElementType()), results_);
}

void Body::finish() {
  std::vector<Value> returned = results_;
  if (program_.rows_from_ == RowsFrom::table && program_.unfit_.empty())
    returned = {joinedResults()};
  returned.insert(returned.end(), caches_.begin(), caches_.end());
  create<mlir::func::ReturnOp>(returned);
  function_.setType(builder_.getFunctionType(function_.getBody().front().getArgumentTypes(),
                                             mlir::ValueRange(returned).getTypes()));
}

} // namespace lathe::conformance
