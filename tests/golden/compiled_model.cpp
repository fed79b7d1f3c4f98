#include "tests/golden/compiled_model.h"

#include <cmath>
#include <stdexcept>

#include "runtime/cpu/device.h"
#include "runtime/cpu/features.h"
#include "runtime/eval/eval.h"
#include "tools/compiler/compile.h"

namespace lathe::golden {

namespace {

// The value; without one the running test fails here.
template <typename T> T valueOf(absl::StatusOr<T> result) {
  if (!result.ok())
    throw std::runtime_error(result.status().ToString());
  return *std::move(result);
}

} // namespace

void CompiledModel::compile(const std::string &checkpoint, const Choices &choices) {
  compiler::CompileOptions options;
  options.checkpoint = checkpoint;
  options.output = path();
  options.activations = choices.activations;
  options.weights = choices.weights;
  options.cache = choices.cache;
  options.mla_form = choices.mla_form;
  options.targets = choices.levels;
  options.place = choices.place;
  if ((plugin_ = choices.plugin))
    options.plugins = {plugin_};
  options.force = true;
  const auto report = compiler::compile(options);
  ASSERT_TRUE(report.ok()) << report.status();
  targets_ = report->targets;
}

std::unique_ptr<runtime::Session> CompiledModel::open(const std::string &target, int threads,
                                                      int chunk) const {
  auto device = valueOf(runtime::createCpuDevice({threads}));
  // A placed model runs on the plugin's device and the CPU.
  const bool is_placed = target.find('+') != std::string::npos;
  auto first = is_placed ? valueOf(plugin_->openDevice(0)) : device;
  auto module = valueOf(runtime::Module::load(path(), first, {target, {device}}));
  return valueOf(runtime::Session::create(module, {chunk, nullptr}));
}

std::vector<float> CompiledModel::logits(const std::string &target, int threads, int chunk,
                                         const std::vector<int32_t> &ids) const {
  std::vector<float> all;
  const absl::Status status =
      open(target, threads, chunk)->feedAll(ids, [&](size_t, absl::Span<const float> row) {
        all.insert(all.end(), row.begin(), row.end());
      });
  EXPECT_TRUE(status.ok()) << status;
  return all;
}

double CompiledModel::meanNll(const GoldenFolder &golden, const std::string &target) const {
  const EvalText text = evalText(golden);
  runtime::EvalOptions options;
  options.window = 256;
  options.bos_token_id = text.bos;
  const auto result = valueOf(
      runtime::evaluate(*open(target, 2, 0), text.tokens, options, [](int64_t, int64_t) {}));
  EXPECT_EQ(result.tokens, golden.json()["eval"]["tokens"].get<int64_t>());
  return result.mean_nll;
}

std::vector<std::string> bestAndLeastLevels() {
  return {runtime::CpuFeatures::ofThisMachine().levelName(), "x86-64-v3"};
}

double largestDifference(const std::vector<float> &a, const std::vector<float> &b) {
  double largest = a.size() == b.size() ? 0 : INFINITY;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    largest = std::max(largest, std::isnan(a[i]) ? INFINITY : std::abs(double(a[i]) - b[i]));
  return largest;
}

} // namespace lathe::golden
