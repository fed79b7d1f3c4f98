// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @swiglu_c1(%a: tensor<?x8xf32>, %b: tensor<?x9xf32>) {
  // expected-error @+1 {{requires the same type for all operands and results}}
  %0 = "lathe.swiglu"(%a, %b) : (tensor<?x8xf32>, tensor<?x9xf32>) -> tensor<?x8xf32>
  return
}
