// A line of the benchmark: a step of few regions, cut like a model's and compiled by the same code
// generator, with the work that it does.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "backends/x86/program.h"

namespace lathe::bench {

// What a step does at the least, whatever kernel does it.
struct Work {
  double bytes = 0;        // that it has to read and write, each once
  double vector_flops = 0; // that no kernel makes on tiles
  double tile_flops = 0; // that the kernel of x86-amx makes on tiles; `tile_products` of them each
  double tile_products = 1;
  double integer_flops = 0; // that every kernel makes in integers of 8 bits

  double flops() const { return vector_flops + tile_flops + integer_flops; }
};

// The step with so many rows, the last of which sees `context` keys.
struct Run {
  std::string suffix; // "/rows:24"; empty where there is one run only
  int64_t rows = 1;
  int64_t context = 1;
  Work work;
};

// Where the parts of a buffer are; all begin at lines of 64 bytes.
class Places {
public:
  explicit Places(x86::Buffer::Kind buffer) : buffer_(buffer) {}
  int64_t take(int64_t bytes) {
    int64_t place = std::exchange(bytes_, x86::roundUp(bytes_ + bytes, 64));
    return x86::operand(buffer_, place);
  }
  int64_t bytes() const { return bytes_; }

private:
  x86::Buffer::Kind buffer_;
  int64_t bytes_ = 0;
};

class Line {
public:
  // `most_rows`: that any run has.
  Line(std::string name, int64_t most_rows) : name(std::move(name)), most_rows(most_rows) {
    step_.name = "bench";
  }

  // An operand: f32 rows of the arena. They are e4m3 numbers, which every form of rows may be.
  int64_t rows(int64_t columns) { return arena_.take(most_rows * columns * 4); }
  int64_t scratch(int64_t bytes) { return arena_.take(bytes); }
  // An operand: what a run finds in memory and not in a cache (weights, latents, keys); every run
  // finds another copy.
  int64_t cold(int64_t bytes) { return cold_.take(bytes); }
  int64_t integers(std::vector<int32_t> values) {
    int64_t place = arena_.take(static_cast<int64_t>(values.size() * sizeof(int32_t)));
    integers_.emplace_back(place, std::move(values));
    return place;
  }

  template <typename Params>
  void region(const char *kernel, const Params &params, std::vector<int64_t> operands,
              const x86::Items &items, bool serial = false) {
    x86::RegionUse use;
    use.kernel = program_.kernelIndex(x86::kernelUse(kernel, params));
    use.operands = std::move(operands);
    use.cut(items);
    use.serial = serial;
    step_.regions.push_back(std::move(use));
  }

  x86::Program program() const {
    x86::Program program = program_;
    program.constants.resize(4096); // for tables that a kernel wants; zeros serve
    program.steps.push_back(step_);
    return program;
  }
  int64_t arenaBytes() const { return arena_.bytes(); }
  int64_t coldBytes() const { return cold_.bytes(); }
  const std::vector<std::pair<int64_t, std::vector<int32_t>>> &integers() const {
    return integers_;
  }

  std::string name; // "linear/e4m3/f32"
  int64_t most_rows;
  std::vector<Run> runs;

private:
  x86::Program program_;
  x86::StepProgram step_;
  Places arena_{x86::Buffer::arena}, cold_{x86::Buffer::weights};
  std::vector<std::pair<int64_t, std::vector<int32_t>>> integers_; // operands and values
};

// All lines of a family, at the shapes of DeepSeek-V2-Lite unless a name says otherwise.
std::vector<Line> productLines();
std::vector<Line> expertLines();
std::vector<Line> attentionLines();
std::vector<Line> rowLines();

} // namespace lathe::bench
