#include "kernels/kernels.h"

namespace onednn {
namespace {

struct Kernel {
  const char *name;
  void (*run)(const Step &step, Library &library);
};

constexpr Kernel kKernels[run_kinds] = {{"linear", linear},
                                        {"rms_norm", rmsNorm},
                                        {"add", add},
                                        {"scale", scale},
                                        {"swiglu", swiglu},
                                        {"copy", copy},
                                        {"attention", attention},
                                        {"absorb_query", absorbQuery},
                                        {"expand_value", expandValue}};

} // namespace

void runStep(const Step &step, Library &library) {
  if (step.matrices[0].rows > 0)
    kKernels[step.instruction->kind].run(step, library);
}

std::string labelOf(const Instruction &instruction) {
  std::string label = kKernels[instruction.kind].name;
  const Place &result = instruction.places[0], &weight = instruction.places[2];
  if (instruction.kind != run_linear)
    return label + " " + std::to_string(result.shape.columns);
  return label + " " + std::to_string(weight.shape.rows) + "x" +
         std::to_string(weight.shape.columns) + (weight.element == element_bf16 ? " bf16" : " f32");
}

} // namespace onednn
