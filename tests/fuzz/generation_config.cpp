// Any bytes as two texts: config.json is the first line, generation_config.json the rest, where
// there is one. What is taken must be fit for a sampler: ids of the vocabulary, numbers in range.
#include <cstdint>
#include <cstdlib>

#include "frontend/generation_config.h"

using namespace lathe::frontend;

static constexpr int64_t kVocabSize = 1000;

static void require(bool holds) {
  if (!holds)
    std::abort();
}

static void requireToken(std::optional<int64_t> id) {
  require(!id || (*id >= 0 && *id < kVocabSize));
}

static bool isBetween(double value, double least, double most) {
  return value >= least && value <= most;
}

static void read(const ConfigReader &config, const ConfigReader *own) {
  auto read = readGenerationConfig(config, own, kVocabSize);
  if (!read.ok()) {
    require(read.status().message().size() < 1000);
    return;
  }
  for (int64_t id : read->eos_ids)
    requireToken(id);
  requireToken(read->bos_id);
  requireToken(read->pad_id);
  require(isBetween(read->temperature, 0, 1000) && isBetween(read->top_p, 0, 1));
  require(isBetween(read->min_p, 0, 1) && read->top_k >= 0);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  absl::string_view text(reinterpret_cast<const char *>(data), size);
  size_t line = text.find('\n');
  auto config = ConfigReader::parse(text.substr(0, line), "config.json");
  if (!config.ok())
    return 0;
  if (line == absl::string_view::npos) {
    read(*config, nullptr);
    return 0;
  }
  auto own = ConfigReader::parse(text.substr(line + 1), "generation_config.json");
  if (own.ok())
    read(*config, &*own);
  return 0;
}
