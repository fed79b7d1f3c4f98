// Rooflines of the x86 kernels, a line a kernel, form and feature level. README.md says how to read
// it. All of Google Benchmark's flags hold, and four more.
#include <cstdio>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "runtime/cpu/features.h"
#include "tests/bench/plugin_products.h"
#include "tests/bench/runner.h"

namespace lathe::bench {
namespace {

struct Flags {
  std::string level;   // empty: every one that the machine has
  int threads = 0;     // 0: one a core
  int cold_mib = 1024; // of weights that runs go through in turn
  std::string plugin;  // a library whose products stand beside x86's; empty: none
};

// Takes ours out of argv, so that what is left is the library's.
bool parse(int &argc, char **argv, Flags &flags) {
  int kept = 1;
  bool ok = true;
  for (int i = 1; i < argc; ++i) {
    absl::string_view argument = argv[i];
    if (absl::ConsumePrefix(&argument, "--level="))
      flags.level = std::string(argument);
    else if (absl::ConsumePrefix(&argument, "--plugin="))
      flags.plugin = std::string(argument);
    else if (absl::ConsumePrefix(&argument, "--threads="))
      ok &= absl::SimpleAtoi(argument, &flags.threads) && flags.threads >= 0 &&
            flags.threads <= runtime::kMaxThreads;
    else if (absl::ConsumePrefix(&argument, "--cold-mib="))
      ok &= absl::SimpleAtoi(argument, &flags.cold_mib) && flags.cold_mib >= 0;
    else
      argv[kept++] = argv[i];
  }
  argc = kept;
  if (!flags.level.empty() && !x86::findLevel(flags.level))
    ok = false;
  return ok;
}

// The levels to run; says of the others why not.
std::vector<const x86::Level *> levelsToRun(const Flags &flags) {
  std::vector<const x86::Level *> result;
  for (const x86::Level &level : x86::levels()) {
    if (!flags.level.empty() && level.name != flags.level)
      continue;
    auto needs = runtime::parseCpuNeeds(level.compatibility.str());
    std::string missing =
        needs.ok() ? runtime::whatIsMissing(*needs, runtime::CpuFeatures::ofThisMachine())
                   : needs.status().ToString();
    if (missing.empty())
      result.push_back(&level);
    else
      std::fprintf(stderr, "%s: not run: %s\n", level.name.str().c_str(), missing.c_str());
  }
  return result;
}

std::vector<Line> allLines() {
  std::vector<Line> lines;
  for (auto make : {productLines, expertLines, attentionLines, rowLines})
    for (Line &line : make())
      lines.push_back(std::move(line));
  return lines;
}

void add(Runner &runner, const x86::Level &level, const Line &line, const Run &run) {
  std::string name = absl::StrCat(level.name.str(), "/", line.name, run.suffix);
  benchmark::RegisterBenchmark(name.c_str(), [&runner, &level, &line, &run](benchmark::State &s) {
    runner.measure(s, level, line, run);
  })->UseManualTime();
}

void nameMachine(const Machine &machine) {
  benchmark::AddCustomContext("machine", machine.name);
  for (auto [name, value] : {std::pair("read_bandwidth", machine.read_bandwidth),
                             std::pair("avx2_flops", machine.avx2_flops),
                             std::pair("avx512_flops", machine.avx512_flops),
                             std::pair("tile_flops", machine.tile_flops),
                             std::pair("avx2_integers", machine.avx2_integers),
                             std::pair("vnni_integers", machine.vnni_integers)})
    benchmark::AddCustomContext(name, absl::StrCat(value));
}

int run(int argc, char **argv) {
  Flags flags;
  if (!parse(argc, argv, flags)) {
    std::fprintf(stderr,
                 "error: --level=x86-64-v3|x86-64-v4|x86-vnni|x86-amx, --threads=0 to %d, "
                 "--cold-mib=MIB and --plugin=SO are taken beside Google Benchmark's flags\n",
                 runtime::kMaxThreads);
    return 2;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv))
    return 2;
  runtime::ThreadPool pool(flags.threads == 0 ? runtime::usableCores() : flags.threads);
  absl::StatusOr<Machine> machine = Machine::measure(pool);
  if (!machine.ok()) {
    std::fprintf(stderr, "error: %s\n", machine.status().ToString().c_str());
    return 1;
  }
  nameMachine(*machine);
  Runner runner(*machine, pool, int64_t{flags.cold_mib} << 20);
  std::vector<Line> lines = allLines();
  for (const x86::Level *level : levelsToRun(flags))
    for (const Line &line : lines)
      for (const Run &run : line.runs)
        add(runner, *level, line, run);
  const absl::Status added =
      flags.plugin.empty()
          ? absl::OkStatus()
          : addPluginProducts(flags.plugin, pool.threads(), int64_t{flags.cold_mib} << 20);
  if (!added.ok()) {
    std::fprintf(stderr, "error: %s\n", added.ToString().c_str());
    return 1;
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

} // namespace
} // namespace lathe::bench

int main(int argc, char **argv) { return lathe::bench::run(argc, argv); }
