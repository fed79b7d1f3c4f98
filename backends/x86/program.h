// What a step executes on this backend, as data: regions in order, each a kernel with its
// constants, its operands and its number of items. Selection makes it, emission turns it into code,
// and `lathe inspect --program` prints it.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "backends/x86/kernels/frame.h"

namespace lathe::x86 {

// A kernel with its constants. Equal uses share one piece of code, so depth costs no code.
struct KernelUse {
  std::string kernel;          // "linear_row": the function lathe_x86_linear_row of kernels/
  std::vector<int64_t> params; // the kernel's Params struct
  std::string label;           // for people: the kernel and what it works on

  bool operator<(const KernelUse &other) const {
    return std::tie(kernel, params) < std::tie(other.kernel, other.params);
  }
};

template <typename Params> KernelUse kernelUse(std::string kernel, const Params &params) {
  static_assert(sizeof(Params) % sizeof(int64_t) == 0);
  std::vector<int64_t> words(sizeof(Params) / sizeof(int64_t));
  std::memcpy(words.data(), &params, sizeof(Params));
  return {std::move(kernel), std::move(words), ""};
}
// Of a use of the kernel that takes them.
template <typename Params> Params paramsOf(const KernelUse &use) {
  Params params;
  std::memcpy(&params, use.params.data(), sizeof(Params));
  return params;
}

// One parallel region; a barrier stands behind it unless it is serial.
struct RegionUse {
  uint32_t kernel = 0;           // index into Program::kernels
  std::vector<int64_t> operands; // buffer and offset, see kernels/frame.h
  int64_t items = 1;             // for each block of rows
  int64_t rows_per_item = 1, row_factor = 1;
  int64_t row_source = 0; // 0: items as they stand; 1: rows; 2: output rows
  bool serial = false;    // run on the caller's thread: too small to share
  bool joined = false;    // needs nothing of the region before it: no barrier between them
  double weight_share =
      1; // of a weight that it names, how much one row reads (experts: the chosen ones)
  std::string origin; // the op it comes from, for people

  void cut(const Items &rule) {
    items = rule.items;
    rows_per_item = rule.rows_per_item;
    row_factor = rule.row_factor;
    row_source = rule.row_source;
  }
};

struct StepProgram {
  std::string name;     // "decode", "prefill"
  int64_t max_rows = 1; // 1 for decode
  uint64_t arena_bytes = 0, state_bytes = 0;
  std::vector<RegionUse> regions;
};

struct Program {
  std::vector<KernelUse> kernels;
  std::vector<StepProgram> steps;
  std::vector<uint8_t>
      constants; // what is known at compile time and is no weight (rope frequencies)

  // The index of a kernel with these constants, shared with equal ones.
  uint32_t kernelIndex(KernelUse use) {
    auto [found, isNew] = indices_.try_emplace(use, kernels.size());
    if (isNew)
      kernels.push_back(std::move(use));
    return found->second;
  }

private:
  std::map<KernelUse, uint32_t> indices_;
};

} // namespace lathe::x86
