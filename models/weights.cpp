#include "models/weights.h"

#include "base/status.h"
#include "frontend/quote.h"
#include "ir/lathe/dialect.h"

namespace lathe::models {

namespace {

using absl::StrCat;
using frontend::DType;
using frontend::ScaleGranularity;
using frontend::Tensor;

absl::Status wrong(const Tensor &tensor, absl::string_view message) {
  return absl::InvalidArgumentError(
      StrCat(tensor.file, ": tensor ", frontend::quotedName(tensor.name), " ", message));
}

// Null for a type that is not a weight's.
mlir::Type elementType(mlir::MLIRContext &context, DType dtype) {
  switch (dtype) {
  case DType::f32: return mlir::Float32Type::get(&context);
  case DType::bf16: return mlir::BFloat16Type::get(&context);
  case DType::f16: return mlir::Float16Type::get(&context);
  case DType::f8_e4m3: return mlir::Float8E4M3FNType::get(&context);
  case DType::f8_e8m0: return mlir::Float8E8M0FNUType::get(&context);
  default: return {};
  }
}

absl::Status checkShape(const Tensor &tensor, absl::Span<const int64_t> wanted) {
  if (absl::MakeConstSpan(tensor.shape) == wanted)
    return absl::OkStatus();
  return wrong(tensor, StrCat("has shape ", frontend::shapeText(tensor.shape),
                              "; by config.json it should be ", frontend::shapeText(wanted)));
}

absl::Status checkIsFloat(const Tensor &tensor) {
  if (tensor.dtype == DType::f32 || tensor.dtype == DType::bf16 || tensor.dtype == DType::f16)
    return absl::OkStatus();
  return wrong(tensor, StrCat("is ", name(tensor.dtype), "; it should be F32, BF16 or F16"));
}

std::string formatText(const frontend::Weight &weight) {
  if (!weight.scale)
    return std::string(name(weight.tensor->dtype));
  const std::string scales =
      StrCat(name(weight.tensor->dtype), " with ", name(weight.scale->dtype), " scales ");
  switch (weight.granularity) {
  case ScaleGranularity::channel: return StrCat(scales, "for output channels");
  case ScaleGranularity::block:
    return StrCat(scales, "for blocks of ", weight.block_rows, "x", weight.block_columns);
  default: return StrCat(scales, "for whole tensors");
  }
}

} // namespace

mlir::Attribute Weights::reference(const Tensor &tensor) const {
  return ir::TensorRefAttr::get(&context_, tensor.name, "");
}

// A scale a channel or a tensor is a block as wide as the matrix.
mlir::Type Weights::quantizedType(const frontend::Weight &weight) const {
  const std::vector<int64_t> &shape = weight.tensor->shape;
  int64_t rows = weight.block_rows, columns = weight.block_columns;
  if (weight.granularity != ScaleGranularity::block) {
    rows = weight.granularity == ScaleGranularity::channel ? 1 : shape[0];
    columns = shape[1];
  }
  return ir::QuantizedType::get(&context_, shape, elementType(context_, weight.tensor->dtype), rows,
                                columns, elementType(context_, weight.scale->dtype));
}

void Weights::use(const frontend::Weight &weight) {
  if (!used_.insert(weight.tensor).second)
    return;
  StoredAmount &amount = formats_[formatText(weight)];
  amount.tensors += 1;
  amount.bytes += weight.tensor->bytes.size();
  parameters_ += frontend::elementCount(*weight.tensor);
  if (weight.scale && used_.insert(weight.scale).second)
    amount.bytes += weight.scale->bytes.size();
}

absl::StatusOr<StoredWeight> Weights::floats(absl::string_view name,
                                             absl::Span<const int64_t> shape) {
  LATHE_ASSIGN_OR_RETURN(const Tensor *tensor, checkpoint_.require(name));
  LATHE_RETURN_IF_ERROR(checkShape(*tensor, shape));
  LATHE_RETURN_IF_ERROR(checkIsFloat(*tensor));
  use({tensor});
  const mlir::Type type =
      mlir::RankedTensorType::get(tensor->shape, elementType(context_, tensor->dtype));
  return StoredWeight{tensor->name, type, {reference(*tensor)}, {}, {}};
}

absl::StatusOr<StoredWeight> Weights::linear(absl::string_view module, int64_t out, int64_t in) {
  LATHE_ASSIGN_OR_RETURN(const frontend::Weight weight,
                         frontend::findWeight(checkpoint_, quantization_, module));
  if (!weight.scale)
    return floats(weight.tensor->name, {out, in});
  LATHE_RETURN_IF_ERROR(checkShape(*weight.tensor, {out, in}));
  LATHE_RETURN_IF_ERROR(checkpoint_.checkScales(*weight.scale));
  use(weight);
  return StoredWeight{weight.tensor->name,
                      quantizedType(weight),
                      {reference(*weight.tensor)},
                      {reference(*weight.scale)},
                      {}};
}

namespace {

// The type of a stack of matrices of one type.
mlir::Type stackOf(int64_t count, mlir::Type matrix) {
  llvm::SmallVector<int64_t> shape = {count};
  llvm::append_range(shape, ir::shapeOf(matrix));
  if (auto codes = mlir::dyn_cast<ir::QuantizedType>(matrix))
    return ir::QuantizedType::get(matrix.getContext(), shape, codes.getElementType(),
                                  codes.getBlockRows(), codes.getBlockColumns(),
                                  codes.getScaleType());
  return mlir::RankedTensorType::get(shape,
                                     mlir::cast<mlir::RankedTensorType>(matrix).getElementType());
}

} // namespace

absl::StatusOr<StoredWeight> Weights::fusedExperts(absl::string_view fused,
                                                   absl::string_view module,
                                                   absl::string_view projection, int64_t count,
                                                   int64_t out, int64_t in) {
  LATHE_ASSIGN_OR_RETURN(const Tensor *tensor, checkpoint_.require(fused));
  if (frontend::isFloat8(tensor->dtype))
    return wrong(*tensor, StrCat("is ", name(tensor->dtype),
                                 "; experts in one tensor should be F32, BF16 or F16, experts in "
                                 "FP8 should have a tensor each"));
  const bool halves = projection != "down_proj";
  LATHE_ASSIGN_OR_RETURN(StoredWeight weight, floats(fused, {count, halves ? 2 * out : out, in}));
  weight.name = StrCat(module, ".", projection);
  if (!halves)
    return weight;
  const int64_t begin = projection == "gate_proj" ? 0 : out;
  weight.rows = {begin, begin + out};
  weight.type = mlir::RankedTensorType::get({count, out, in}, elementType(context_, tensor->dtype));
  return weight;
}

absl::StatusOr<StoredWeight> Weights::experts(absl::string_view module,
                                              absl::string_view projection, int64_t count,
                                              int64_t out, int64_t in) {
  const std::string fused =
      StrCat(module, projection == "down_proj" ? ".down_proj" : ".gate_up_proj");
  if (has(fused))
    return fusedExperts(fused, module, projection, count, out, in);
  StoredWeight stack{StrCat(module, ".", projection), {}, {}, {}, {}};
  std::string first;
  for (int64_t expert = 0; expert < count; ++expert) {
    LATHE_ASSIGN_OR_RETURN(StoredWeight one,
                           linear(StrCat(module, ".", expert, ".", projection), out, in));
    if (expert == 0)
      first = one.name, stack.type = one.type;
    if (one.type != stack.type)
      return wrong(*checkpoint_.find(one.name),
                   StrCat("is stored in another way than ", frontend::quotedName(first),
                          "; the experts of a layer should have one type and one kind of scale"));
    llvm::append_range(stack.sources, one.sources);
    llvm::append_range(stack.scales, one.scales);
  }
  stack.type = stackOf(count, stack.type);
  return stack;
}

} // namespace lathe::models
