#include "tools/lathe/run_stats.h"

#include "absl/strings/str_cat.h"

#include "tools/lathe/table.h"
#include "tools/lathe/units.h"

namespace lathe::cli {
namespace {

// A single new token is chosen from the prompt's logits, so no decode step was timed.
std::string decodeText(const runtime::GenerateStats &stats) {
  return stats.new_tokens > 1 ? rateText(stats.decodeRate()) : "-";
}

} // namespace

std::string statsText(const runtime::GenerateStats &stats) {
  return formatTable({
      {"load", secondsText(stats.load_seconds)},
      {"prefill", rateText(stats.prefillRate()),
       absl::StrCat(stats.prompt_tokens, " tokens in ", secondsText(stats.prefill_seconds))},
      {"first token", secondsText(stats.first_token_seconds)},
      {"decode", decodeText(stats),
       absl::StrCat(stats.new_tokens, " tokens in ", secondsText(stats.decode_seconds))},
  });
}

nlohmann::ordered_json statsJson(const runtime::GenerateStats &stats) {
  return {{"prompt_tokens", stats.prompt_tokens},
          {"new_tokens", stats.new_tokens},
          {"load_seconds", stats.load_seconds},
          {"prefill_seconds", stats.prefill_seconds},
          {"first_token_seconds", stats.first_token_seconds},
          {"decode_seconds", stats.decode_seconds},
          {"prefill_tokens_per_second", stats.prefillRate()},
          {"decode_tokens_per_second", stats.new_tokens > 1 ? stats.decodeRate() : 0}};
}

} // namespace lathe::cli
