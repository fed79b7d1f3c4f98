#include "backends/x86/program_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "backends/x86/kernels/frame.h"

namespace lathe::x86 {
namespace {

constexpr const char *kBuffers[] = {"tokens", "slots",   "positions", "output_rows", "logits",
                                    "arena",  "weights", "state",     "constants"};
constexpr const char *kRowSources[] = {"", " x rows", " x output_rows", " x context"};

using Copies = std::map<int64_t, const PackedCopy *>;

Copies copiesByOffset(const WeightPlan &weights) {
  Copies result;
  for (const PackedCopy &copy : weights.copies())
    result[copy.offset] = &copy;
  return result;
}

std::string operandText(int64_t operand, const Copies &copies) {
  if (operand == no_operand)
    return "-";
  int64_t buffer = bufferOf(operand), offset = offsetOf(operand);
  if (buffer != Buffer::weights)
    return absl::StrCat(kBuffers[buffer], "+", offset);
  auto copy = copies.find(offset);
  return copy == copies.end() ? absl::StrCat("weights+", offset)
                              : absl::StrCat(copy->second->name, ":", copy->second->layout);
}

std::string itemsText(const RegionUse &region) {
  if (region.row_source == RowSource::none)
    return absl::StrCat(region.items);
  std::string rows = kRowSources[region.row_source];
  if (region.row_factor != 1)
    absl::StrAppend(&rows, " x ", region.row_factor);
  if (region.rows_per_item != 1)
    absl::StrAppend(&rows, " / ", region.rows_per_item);
  return absl::StrCat(region.items, rows);
}

const char *barrierText(const RegionUse &region) {
  return region.serial ? "serial" : region.joined ? "joined" : "";
}

void appendStep(std::string &text, const Program &program, const StepProgram &step,
                const Copies &copies) {
  int64_t barriers = 0;
  for (const RegionUse &region : step.regions)
    barriers += !region.serial && !region.joined;
  absl::StrAppend(&text, "step ", step.name, ": at most ", step.max_rows, " rows, ",
                  step.regions.size(), " regions, at most ", barriers, " barriers, arena ",
                  step.arena_bytes, " bytes, state ", step.state_bytes, " bytes\n");
  for (const RegionUse &region : step.regions) {
    absl::StrAppendFormat(&text, "  %-24s task %-4d %-18s items %-26s %-7s", region.origin,
                          region.kernel, program.kernels[region.kernel].kernel, itemsText(region),
                          barrierText(region));
    for (int64_t operand : region.operands)
      absl::StrAppend(&text, " ", operandText(operand, copies));
    absl::StrAppend(&text, "\n");
  }
}

} // namespace

std::string programText(const Program &program, const WeightPlan &weights) {
  Copies copies = copiesByOffset(weights);
  std::string text = absl::StrCat(program.kernels.size(), " tasks (kernels with their constants), ",
                                  program.constants.size(), " bytes of constants\n");
  for (const StepProgram &step : program.steps)
    appendStep(text, program, step, copies);
  return text;
}

uint64_t decodeWeightBytes(const Program &program, const WeightPlan &weights) {
  Copies copies = copiesByOffset(weights);
  std::map<const PackedCopy *, double> shares;
  auto note = [&](const RegionUse &region, int64_t operand) {
    auto copy = copies.find(offsetOf(operand));
    if (operand == no_operand || bufferOf(operand) != Buffer::weights || copy == copies.end())
      return;
    double &share = shares[copy->second];
    share = std::max(share, region.weight_share);
  };
  for (const StepProgram &step : program.steps) {
    if (step.name != "decode")
      continue;
    for (const RegionUse &region : step.regions)
      for (int64_t operand : region.operands)
        note(region, operand);
  }
  double bytes = 0;
  for (auto [copy, share] : shares)
    bytes += share * copy->size;
  return static_cast<uint64_t>(bytes);
}

} // namespace lathe::x86
