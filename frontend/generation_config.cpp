#include "frontend/generation_config.h"

#include <algorithm>

#include "base/status.h"

namespace lathe::frontend {
namespace {

// An id, or a list of ids; nullopt: not said.
absl::StatusOr<std::optional<std::vector<int64_t>>>
readIds(const ConfigReader &config, absl::string_view key, int64_t vocab_size) {
  if (!config.has(key)) {
    config.accept(key);
    return std::nullopt;
  }
  if (config.json()[std::string(key)].is_array()) {
    LATHE_ASSIGN_OR_RETURN(std::vector<int64_t> ids, config.integers(key, 0, vocab_size - 1));
    return ids;
  }
  LATHE_ASSIGN_OR_RETURN(int64_t id, config.integer(key, 0, vocab_size - 1));
  return std::vector<int64_t>{id};
}

absl::StatusOr<std::optional<int64_t>> readId(const ConfigReader &config, absl::string_view key,
                                              int64_t vocab_size) {
  LATHE_ASSIGN_OR_RETURN(auto ids, readIds(config, key, vocab_size));
  if (!ids || ids->empty())
    return std::nullopt;
  return ids->front();
}

// Padding is never computed, and some files say -1: such an id counts as none.
std::optional<int64_t> readPadding(const ConfigReader &config, int64_t vocab_size) {
  auto id = readId(config, "pad_token_id", vocab_size);
  return id.ok() ? *id : std::nullopt;
}

absl::Status readTokens(const ConfigReader &config, int64_t vocab_size, GenerationConfig &result) {
  LATHE_ASSIGN_OR_RETURN(auto eos, readIds(config, "eos_token_id", vocab_size));
  if (eos)
    result.eos_ids = *std::move(eos);
  LATHE_ASSIGN_OR_RETURN(auto bos, readId(config, "bos_token_id", vocab_size));
  if (bos)
    result.bos_id = bos;
  if (auto padding = readPadding(config, vocab_size))
    result.pad_id = padding;
  return absl::OkStatus();
}

absl::Status readSampling(const ConfigReader &config, GenerationConfig &result) {
  LATHE_ASSIGN_OR_RETURN(result.do_sample, config.booleanOr("do_sample", result.do_sample));
  LATHE_ASSIGN_OR_RETURN(result.temperature,
                         config.numberOr("temperature", result.temperature, 0, 1000));
  LATHE_ASSIGN_OR_RETURN(result.top_p, config.numberOr("top_p", result.top_p, 0, 1));
  LATHE_ASSIGN_OR_RETURN(result.min_p, config.numberOr("min_p", result.min_p, 0, 1));
  LATHE_ASSIGN_OR_RETURN(result.top_k, config.integerOr("top_k", result.top_k, -1, 1'000'000'000));
  result.top_k = std::max<int64_t>(result.top_k, 0); // -1 is a way to write "no limit"
  return absl::OkStatus();
}

} // namespace

absl::StatusOr<GenerationConfig> readGenerationConfig(const ConfigReader &config,
                                                      const ConfigReader *own, int64_t vocab_size) {
  GenerationConfig result;
  LATHE_RETURN_IF_ERROR(readTokens(config, vocab_size, result));
  if (own) {
    LATHE_RETURN_IF_ERROR(readTokens(*own, vocab_size, result));
    LATHE_RETURN_IF_ERROR(readSampling(*own, result));
  }
  return result;
}

absl::StatusOr<GenerationConfig>
readGenerationConfig(const Checkpoint &checkpoint, const ConfigReader &config, int64_t vocab_size) {
  if (!checkpoint.generationConfig())
    return readGenerationConfig(config, nullptr, vocab_size);
  LATHE_ASSIGN_OR_RETURN(
      ConfigReader own,
      ConfigReader::parse(*checkpoint.generationConfig(),
                          absl::StrCat(checkpoint.folder(), "/generation_config.json")));
  return readGenerationConfig(config, &own, vocab_size);
}

} // namespace lathe::frontend
