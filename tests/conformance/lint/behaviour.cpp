// Rules that need a case: threads, leaks, refusals of runs. The first case of the kit that the
// target takes serves.
#include <filesystem>
#include <malloc.h>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "base/status.h"
#include "runtime/plugin/plugin.h"
#include "tests/conformance/lint/lint.h"
#include "tests/conformance/recipes/recipes.h"

namespace lathe::conformance {
namespace {

// A target, and a program that it takes.
struct Taken {
  std::unique_ptr<Target> target;
  std::unique_ptr<mlir::MLIRContext> context;
  std::unique_ptr<Program> program;

  // UNIMPLEMENTED: it takes none.
  static absl::StatusOr<Taken> find(const TargetOptions &options);
  absl::StatusOr<std::unique_ptr<Loaded>> load() const;
};

std::unique_ptr<mlir::MLIRContext> newContext() {
  auto context = std::make_unique<mlir::MLIRContext>(mlir::MLIRContext::Threading::DISABLED);
  context->loadDialect<ir::LatheDialect, mlir::func::FuncDialect>();
  return context;
}

absl::StatusOr<std::unique_ptr<Loaded>> Taken::load() const {
  Program *const only[] = {program.get()};
  std::vector<Prepared> prepared = target->prepare(only);
  if (!prepared[0].failed.ok())
    return prepared[0].failed;
  if (!prepared[0].loaded)
    return absl::UnimplementedError(prepared[0].skipped);
  return std::move(prepared[0].loaded);
}

absl::StatusOr<Taken> Taken::find(const TargetOptions &options) {
  Taken taken;
  LATHE_ASSIGN_OR_RETURN(taken.target, openTarget(options));
  taken.context = newContext();
  std::string group;
  for (const Case &spec : allCases()) {
    if (spec.group() == group)
      continue; // one of each op is enough to ask for
    group = spec.group();
    LATHE_ASSIGN_OR_RETURN(taken.program,
                           Program::make(*taken.context, spec, taken.target->rowsFrom(), 1, "w."));
    if (taken.load().ok())
      return taken;
  }
  return absl::UnimplementedError("the target takes the first case of no op");
}

absl::StatusOr<std::vector<float>> resultsOf(Loaded &loaded, size_t steps) {
  std::vector<float> all;
  for (size_t s = 0; s < steps; ++s) {
    LATHE_ASSIGN_OR_RETURN(auto results, loaded.run(s));
    for (const reference::Tensor &result : results)
      all.insert(all.end(), result.values.begin(), result.values.end());
  }
  return all;
}

absl::Status runsFromManyThreads(const TargetOptions &options) {
  constexpr size_t kThreads = 4, kTimes = 20;
  LATHE_ASSIGN_OR_RETURN(Taken taken, Taken::find(options));
  const size_t steps = taken.program->spec().steps.size();
  std::vector<std::unique_ptr<Loaded>> loaded;
  for (size_t i = 0; i < kThreads; ++i) {
    LATHE_ASSIGN_OR_RETURN(auto one, taken.load());
    loaded.push_back(std::move(one));
  }
  LATHE_ASSIGN_OR_RETURN(const auto expected, resultsOf(*loaded[0], steps));
  std::vector<absl::Status> found(kThreads);
  std::vector<std::jthread> threads;
  for (size_t i = 0; i < kThreads; ++i)
    threads.emplace_back([&, i] {
      for (size_t n = 0; n < kTimes && found[i].ok(); ++n) {
        auto got = resultsOf(*loaded[i], steps);
        if (!got.ok())
          found[i] = got.status();
        else if (*got != expected)
          found[i] = absl::InternalError("runs side by side give other numbers than one alone");
      }
    });
  threads.clear();
  for (const absl::Status &status : found)
    LATHE_RETURN_IF_ERROR(status);
  return absl::OkStatus();
}

absl::Status compilesFromManyThreads(const TargetOptions &options) {
  LATHE_ASSIGN_OR_RETURN(Taken taken, Taken::find(options));
  std::vector<absl::Status> found(4);
  std::vector<std::jthread> threads;
  for (absl::Status &status : found)
    threads.emplace_back([&] {
      auto context = newContext();
      auto program =
          Program::make(*context, taken.program->spec(), taken.target->rowsFrom(), 1, "w.");
      for (int n = 0; n < 10 && status.ok() && program.ok(); ++n) {
        Program *const only[] = {program->get()};
        status = taken.target->prepare(only)[0].failed;
      }
    });
  threads.clear();
  for (const absl::Status &status : found)
    LATHE_RETURN_IF_ERROR(status);
  return absl::OkStatus();
}

// The bytes of the heap that each of `times` loads and runs leaves allocated.
absl::StatusOr<size_t> leftEachTime(const Taken &taken, size_t times) {
  const size_t before = mallinfo2().uordblks;
  for (size_t i = 0; i < times; ++i) {
    LATHE_ASSIGN_OR_RETURN(auto loaded, taken.load());
    LATHE_RETURN_IF_ERROR(loaded->run(0).status());
  }
  const size_t after = mallinfo2().uordblks;
  return after > before ? (after - before) / times : 0;
}

// The first rounds warm caches up. The allocator itself keeps some KB more or less at a time, so
// what looks like a leak is looked at over so many times that this is no more than a byte or two.
absl::Status leavesNothingBehind(const TargetOptions &options) {
  constexpr size_t kWarm = 200, kTimes = 100, kManyTimes = 2000, kSmallestBlock = 32;
  LATHE_ASSIGN_OR_RETURN(Taken taken, Taken::find(options));
  LATHE_RETURN_IF_ERROR(leftEachTime(taken, kWarm).status());
  size_t left = 0;
  for (const size_t times : {kTimes, kManyTimes}) {
    LATHE_ASSIGN_OR_RETURN(left, leftEachTime(taken, times));
    if (left < kSmallestBlock)
      return absl::OkStatus();
  }
  return absl::InternalError(absl::StrCat(
      "each time that code is compiled, loaded, run and released ", left, " bytes stay behind"));
}

size_t countThreads() {
  std::filesystem::directory_iterator threads("/proc/self/task");
  return std::distance(begin(threads), end(threads));
}

// What runs in a library that was unloaded crashes; it has a moment to end, or to do so.
absl::Status leavesNoThread(const TargetOptions &options) {
  const size_t before = countThreads();
  {
    LATHE_ASSIGN_OR_RETURN(auto plugin, runtime::Plugin::load(options.plugin));
    for (uint32_t i = 0; i < plugin->deviceCount(); ++i)
      LATHE_RETURN_IF_ERROR(plugin->openDevice(i).status());
  }
  absl::SleepFor(absl::Milliseconds(200));
  const size_t left = countThreads() - before;
  return left == 0 ? absl::OkStatus()
                   : absl::InternalError(absl::StrCat(
                         left, left == 1 ? " thread is" : " threads are",
                         " left running when its devices are closed and it is unloaded"));
}

absl::Status givesTheSameTwice(const TargetOptions &options) {
  LATHE_ASSIGN_OR_RETURN(Taken taken, Taken::find(options));
  const size_t steps = taken.program->spec().steps.size();
  LATHE_ASSIGN_OR_RETURN(auto first, taken.load());
  LATHE_ASSIGN_OR_RETURN(auto second, taken.load());
  LATHE_ASSIGN_OR_RETURN(const auto a, resultsOf(*first, steps));
  LATHE_ASSIGN_OR_RETURN(const auto b, resultsOf(*second, steps));
  return a == b ? absl::OkStatus()
                : absl::InternalError("the same program on the same input gives other bits");
}

} // namespace

std::vector<Rule> behaviourRules() {
  return {{"gives_the_same_twice", "the same code on the same input gives the same bits",
           givesTheSameTwice},
          {"runs_from_many_threads", "every function may be called from any thread",
           runsFromManyThreads},
          {"compiles_from_many_threads", "every function may be called from any thread",
           compilesFromManyThreads},
          {"leaves_nothing_behind", "what is released is gone", leavesNothingBehind},
          {"leaves_no_thread", "no thread runs when a plugin is unloaded", leavesNoThread}};
}

} // namespace lathe::conformance
