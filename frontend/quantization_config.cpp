#include "frontend/quantization_config.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "frontend/name_pattern.h"
#include "frontend/quote.h"

namespace lathe::frontend {
namespace {

constexpr int64_t kMaxBlock = 65536, kMaxExpressions = 64;

absl::Status unsupported(const ConfigReader &config, absl::string_view what) {
  return absl::UnimplementedError(
      absl::StrCat(config.source(), ": quantization ", what,
                   " is not yet supported; supported are fp8 (e4m3, per tensor or in blocks) and "
                   "compressed-tensors float-quantized"));
}

// [rows, columns]
absl::Status readBlock(const ConfigReader &config, absl::string_view key, WeightFormat &format) {
  LATHE_ASSIGN_OR_RETURN(std::vector<int64_t> block, config.integers(key, 1, kMaxBlock));
  if (block.size() != 2)
    return config.keyError(
        key, absl::StrCat("has ", block.size(), " numbers; it should be [rows, columns]"));
  format.granularity = ScaleGranularity::block;
  format.block_rows = block[0];
  format.block_columns = block[1];
  return absl::OkStatus();
}

// DeepSeek's blocks when there is a block size, else one scale per tensor.
absl::StatusOr<WeightFormat> readFp8Format(const ConfigReader &config) {
  WeightFormat format;
  LATHE_ASSIGN_OR_RETURN(std::string fmt, config.stringOr("fmt", "e4m3"));
  if (fmt != "e4m3")
    return unsupported(config, absl::StrCat("fp8 with fmt ", quotedName(fmt)));
  LATHE_ASSIGN_OR_RETURN(std::string scheme, config.stringOr("activation_scheme", "dynamic"));
  if (scheme != "dynamic" && scheme != "static")
    return config.keyError("activation_scheme", absl::StrCat("is ", quotedName(scheme),
                                                             "; it should be dynamic or static"));
  if (!config.has("weight_block_size")) {
    config.accept("weight_block_size");
    format.granularity = ScaleGranularity::tensor;
    format.scale_name = ".weight_scale";
    format.input_scale_name = scheme == "static" ? ".input_scale" : "";
    return format;
  }
  if (scheme == "static")
    return unsupported(config, "fp8 in blocks with static activation scales");
  LATHE_RETURN_IF_ERROR(readBlock(config, "weight_block_size", format));
  format.scale_name = ".weight_scale_inv";
  return format;
}

absl::StatusOr<bool> readScaleFormat(const ConfigReader &config) {
  LATHE_ASSIGN_OR_RETURN(auto scale_format, config.nullableString("scale_fmt"));
  if (scale_format && *scale_format != "ue8m0")
    return unsupported(config, absl::StrCat("fp8 with scale_fmt ", quotedName(*scale_format)));
  return scale_format.has_value();
}

// "block_structure" is a list, or "128x128" in files of older versions.
absl::Status readBlockStructure(const ConfigReader &weights, WeightFormat &format) {
  auto at = weights.json().find("block_structure");
  bool is_old_default = at != weights.json().end() && at->is_string() &&
                        at->get_ref<const std::string &>() == "128x128";
  if (!is_old_default)
    return readBlock(weights, "block_structure", format);
  weights.accept("block_structure");
  format.granularity = ScaleGranularity::block;
  format.block_rows = format.block_columns = 128;
  return absl::OkStatus();
}

absl::Status readStrategy(const ConfigReader &weights, WeightFormat &format) {
  LATHE_ASSIGN_OR_RETURN(std::string strategy, weights.string("strategy"));
  if (strategy == "block")
    return readBlockStructure(weights, format);
  weights.accept("block_structure");
  if (strategy == "tensor")
    format.granularity = ScaleGranularity::tensor;
  else if (strategy == "channel")
    format.granularity = ScaleGranularity::channel;
  else
    return unsupported(weights,
                       absl::StrCat("compressed-tensors with strategy ", quotedName(strategy)));
  return absl::OkStatus();
}

absl::StatusOr<WeightFormat> readCompressedWeights(const ConfigReader &weights) {
  for (absl::string_view unused :
       {"observer", "observer_kwargs", "actorder", "group_size", "scale_dtype", "zp_dtype"})
    weights.accept(unused); // how scales were found, or only for integers and groups
  LATHE_ASSIGN_OR_RETURN(std::string type, weights.string("type"));
  LATHE_ASSIGN_OR_RETURN(int64_t bits, weights.integer("num_bits", 1, 64));
  if (type != "float" || bits != 8)
    return unsupported(weights, absl::StrCat("compressed-tensors with ", bits, "-bit ",
                                             quotedName(type), " weights"));
  LATHE_ASSIGN_OR_RETURN(bool symmetric, weights.booleanOr("symmetric", true));
  LATHE_ASSIGN_OR_RETURN(bool dynamic, weights.booleanOr("dynamic", false));
  if (!symmetric || dynamic)
    return unsupported(weights, "compressed-tensors with asymmetric or dynamic weights");
  WeightFormat format;
  LATHE_RETURN_IF_ERROR(readStrategy(weights, format));
  format.scale_name = ".weight_scale";
  LATHE_RETURN_IF_ERROR(weights.finish());
  return format;
}

// Activations: only whether a static scale may lie in the file. They run as this compiler's own
// activation mode says.
absl::Status readCompressedActivations(const ConfigReader &group, WeightFormat &format) {
  LATHE_ASSIGN_OR_RETURN(auto activations, group.object("input_activations"));
  if (!activations)
    return absl::OkStatus();
  LATHE_ASSIGN_OR_RETURN(std::string type, activations->stringOr("type", "float"));
  LATHE_ASSIGN_OR_RETURN(int64_t bits, activations->integerOr("num_bits", 8, 1, 64));
  if (type != "float" || bits != 8)
    return unsupported(group, absl::StrCat("compressed-tensors with ", bits, "-bit ",
                                           quotedName(type), " activations"));
  for (const std::string &key : activations->keys())
    activations->accept(key);
  LATHE_ASSIGN_OR_RETURN(bool dynamic, activations->booleanOr("dynamic", false));
  format.input_scale_name = dynamic ? "" : ".input_scale";
  return absl::OkStatus();
}

absl::Status checkCompressedFormat(const ConfigReader &config) {
  LATHE_ASSIGN_OR_RETURN(auto format, config.nullableString("format"));
  if (format && *format != "float-quantized" && *format != "naive-quantized")
    return unsupported(config,
                       absl::StrCat("compressed-tensors with format ", quotedName(*format)));
  return absl::OkStatus();
}

using Patterns = std::vector<std::shared_ptr<const NamePattern>>;

absl::StatusOr<Patterns> readTargets(const ConfigReader &config, absl::string_view key) {
  LATHE_ASSIGN_OR_RETURN(std::vector<std::string> texts, config.strings(key));
  Patterns patterns;
  for (const std::string &text : texts) {
    auto pattern = NamePattern::target(text);
    if (!pattern.ok())
      return config.keyError(
          key, absl::StrCat("holds a pattern that cannot be used: ", pattern.status().message()));
    patterns.push_back(*std::move(pattern));
  }
  return patterns;
}

absl::StatusOr<Patterns> readNotConverted(const ConfigReader &config) {
  Patterns patterns;
  for (absl::string_view key : {"modules_to_not_convert", "ignored_layers"}) {
    LATHE_ASSIGN_OR_RETURN(std::vector<std::string> names, config.strings(key));
    for (const std::string &name : names)
      patterns.push_back(NamePattern::component(name));
  }
  return patterns;
}

bool anyMatches(const Patterns &patterns, absl::string_view module,
                absl::string_view module_class) {
  for (const auto &pattern : patterns)
    if (pattern->matches(module, module_class))
      return true;
  return false;
}

// Sparsity and transforms change what weights mean; empty ones do not.
absl::Status refuseWhenPresent(const ConfigReader &config, absl::string_view key) {
  LATHE_ASSIGN_OR_RETURN(auto object, config.object(key));
  if (!object)
    return absl::OkStatus();
  LATHE_ASSIGN_OR_RETURN(std::string format, object->stringOr("format", "dense"));
  bool dense_sparsity = key == "sparsity_config" && format == "dense";
  if (!object->json().empty() && !dense_sparsity)
    return unsupported(config, absl::StrCat("compressed-tensors with ", key));
  for (const std::string &inner : object->keys())
    object->accept(inner);
  return absl::OkStatus();
}

} // namespace

absl::StatusOr<QuantizationConfig> QuantizationConfig::read(const ConfigReader &config) {
  QuantizationConfig result;
  LATHE_ASSIGN_OR_RETURN(auto section, config.object("quantization_config"));
  if (!section) {
    LATHE_ASSIGN_OR_RETURN(section, config.object("compression_config"));
  }
  if (!section)
    return result;
  LATHE_ASSIGN_OR_RETURN(std::string method, section->string("quant_method"));
  if (method == "fp8")
    LATHE_RETURN_IF_ERROR(result.readFp8(*section));
  else if (method == "compressed-tensors")
    LATHE_RETURN_IF_ERROR(result.readCompressedTensors(*section));
  else
    return unsupported(*section, absl::StrCat("method ", quotedName(method)));
  LATHE_RETURN_IF_ERROR(section->finish());
  return result;
}

absl::Status QuantizationConfig::readFp8(const ConfigReader &section) {
  method_ = QuantizationMethod::fp8;
  section.accept("dequantize"); // what the reference does on hardware without FP8
  LATHE_ASSIGN_OR_RETURN(WeightFormat format, readFp8Format(section));
  LATHE_ASSIGN_OR_RETURN(ue8m0_activations_, readScaleFormat(section));
  LATHE_ASSIGN_OR_RETURN(ignored_, readNotConverted(section));
  LATHE_ASSIGN_OR_RETURN(auto linear, NamePattern::target("Linear"));
  groups_.push_back({{std::move(linear)}, std::move(format)});
  return absl::OkStatus();
}

absl::Status QuantizationConfig::readCompressedTensors(const ConfigReader &section) {
  method_ = QuantizationMethod::compressed_tensors;
  for (absl::string_view unused :
       {"version", "quantization_status", "global_compression_ratio", "quantization_version"})
    section.accept(unused);
  LATHE_RETURN_IF_ERROR(checkCompressedFormat(section));
  if (section.has("kv_cache_scheme"))
    return unsupported(section, "compressed-tensors with kv_cache_scheme");
  LATHE_RETURN_IF_ERROR(refuseWhenPresent(section, "sparsity_config"));
  LATHE_RETURN_IF_ERROR(refuseWhenPresent(section, "transform_config"));
  LATHE_ASSIGN_OR_RETURN(ignored_, readTargets(section, "ignore"));
  LATHE_ASSIGN_OR_RETURN(auto groups, section.object("config_groups"));
  if (!groups || groups->json().empty())
    return section.keyError("config_groups",
                            "is missing or empty; it should say how weights are stored");
  for (const std::string &key : groups->keys())
    LATHE_RETURN_IF_ERROR(readGroup(*groups, key));
  return checkExpressions(section);
}

// Each of them is tried on the name of every module.
absl::Status QuantizationConfig::checkExpressions(const ConfigReader &section) const {
  auto count = [](const Patterns &patterns) {
    return std::count_if(patterns.begin(), patterns.end(),
                         [](const auto &pattern) { return pattern->isExpression(); });
  };
  int64_t expressions = count(ignored_);
  for (const Group &group : groups_)
    expressions += count(group.targets);
  if (expressions <= kMaxExpressions)
    return absl::OkStatus();
  return section.keyError("config_groups", absl::StrCat("and 'ignore' have ", expressions,
                                                        " regular expressions; at most ",
                                                        kMaxExpressions, " are allowed"));
}

absl::Status QuantizationConfig::readGroup(const ConfigReader &groups, absl::string_view key) {
  LATHE_ASSIGN_OR_RETURN(auto group, groups.object(key));
  if (!group)
    return groups.keyError(key, "is null; it should be an object");
  LATHE_RETURN_IF_ERROR(checkCompressedFormat(*group));
  LATHE_ASSIGN_OR_RETURN(auto weights, group->object("weights"));
  if (!weights)
    return unsupported(groups, "compressed-tensors of activations only");
  if (group->has("output_activations"))
    return unsupported(groups, "compressed-tensors with output_activations");
  LATHE_ASSIGN_OR_RETURN(WeightFormat format, readCompressedWeights(*weights));
  LATHE_RETURN_IF_ERROR(readCompressedActivations(*group, format));
  LATHE_ASSIGN_OR_RETURN(auto targets, readTargets(*group, "targets"));
  groups_.push_back({std::move(targets), std::move(format)});
  return absl::OkStatus();
}

WeightFormat QuantizationConfig::format(absl::string_view module,
                                        absl::string_view module_class) const {
  if (anyMatches(ignored_, module, module_class))
    return {};
  for (const Group &group : groups_) {
    if (!anyMatches(group.targets, module, module_class))
      continue;
    WeightFormat format = group.format;
    format.scale_name = absl::StrCat(module, format.scale_name);
    if (!format.input_scale_name.empty())
      format.input_scale_name = absl::StrCat(module, format.input_scale_name);
    return format;
  }
  return {};
}

} // namespace lathe::frontend
