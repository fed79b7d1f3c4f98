#include "passes/specialise/prefill_chunk.h"

#include "passes/cost/prefill.h"
#include "passes/cost/text.h"

namespace lathe::passes {

namespace {

std::string rowsText(int64_t rows) { return std::to_string(rows) + " rows"; }

// The times of a choice and the memory that it takes.
std::string costText(llvm::ArrayRef<cost::Table> tables, const cost::ChunkChoice &choice) {
  return cost::timesText(tables, choice.seconds) + ", arena about " +
         cost::withPrefix(choice.arena_bytes) + (choice.fits ? "B" : "B: too much");
}

std::string whyText(const cost::Prefill &prefill, int64_t tokens) {
  return "a prompt of " + std::to_string(tokens) + " tokens; the arena should stay below " +
         cost::withPrefix(cost::arenaRoom(prefill)) + "B; of times within 2 % the smallest chunk";
}

Decision decisionFor(size_t chosen, llvm::ArrayRef<cost::ChunkChoice> choices,
                     llvm::ArrayRef<cost::Table> tables, std::string why) {
  Decision decision{"lathe-specialise-steps", "prefill_chunk", rowsText(choices[chosen].rows),
                    std::move(why), costText(tables, choices[chosen])};
  for (const cost::ChunkChoice &choice : choices)
    if (choice.rows != choices[chosen].rows)
      decision.alternatives.push_back({rowsText(choice.rows), costText(tables, choice)});
  return decision;
}

PrefillChunk withoutCosts(int64_t rows, std::string why) {
  return {rows, {"lathe-specialise-steps", "prefill_chunk", rowsText(rows), std::move(why)}};
}

} // namespace

PrefillChunk choosePrefillChunk(mlir::func::FuncOp step, int64_t asked, int64_t most,
                                llvm::StringRef activations, llvm::ArrayRef<cost::Table> tables) {
  if (asked > 0)
    return withoutCosts(std::min(asked, most), "asked for");
  if (tables.empty())
    return withoutCosts(std::min(cost::kPrefillChunk, most), "no target says what rows cost");
  const cost::Prefill prefill(step, activations);
  const int64_t tokens = std::min(cost::kExpectedContext, most);
  const auto choices = cost::chunkChoices(prefill, tables, most, tokens);
  const size_t chosen = cost::bestChunk(choices);
  return {choices[chosen].rows, decisionFor(chosen, choices, tables, whyText(prefill, tokens))};
}

} // namespace lathe::passes
