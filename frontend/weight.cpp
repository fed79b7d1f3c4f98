#include "frontend/weight.h"

#include "base/status.h"
#include "frontend/quote.h"

namespace lathe::frontend {
namespace {

absl::Status error(const Tensor &tensor, absl::string_view message) {
  return absl::InvalidArgumentError(
      absl::StrCat(tensor.file, ": tensor ", quotedName(tensor.name), ": ", message));
}

int64_t ceilDivide(int64_t value, int64_t by) { return value / by + (value % by != 0); }

std::vector<int64_t> blockGrid(const Tensor &weight, const WeightFormat &format) {
  return {ceilDivide(weight.shape[0], format.block_rows),
          ceilDivide(weight.shape[1], format.block_columns)};
}

absl::Status checkScaleShape(const Tensor &weight, const Tensor &scale,
                             const WeightFormat &format) {
  int64_t rows = weight.shape[0];
  bool fits = false;
  std::vector<int64_t> expected = {1};
  switch (format.granularity) {
  case ScaleGranularity::none:
  case ScaleGranularity::tensor: fits = elementCount(scale) == 1; break;
  case ScaleGranularity::channel:
    expected = {rows, 1};
    fits = scale.shape == expected || scale.shape == std::vector<int64_t>{rows};
    break;
  case ScaleGranularity::block:
    expected = blockGrid(weight, format);
    fits = scale.shape == expected;
    break;
  }
  if (fits)
    return absl::OkStatus();
  return error(scale, absl::StrCat("has shape ", shapeText(scale.shape), "; for ",
                                   quotedName(weight.name), " of shape ", shapeText(weight.shape),
                                   " it should be ", shapeText(expected)));
}

absl::Status checkQuantised(const Tensor &weight, const Tensor &scale, const WeightFormat &format) {
  if (weight.dtype != DType::f8_e4m3)
    return error(weight, absl::StrCat("is ", name(weight.dtype), " but has a scale, ",
                                      quotedName(scale.name), "; it should be F8_E4M3"));
  if (!isScaleType(scale.dtype))
    return error(scale, absl::StrCat("is ", name(scale.dtype),
                                     "; a scale should be F32, BF16, F16 or F8_E8M0"));
  return checkScaleShape(weight, scale, format);
}

// A scale that the config does not speak of.
const Tensor *strayScale(const Checkpoint &checkpoint, absl::string_view module) {
  const Tensor *scale = checkpoint.find(absl::StrCat(module, ".weight_scale_inv"));
  return scale ? scale : checkpoint.find(absl::StrCat(module, ".weight_scale"));
}

absl::Status checkPlain(const Checkpoint &checkpoint, const Tensor &weight,
                        const WeightFormat &format, absl::string_view module) {
  if (const Tensor *scale = strayScale(checkpoint, module))
    return error(*scale, "is a scale, but by config.json this module has none of that name");
  if (isFloat8(weight.dtype) && format.granularity == ScaleGranularity::none)
    return error(weight, absl::StrCat("is ", name(weight.dtype),
                                      " but config.json's quantization_config does not cover it"));
  if (isFloat8(weight.dtype))
    return error(weight, absl::StrCat("is ", name(weight.dtype), " but its scale ",
                                      quotedName(format.scale_name), " is missing"));
  if (!isFloat(weight.dtype) || weight.dtype == DType::f8_e8m0)
    return error(weight, absl::StrCat("is ", name(weight.dtype), "; a weight should be a float"));
  return absl::OkStatus();
}

} // namespace

absl::StatusOr<Weight> findWeight(const Checkpoint &checkpoint, const QuantizationConfig &config,
                                  absl::string_view module) {
  LATHE_ASSIGN_OR_RETURN(const Tensor *tensor, checkpoint.require(absl::StrCat(module, ".weight")));
  if (tensor->shape.size() != 2)
    return error(*tensor,
                 absl::StrCat("has shape ", shapeText(tensor->shape), "; it should be [out, in]"));
  WeightFormat format = config.format(module);
  Weight weight{tensor};
  if (format.granularity != ScaleGranularity::none)
    weight.scale = checkpoint.find(format.scale_name);
  if (!weight.scale) {
    LATHE_RETURN_IF_ERROR(checkPlain(checkpoint, *tensor, format, module));
    return weight;
  }
  LATHE_RETURN_IF_ERROR(checkQuantised(*tensor, *weight.scale, format));
  weight.granularity = format.granularity;
  weight.block_rows = format.block_rows;
  weight.block_columns = format.block_columns;
  return weight;
}

} // namespace lathe::frontend
