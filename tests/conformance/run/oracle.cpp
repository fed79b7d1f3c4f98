#include "tests/conformance/run/oracle.h"

#include "backends/reference/interpreter.h"
#include "passes/step.h"
#include "tools/compiler/diagnostics.h"

namespace lathe::conformance {
namespace {

using reference::Indices;
using reference::Value;
using reference::Values;

Values argumentsOf(mlir::func::FuncOp function, const Program &program, size_t step,
                   const Values &caches) {
  Values arguments;
  size_t next_input = 0, next_cache = 0;
  for (mlir::Type type : function.getArgumentTypes())
    arguments.push_back(passes::isCache(type) ? caches[next_cache++]
                                              : program.inputs()[next_input++].value(step));
  return arguments;
}

Values emptyCaches(mlir::func::FuncOp function) {
  Values caches;
  for (mlir::Type type : function.getArgumentTypes())
    if (passes::isCache(type))
      caches.push_back(reference::emptyCache(type));
  return caches;
}

} // namespace

reference::Tensor asRows(const Value &value) {
  reference::Tensor rows;
  if (const auto *tensor = reference::as<reference::Tensor>(value)) {
    rows = *tensor;
  } else {
    const auto &indices = *reference::as<Indices>(value);
    rows = {indices.shape, {indices.values.begin(), indices.values.end()}};
  }
  if (rows.shape.size() == 1)
    rows.shape.push_back(1);
  return rows;
}

absl::StatusOr<StepResults> expectedResults(const Program &program) {
  compiler::CollectedDiagnostics diagnostics(*program.module().getContext());
  ProgramWeights weights(program);
  reference::Interpreter interpreter(weights);
  StepResults all;
  Values caches = emptyCaches(program.functionOf(program.spec().steps[0]));
  for (size_t s = 0; s < program.spec().steps.size(); ++s) {
    mlir::func::FuncOp function = program.functionOf(program.spec().steps[s]);
    auto given = interpreter.run(function, argumentsOf(function, program, s, caches));
    if (mlir::failed(given))
      return diagnostics.status("the interpreter");
    std::vector<reference::Tensor> results;
    const size_t count = given->size() - caches.size();
    for (size_t i = 0; i < count; ++i)
      results.push_back(asRows((*given)[i]));
    if (program.joinsResults() && program.results().size() > 1 && count == 1)
      results = program.split(results.front());
    caches.assign(given->begin() + count, given->end());
    all.push_back(std::move(results));
  }
  return all;
}

} // namespace lathe::conformance
