#include "tests/bench/plugin_products.h"

#include <algorithm>
#include <chrono>

#include <benchmark/benchmark.h>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "runtime/device/error.h"
#include "tests/bench/shapes.h"
#include "tests/unit/plugins/compile_half.h"
#include "tests/unit/plugins/numbers.h"
#include "tests/unit/plugins/program_builder.h"

namespace lathe::bench {
namespace {

using plugins::Compiled;
using plugins::Floats;
using plugins::ProgramBuilder;
using runtime::DeviceBuffer;

struct Product {
  std::shared_ptr<runtime::Plugin> plugin;
  size_t target;
  uint32_t element; // of the weight
  int64_t n, k, rows, cold_bytes;
};

void buildProgram(ProgramBuilder &builder, const Product &product) {
  builder.function("f", product.rows);
  const Floats weight = plugins::numbers(product.n * product.k, 1);
  const lathe_value *x = builder.input("x", builder.rows(product.k));
  const lathe_value *w =
      builder.weight("w", builder.tensor({product.n, product.k}, product.element),
                     plugins::storedAs(product.element, weight));
  builder.result("y",
                 builder.op("lathe.linear", {{"x", x}, {"weight", w}}, builder.rows(product.n)));
}

// A product loaded, with copies of its weight that runs go through in turn.
class Loaded {
public:
  static absl::StatusOr<Loaded> make(const Product &product) {
    ProgramBuilder builder;
    buildProgram(builder, product);
    LATHE_ASSIGN_OR_RETURN(Compiled compiled,
                           Compiled::make(*product.plugin, builder.program(), product.target));
    LATHE_ASSIGN_OR_RETURN(std::vector<uint8_t> weight, compiled.pack(0, 1 << 20));
    Loaded loaded;
    LATHE_ASSIGN_OR_RETURN(loaded.device_, product.plugin->openDevice(0));
    LATHE_ASSIGN_OR_RETURN(
        loaded.executable_,
        loaded.device_->load(compiled.code(), runtime::fromAbi(compiled.get().compatibility), {0}));
    const int64_t bytes = x86::roundUp(static_cast<int64_t>(weight.size()), 64);
    loaded.copies_ = std::max<int64_t>(product.cold_bytes / bytes, 1);
    for (int64_t size :
         {product.rows * product.k * 4, product.rows * product.n * 4,
          static_cast<int64_t>(compiled.get().entries[0]->scratch_bytes), bytes * loaded.copies_}) {
      LATHE_ASSIGN_OR_RETURN(DeviceBuffer buffer, loaded.device_->allocate(size, 0));
      loaded.bindings_.push_back(buffer.binding());
      loaded.buffers_.push_back(std::move(buffer));
    }
    loaded.bindings_.push_back({});
    loaded.bindings_[3].size = bytes;
    LATHE_RETURN_IF_ERROR(loaded.fill(weight, plugins::numbers(product.rows * product.k, 2)));
    return loaded;
  }

  // With the next copy of the weight.
  absl::Status run(int64_t rows) {
    bindings_[3].offset = bindings_[3].size * (next_++ % copies_);
    return device_->run(executable_, 0, bindings_, rows, 0);
  }
  double weightBytes() const { return static_cast<double>(bindings_[3].size); }

private:
  absl::Status fill(const std::vector<uint8_t> &weight, const Floats &x) {
    LATHE_ASSIGN_OR_RETURN(void *rows, buffers_[0].map(LATHE_MAP_WRITE));
    std::memcpy(rows, x.data(), x.size() * sizeof(float));
    LATHE_ASSIGN_OR_RETURN(void *weights, buffers_[3].map(LATHE_MAP_WRITE));
    for (int64_t i = 0; i < copies_; ++i)
      std::memcpy(static_cast<char *>(weights) + i * bindings_[3].size, weight.data(),
                  weight.size());
    LATHE_RETURN_IF_ERROR(buffers_[0].unmap());
    return buffers_[3].unmap();
  }

  std::shared_ptr<runtime::Device> device_;
  std::vector<DeviceBuffer> buffers_;
  runtime::Executable executable_;
  std::vector<lathe_binding> bindings_; // x, y, scratch, weights, state
  int64_t copies_ = 1, next_ = 0;
};

void measure(benchmark::State &state, const Product &product) {
  using Clock = std::chrono::steady_clock;
  auto loaded = Loaded::make(product);
  absl::Status status = loaded.ok() ? loaded->run(product.rows) : loaded.status();
  std::vector<double> seconds;
  for (auto _ : state) {
    if (!status.ok()) {
      state.SkipWithError(status.ToString().c_str());
      break;
    }
    const Clock::time_point start = Clock::now();
    status = loaded->run(product.rows);
    seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    state.SetIterationTime(seconds.back());
  }
  if (seconds.empty())
    return;
  std::nth_element(seconds.begin(), seconds.begin() + seconds.size() / 2, seconds.end());
  const double taken = seconds[seconds.size() / 2];
  const double flops = 2.0 * static_cast<double>(product.rows * product.n * product.k);
  state.counters["GB/s"] = loaded->weightBytes() / taken / 1e9;
  state.counters["GFLOP/s"] = flops / taken / 1e9;
  state.counters["seconds"] = taken;
}

} // namespace

absl::Status addPluginProducts(const std::string &path, int threads, int64_t cold_bytes) {
  LATHE_ASSIGN_OR_RETURN(auto plugin,
                         runtime::Plugin::load(path, runtime::PluginOptions{{}, {}, threads}));
  const std::pair<const char *, uint32_t> weights[] = {{"f32", LATHE_ELEMENT_F32},
                                                       {"bf16", LATHE_ELEMENT_BF16}};
  for (size_t target = 0; target < plugin->targets().size(); ++target)
    for (auto [form, element] : weights)
      for (int64_t rows : {1, 4, 12, 24, 48, 128, 512}) {
        const Product product = {plugin,  target, element,   rows == 1 ? kDenseInner : kInner,
                                 kHidden, rows,   cold_bytes};
        const std::string name = absl::StrCat(plugin->name(), ":", plugin->targets()[target].name,
                                              "/linear/", form, rowsSuffix(rows));
        benchmark::RegisterBenchmark(name.c_str(), [product](benchmark::State &state) {
          measure(state, product);
        })->UseManualTime();
      }
  return absl::OkStatus();
}

} // namespace lathe::bench
