// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @concat_c1() {
  // expected-error @+1 {{has 0 inputs; it should have at least 1}}
  %0 = "lathe.concat"() : () -> tensor<?x40xf32>
  return
}

// -----

func.func @concat_c1_rows(%a: tensor<2x8xf32>, %b: tensor<3x8xf32>) {
  // expected-error @+1 {{operands and results have 2 and 3 rows}}
  %0 = lathe.concat %a, %b : (tensor<2x8xf32>, tensor<3x8xf32>) -> tensor<?x16xf32>
  return
}

// -----

func.func @concat_c2(%a: tensor<?x8xf32>, %b: tensor<?x8xf32>) {
  // expected-error @+1 {{result has 17 columns; it should have 16}}
  %0 = lathe.concat %a, %b : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x17xf32>
  return
}
