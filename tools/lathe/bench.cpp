// `lathe bench`: how fast a model runs, and how near that is to what the machine allows.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "base/status.h"
#include "runtime/bench/bench.h"
#include "tools/lathe/console.h"
#include "tools/lathe/device_flags.h"
#include "tools/lathe/interrupt.h"
#include "tools/lathe/table.h"
#include "tools/lathe/units.h"
#include "tools/lathe/verb.h"

namespace lathe::cli {
namespace {

using runtime::BenchOptions;
using runtime::BenchResult;
using runtime::Bounded;
using runtime::Limits;
using Rows = std::vector<std::vector<std::string>>;

struct BenchFlags {
  std::string file;
  DeviceFlags device;
  std::optional<int64_t> prompt_length, prefill_chunk, decode, depth, repetitions;
  bool profile = false, json = false;
};

struct Measured {
  BenchOptions options;
  BenchResult result;
  std::optional<runtime::Profile> profile;
  Limits limits;
  std::string target;
  uint32_t threads = 1;
  bool is_placed = false; // on several devices: bounds are of the host's alone and say nothing
};

// What is not given is made to fit into a small context.
BenchOptions benchOptions(const BenchFlags &flags, int64_t context) {
  BenchOptions options;
  options.depth = flags.depth.value_or(0);
  int64_t room = std::max<int64_t>(0, context - options.depth);
  options.prompt_length = flags.prompt_length.value_or(std::min<int64_t>(512, room / 2));
  options.decode = flags.decode.value_or(std::min<int64_t>(64, room / 4));
  options.repetitions = static_cast<int>(flags.repetitions.value_or(3));
  return options;
}

// Other users of the machine come and go.
Limits mean(const Limits &before, const Limits &after) {
  return {(before.read_bandwidth + after.read_bandwidth) / 2, (before.flops + after.flops) / 2,
          after.arithmetic};
}

absl::StatusOr<Measured> measure(const BenchFlags &flags, const Interrupt &interrupt) {
  LATHE_ASSIGN_OR_RETURN(auto module, loadModule(flags.file, flags.device));
  int chunk = static_cast<int>(flags.prefill_chunk.value_or(0));
  LATHE_ASSIGN_OR_RETURN(std::unique_ptr<runtime::Session> session,
                         runtime::Session::create(module, {chunk, interrupt.flag()}));
  Measured measured;
  measured.options = benchOptions(flags, session->contextLength());
  measured.target = module->target().name;
  measured.is_placed = module->devices().size() > 1;
  measured.threads = module->device()->properties().parallelism;
  LATHE_ASSIGN_OR_RETURN(Limits before, runtime::measureLimits(*module));
  LATHE_ASSIGN_OR_RETURN(measured.result, runtime::benchmark(*session, measured.options));
  if (flags.profile) {
    LATHE_ASSIGN_OR_RETURN(measured.profile, runtime::profile(*session, measured.options));
  }
  LATHE_ASSIGN_OR_RETURN(Limits after, runtime::measureLimits(*module));
  measured.limits = mean(before, after);
  return measured;
}

nlohmann::ordered_json json(const std::vector<runtime::RegionTime> &regions) {
  auto list = nlohmann::ordered_json::array();
  for (const runtime::RegionTime &region : regions)
    list.push_back(
        {{"region", region.label}, {"calls", region.calls}, {"seconds", region.seconds}});
  return list;
}

void addMemory(const Measured &measured, nlohmann::ordered_json &object) {
  const double bandwidth = measured.limits.read_bandwidth;
  object.update({{"read_bandwidth_bytes_per_second", bandwidth},
                 {"weight_bytes_per_token", measured.result.weights.bytes},
                 {"state_bytes_per_token", measured.result.cache.bytes},
                 {"bandwidth_share", measured.result.bandwidthShare(bandwidth)}});
}

// Nothing of FLOPs where they are not known.
void addBounds(const Measured &measured, nlohmann::ordered_json &object) {
  const BenchResult &result = measured.result;
  const Limits &limits = measured.limits;
  std::optional<Bounded> decode = result.decodeBound(limits),
                         attention = result.attentionBound(limits);
  if (decode)
    object.update({{"weight_flops_per_token", result.weights.flops},
                   {"key_flops_per_token", result.cache.flops},
                   {"peak_flops_per_second", limits.flops},
                   {"peak_of", nameOf(limits.arithmetic)},
                   {"weights_bound_seconds", result.weights.leastSeconds(limits)},
                   {"attention_bound_seconds", result.cache.leastSeconds(limits)},
                   {"decode_seconds", decode->seconds},
                   {"decode_over_bound", decode->ratio()}});
  if (attention)
    object.update(
        {{"attention_seconds", attention->seconds}, {"attention_over_bound", attention->ratio()}});
}

nlohmann::ordered_json json(const Measured &measured) {
  const BenchResult &result = measured.result;
  nlohmann::ordered_json object = {{"target", measured.target},
                                   {"threads", measured.threads},
                                   {"prompt_length", measured.options.prompt_length},
                                   {"decode", measured.options.decode},
                                   {"depth", measured.options.depth},
                                   {"repetitions", measured.options.repetitions},
                                   {"prefill_tokens_per_second", result.prefill_rate},
                                   {"decode_tokens_per_second", result.decode_rate},
                                   {"prefill_rates", result.prefill_rates},
                                   {"decode_rates", result.decode_rates}};
  if (!result.start_rates.empty())
    object.update({{"decode_tokens_per_second_at_0", result.start_rate},
                   {"decode_rates_at_0", result.start_rates}});
  if (!measured.is_placed) {
    addMemory(measured, object);
    addBounds(measured, object);
  }
  if (measured.profile)
    object["profile"] = {{"prefill", json(measured.profile->prefill)},
                         {"decode", json(measured.profile->decode)}};
  return object;
}

std::string spread(const std::vector<double> &rates) {
  if (rates.size() < 2)
    return "";
  auto [least, most] = std::minmax_element(rates.begin(), rates.end());
  return absl::StrCat("(", rateText(*least), " to ", rateText(*most), ")");
}

std::vector<std::string> rateRow(const char *name, int64_t tokens, double rate,
                                 const std::vector<double> &rates) {
  if (rates.empty())
    return {name, "-", "not measured"};
  return {name, rateText(rate), absl::StrCat(tokens, " tokens ", spread(rates))};
}

Rows startRows(const BenchResult &result, int64_t tokens) {
  if (result.start_rates.empty())
    return {};
  return {rateRow("decode at 0", tokens, result.start_rate, result.start_rates),
          {"rate kept", percentText(result.decode_rate / result.start_rate),
           "of that at 0 is left at this depth"}};
}

Rows memoryRows(const BenchResult &result, double bandwidth) {
  return {{"bytes per token", bytesText(result.bytesPerToken()),
           absl::StrCat("weights ", bytesText(result.weights.bytes), ", state ",
                        bytesText(result.cache.bytes))},
          {"read bandwidth", bandwidthText(bandwidth), "measured with the same threads"},
          {"share of it", percentText(result.bandwidthShare(bandwidth)), "used by the decode"}};
}

std::string timesText(const Bounded &time) { return absl::StrFormat("%.2f times", time.ratio()); }

// Nothing where FLOPs are not known.
Rows boundRows(const BenchResult &result, const Limits &limits) {
  std::optional<Bounded> decode = result.decodeBound(limits),
                         attention = result.attentionBound(limits);
  Rows rows;
  if (decode)
    rows = {{"FLOPs per token", flopsText(result.weights.flops + result.cache.flops),
             absl::StrCat("weights ", flopsText(result.weights.flops), ", keys ",
                          flopsText(result.cache.flops))},
            {"peak", flopsText(limits.flops) + "/s",
             absl::StrCat(nameOf(limits.arithmetic), ", measured with the same threads")},
            {"bound", secondsText(decode->least),
             absl::StrCat("a token: weights ", secondsText(result.weights.leastSeconds(limits)),
                          ", attention ", secondsText(result.cache.leastSeconds(limits)))},
            {"decode", secondsText(decode->seconds), timesText(*decode) + " its bound"}};
  if (attention)
    rows.push_back(
        {"attention", secondsText(attention->seconds),
         absl::StrCat(timesText(*attention), " its bound of ", secondsText(attention->least),
                      ": a token at this depth less one at 0")});
  return rows;
}

void append(Rows &table, const Rows &rows) { table.insert(table.end(), rows.begin(), rows.end()); }

std::string text(const Measured &measured) {
  const BenchResult &result = measured.result;
  const BenchOptions &options = measured.options;
  Rows table = {
      {"target", measured.target,
       absl::StrCat(measured.threads, " threads, depth ", options.depth)},
      rateRow("prefill", options.prompt_length, result.prefill_rate, result.prefill_rates),
      rateRow("decode", options.decode, result.decode_rate, result.decode_rates)};
  append(table, startRows(result, options.decode));
  if (!measured.is_placed) {
    append(table, memoryRows(result, measured.limits.read_bandwidth));
    append(table, boundRows(result, measured.limits));
  }
  return formatTable(table);
}

// Regions that take less than a hundredth share a line.
std::string text(const char *step, const std::vector<runtime::RegionTime> &regions) {
  double total = 0, rest = 0;
  for (const runtime::RegionTime &region : regions)
    total += region.seconds;
  std::vector<std::vector<std::string>> rows = {{step, "calls", "time", "share"}};
  for (const runtime::RegionTime &region : regions) {
    if (region.seconds < total / 100)
      rest += region.seconds;
    else
      rows.push_back({region.label, absl::StrCat(region.calls), secondsText(region.seconds),
                      percentText(region.seconds / total)});
  }
  if (rest > 0)
    rows.push_back({"others, under 1 % each", "", secondsText(rest), percentText(rest / total)});
  return rows.size() == 1 ? "" : "\n" + formatTable(rows);
}

absl::Status run(const BenchFlags &flags) {
  Interrupt interrupt;
  LATHE_ASSIGN_OR_RETURN(Measured measured, measure(flags, interrupt));
  if (flags.json)
    printJson(json(measured));
  else
    print(text(measured) + (measured.profile ? text("prefill", measured.profile->prefill) +
                                                   text("decode", measured.profile->decode)
                                             : ""));
  return absl::OkStatus();
}

Action declare(CLI::App &app) {
  auto flags = std::make_shared<BenchFlags>();
  addArgument(app, "FILE", flags->file, "a compiled model (.lathe)");
  addWhole(app, "--prompt-length", flags->prompt_length, {0, INT32_MAX},
           "tokens of a timed prefill (512, or half of a smaller context)");
  addWhole(app, "--prefill-chunk", flags->prefill_chunk, {1, INT32_MAX},
           "tokens of one prefill step (as many as the file's steps take)");
  addWhole(app, "--decode", flags->decode, {0, INT32_MAX},
           "tokens of a timed decode (64, or a quarter of a smaller context)");
  addWhole(app, "--depth", flags->depth, {0, INT32_MAX},
           "tokens in the context before either (0); decode is then measured at 0, too");
  addDeviceFlag(app, flags->device);
  addTargetFlag(app, flags->device);
  addThreadsFlag(app, flags->device);
  addWhole(app, "--repetitions", flags->repetitions, {1, 1000},
           "times that all is measured; rates are medians (3)");
  addSwitch(app, "--profile", flags->profile,
            "run once more and say what the time of either went to");
  addSwitch(app, "--json", flags->json, "one object");
  return [flags] { return run(*flags); };
}

} // namespace

const Verb kBench = {
    "bench", "FILE",
    "prefill and decode rate, and how far a decode is from what memory and arithmetic allow",
    "lathe bench stories.lathe --prompt-length 128 --decode 64", declare};

} // namespace lathe::cli
