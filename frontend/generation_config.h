// Special token ids and sampling defaults, from generation_config.json over config.json.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"

#include "frontend/checkpoint.h"
#include "frontend/config.h"

namespace lathe::frontend {

struct GenerationConfig {
  std::vector<int64_t> eos_ids; // empty: generation ends by length only
  std::optional<int64_t> bos_id, pad_id;
  bool do_sample = false;
  double temperature = 1, top_p = 1, min_p = 0;
  int64_t top_k = 0; // 0: no limit
};

// Ids must be smaller than vocab_size. Marks the id and sampling keys of `config` as read. Keys of
// generation_config.json beyond those above are advice for a sampler we do not have and are left.
// `own` reads generation_config.json; nullptr: there is none.
absl::StatusOr<GenerationConfig> readGenerationConfig(const ConfigReader &config,
                                                      const ConfigReader *own, int64_t vocab_size);
absl::StatusOr<GenerationConfig>
readGenerationConfig(const Checkpoint &checkpoint, const ConfigReader &config, int64_t vocab_size);

} // namespace lathe::frontend
