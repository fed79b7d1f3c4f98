#include "tests/conformance/run/judge.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace lathe::conformance {
namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string stepText(const Case &spec, size_t step) {
  const Step &of = spec.steps[step];
  return absl::StrCat("step ", step, " (", of.rows, of.rows == 1 ? " row" : " rows", ")");
}

std::string differenceText(const Difference &worst, const Measure &measure) {
  return absl::StrFormat("[%d, %d] is %.9g, expected %.9g, off by %.3g, allowed %.3g (%s)",
                         worst.row, worst.column, worst.got, worst.expected,
                         std::abs(worst.got - worst.expected), worst.bound, measure.why);
}

// FNV-1a over the bits, behind what there was.
uint64_t digestOf(const reference::Tensor &tensor, uint64_t digest) {
  for (float value : tensor.values) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    digest = (digest ^ bits) * 0x100000001b3;
  }
  return digest;
}

class Judge {
public:
  Judge(const Program &program, Prepared &prepared, Outcome &outcome)
      : program_(program), prepared_(prepared), outcome_(outcome) {}

  void run() {
    if (!prepared_.failed.ok() && program_.spec().may_be_refused)
      prepared_.skipped = absl::StrCat("refused: ", prepared_.failed.message());
    else if (!prepared_.failed.ok())
      return fail(prepared_.failed.message());
    if (!prepared_.skipped.empty()) {
      outcome_.verdict = Verdict::skipped;
      outcome_.text = prepared_.skipped;
      return;
    }
    auto expected = expectedResults(program_);
    if (!expected.ok())
      return fail(expected.status().message());
    outcome_.verdict = Verdict::passed;
    for (size_t s = 0; s < expected->size() && outcome_.verdict == Verdict::passed; ++s)
      runStep(s, (*expected)[s]);
  }

private:
  void fail(absl::string_view text) {
    outcome_.verdict = Verdict::failed;
    outcome_.text = std::string(text);
  }

  void runStep(size_t step, const std::vector<reference::Tensor> &expected) {
    auto got = prepared_.loaded->run(step);
    if (!got.ok())
      return fail(absl::StrCat(stepText(program_.spec(), step), ": ", got.status().message()));
    for (size_t i = 0; i < expected.size(); ++i) {
      outcome_.digest = digestOf((*got)[i], outcome_.digest);
      compare(step, i, (*got)[i], expected[i]);
    }
  }

  void compare(size_t step, size_t index, const reference::Tensor &got,
               const reference::Tensor &expected) {
    const Measure &measure = program_.results()[index].measure;
    auto worst = worstDifference(got, expected, measure, prepared_.converted_to);
    if (!worst)
      return;
    outcome_.share = std::max(outcome_.share, worst->share);
    if (worst->share > 1 && outcome_.verdict == Verdict::passed)
      fail(absl::StrCat(stepText(program_.spec(), step), ", result ", index, ": ",
                        differenceText(*worst, measure)));
  }

  const Program &program_;
  Prepared &prepared_;
  Outcome &outcome_;
};

} // namespace

void judge(Target &target, const Cases &cases, const std::vector<size_t> &indices, uint64_t seed,
           Listener &listener) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  context.loadDialect<ir::LatheDialect, mlir::func::FuncDialect>();
  const auto start = Clock::now();
  std::vector<std::unique_ptr<Program>> programs;
  std::vector<Program *> sound;
  std::vector<size_t> of_sound;
  for (size_t index : indices) {
    auto program = Program::make(context, cases[index], target.rowsFrom(), seed,
                                 absl::StrCat("w", index, "."));
    if (!program.ok()) {
      listener.end({index, Verdict::failed, std::string(program.status().message()), 0, 0});
      continue;
    }
    programs.push_back(*std::move(program));
    sound.push_back(programs.back().get());
    of_sound.push_back(index);
  }
  std::vector<Prepared> prepared = target.prepare(sound);
  const double each = secondsSince(start) / static_cast<double>(std::max<size_t>(1, sound.size()));
  for (size_t i = 0; i < sound.size(); ++i) {
    listener.begin(of_sound[i]);
    const auto begun = Clock::now();
    Outcome outcome{of_sound[i], Verdict::failed, "", 0, 0, /*digest=*/0xcbf29ce484222325};
    Judge(*sound[i], prepared[i], outcome).run();
    outcome.seconds = each + secondsSince(begun);
    prepared[i].loaded.reset();
    listener.end(outcome);
  }
}

} // namespace lathe::conformance
