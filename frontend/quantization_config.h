// How a checkpoint's weights are quantised, as config.json's quantization_config says.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "frontend/config.h"

namespace lathe::frontend {

enum class ScaleGranularity {
  none,    // stored as it is, no scale
  tensor,  // one scale: shape [] or [1]
  channel, // one per output row: [out, 1] (or [out])
  block,   // one per block: [ceil(out / block_rows), ceil(in / block_columns)]
};

// What one module's weight looks like in the file: w = decode(weight) * scale.
struct WeightFormat {
  ScaleGranularity granularity = ScaleGranularity::none;
  std::string scale_name;       // "model.layers.0.mlp.up_proj.weight_scale_inv"
  std::string input_scale_name; // static activation scale, may be in the file; not used
  int64_t block_rows = 0, block_columns = 0;
};

enum class QuantizationMethod { none, fp8, compressed_tensors };

class NamePattern; // a plain name, or a regular expression ("re:...")

class QuantizationConfig {
public:
  // Reads `quantization_config` (and the older `compression_config`). A method other than
  // DeepSeek's or legacy FP8 and compressed-tensors' float-quantized is UNIMPLEMENTED and named.
  static absl::StatusOr<QuantizationConfig> read(const ConfigReader &config);

  QuantizationMethod method() const { return method_; }
  // True when activation scales are rounded to powers of two (scale_fmt "ue8m0") in w8a8 products.
  bool activationScalesArePowersOfTwo() const { return ue8m0_activations_; }

  // The format that the config promises for a module ("model.layers.0.mlp.up_proj", without
  // ".weight"). Embeddings and norms are never quantised; what the file holds decides about a
  // module that the config leaves open (see weight.h). `module_class` is what `targets` names.
  WeightFormat format(absl::string_view module, absl::string_view module_class = "Linear") const;

private:
  struct Group {
    std::vector<std::shared_ptr<const NamePattern>> targets;
    WeightFormat format; // names hold suffixes (".weight_scale")
  };
  absl::Status readFp8(const ConfigReader &section);
  absl::Status readCompressedTensors(const ConfigReader &section);
  absl::Status readGroup(const ConfigReader &groups, absl::string_view key);
  absl::Status checkExpressions(const ConfigReader &section) const;

  QuantizationMethod method_ = QuantizationMethod::none;
  bool ue8m0_activations_ = false;
  std::vector<std::shared_ptr<const NamePattern>> ignored_;
  std::vector<Group> groups_;
};

} // namespace lathe::frontend
