// `lathe bench`: how fast a model runs, and how near that is to what the memory allows.
#include <algorithm>

#include "absl/strings/str_cat.h"

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
  double bandwidth = 0; // bytes a second
  std::string target;
  uint32_t threads = 1;
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

absl::StatusOr<Measured> measure(const BenchFlags &flags, const Interrupt &interrupt) {
  LATHE_ASSIGN_OR_RETURN(std::shared_ptr<runtime::Device> device, openDevice(flags.device));
  LATHE_ASSIGN_OR_RETURN(std::shared_ptr<runtime::Module> module,
                         runtime::Module::load(flags.file, device));
  int chunk = static_cast<int>(flags.prefill_chunk.value_or(0));
  LATHE_ASSIGN_OR_RETURN(std::unique_ptr<runtime::Session> session,
                         runtime::Session::create(module, {chunk, interrupt.flag()}));
  Measured measured;
  measured.options = benchOptions(flags, session->contextLength());
  measured.target = module->target().name;
  measured.threads = device->properties().parallelism;
  LATHE_ASSIGN_OR_RETURN(double before, runtime::measureReadBandwidth(*module));
  LATHE_ASSIGN_OR_RETURN(measured.result, runtime::benchmark(*session, measured.options));
  if (flags.profile) {
    LATHE_ASSIGN_OR_RETURN(measured.profile, runtime::profile(*session, measured.options));
  }
  LATHE_ASSIGN_OR_RETURN(double after, runtime::measureReadBandwidth(*module));
  measured.bandwidth = (before + after) / 2; // other users of the memory come and go
  return measured;
}

nlohmann::ordered_json json(const std::vector<runtime::RegionTime> &regions) {
  auto list = nlohmann::ordered_json::array();
  for (const runtime::RegionTime &region : regions)
    list.push_back(
        {{"region", region.label}, {"calls", region.calls}, {"seconds", region.seconds}});
  return list;
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
                                   {"decode_rates", result.decode_rates},
                                   {"read_bandwidth_bytes_per_second", measured.bandwidth},
                                   {"weight_bytes_per_token", result.weight_bytes_per_token},
                                   {"state_bytes_per_token", result.state_bytes_per_token},
                                   {"bandwidth_share", result.bandwidthShare(measured.bandwidth)}};
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

std::string text(const Measured &measured) {
  const BenchResult &result = measured.result;
  const BenchOptions &options = measured.options;
  uint64_t bytes = result.weight_bytes_per_token + result.state_bytes_per_token;
  return formatTable(
      {{"target", measured.target,
        absl::StrCat(measured.threads, " threads, depth ", options.depth)},
       rateRow("prefill", options.prompt_length, result.prefill_rate, result.prefill_rates),
       rateRow("decode", options.decode, result.decode_rate, result.decode_rates),
       {"bytes per token", bytesText(bytes),
        absl::StrCat("weights ", bytesText(result.weight_bytes_per_token), ", state ",
                     bytesText(result.state_bytes_per_token))},
       {"read bandwidth", bandwidthText(measured.bandwidth), "measured with the same threads"},
       {"share of it", percentText(result.bandwidthShare(measured.bandwidth)),
        "used by the decode"}});
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
  addWhole(app, "--depth", flags->depth, {0, INT32_MAX}, "tokens in the context before either (0)");
  addThreadsFlag(app, flags->device);
  addWhole(app, "--repetitions", flags->repetitions, {1, 1000},
           "times that all is measured; rates are medians (3)");
  addSwitch(app, "--profile", flags->profile,
            "run once more and say what the time of either went to");
  addSwitch(app, "--json", flags->json, "one object");
  return [flags] { return run(*flags); };
}

} // namespace

const Verb kBench = {"bench", "FILE",
                     "prefill and decode rate, and the share of the memory's speed they use",
                     "lathe bench stories.lathe --prompt-length 128 --decode 64", declare};

} // namespace lathe::cli
