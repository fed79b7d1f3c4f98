// Any bytes as config.json, read as a recipe reads it: rope with its table, quantisation with the
// formats that it promises, and whatever is left over.
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "frontend/config.h"
#include "frontend/quantization_config.h"
#include "frontend/rope_config.h"

using namespace lathe::frontend;

static void require(bool holds) {
  if (!holds)
    std::abort();
}

static void readRope(const ConfigReader &config) {
  auto rope = RopeConfig::read(config);
  if (!rope.ok())
    return;
  for (int64_t max_context : {int64_t{1}, rope->defaultMaxContext(), int64_t{1} << 20})
    for (int64_t dim : {2, 4, 64}) {
      auto table = rope->table(dim, max_context);
      if (!table.ok())
        continue;
      require(static_cast<int64_t>(table->inverse_frequencies.size()) == dim / 2);
      for (float frequency : table->inverse_frequencies)
        require(std::isfinite(frequency) && frequency > 0);
    }
  (void)rope->softmaxScaleFactor();
}

static void readQuantization(const ConfigReader &config) {
  auto quantization = QuantizationConfig::read(config);
  if (!quantization.ok())
    return;
  for (const char *module :
       {"lm_head", "model.layers.0.self_attn.kv_b_proj", "model.layers.11.mlp.gate"}) {
    WeightFormat format = quantization->format(module);
    bool blocks = format.block_rows > 0 && format.block_columns > 0;
    require(blocks == (format.granularity == ScaleGranularity::block));
  }
}

static void readDimensions(const ConfigReader &config) {
  (void)readArchitecture(config);
  (void)config.integer("hidden_size", 1, 1 << 20);
  (void)config.integerOr("num_key_value_heads", 1, 1, 1 << 20);
  (void)config.positiveNumber("rms_norm_eps");
  (void)config.booleanOr("tie_word_embeddings", false);
  (void)config.stringOr("hidden_act", "silu");
  (void)config.integers("mlp_only_layers", 0, 1 << 20);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  absl::string_view text(reinterpret_cast<const char *>(data), size);
  auto config = ConfigReader::parse(text, "config.json");
  if (!config.ok()) {
    require(config.status().message().size() < 1000);
    return 0;
  }
  readDimensions(*config);
  readRope(*config);
  readQuantization(*config);
  (void)config->finish();
  return 0;
}
