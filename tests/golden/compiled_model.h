// A checkpoint compiled into a temporary folder, and the runtime over it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/plugin/plugin.h"
#include "runtime/session/session.h"
#include "tests/golden/golden_folder.h"
#include "tests/unit/scratch_folder.h"

namespace lathe::golden {

// Failures are failures of the running test.
class CompiledModel {
public:
  struct Choices { // as compiler::CompileOptions has them
    std::string activations = "f32", weights, cache = "f32", mla_form;
    std::vector<std::string> levels;
    std::shared_ptr<runtime::Plugin> plugin = nullptr; // whose targets stand among the levels
    std::string place;
  };
  void compile(const std::string &checkpoint, const Choices &choices);

  // Those that this machine runs, all of which were compiled for.
  const std::vector<std::string> &targets() const { return targets_; }
  std::string path() const { return folder_ / "model.lathe"; }
  std::unique_ptr<runtime::Session> open(const std::string &target, int threads, int chunk) const;
  // Of every position, a row after the other.
  std::vector<float> logits(const std::string &target, int threads, int chunk,
                            const std::vector<int32_t> &ids) const;
  double meanNll(const GoldenFolder &golden, const std::string &target) const;

private:
  ScratchFolder folder_;
  std::shared_ptr<runtime::Plugin> plugin_;
  std::vector<std::string> targets_;
};

// The best level of this machine and the least of all, which is what tells their kernels apart.
std::vector<std::string> bestAndLeastLevels();

// Infinite where the numbers of logits differ, or one is NaN.
double largestDifference(const std::vector<float> &a, const std::vector<float> &b);

} // namespace lathe::golden
