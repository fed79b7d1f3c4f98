// Inputs and weights come from the seed: the same seed gives the same bits, another one others.
// RUN: lathe-interpret %s > %t.first
// RUN: lathe-interpret %s > %t.again
// RUN: diff %t.first %t.again
// RUN: lathe-interpret %s --seed 2 > %t.other
// RUN: not diff %t.first %t.other
// RUN: lathe-interpret %s --function one_weight --rows 3 | FileCheck %s
// RUN: not lathe-interpret %s --function missing 2>&1 | FileCheck %s --check-prefix=MISSING
// MISSING: error: no function @missing

// CHECK-NOT: @elementwise
// CHECK-LABEL: @one_weight
// CHECK-NEXT: 0: floats [3, 4] {{[0-9a-f]+}}:
func.func @one_weight(%x: tensor<?x8xf32>) -> tensor<?x4xf32> {
  %w = lathe.weight "w" from [#lathe.tensor_ref<"w">] : tensor<4x8xbf16>
  %y = lathe.linear %x, %w : (tensor<?x8xf32>, tensor<4x8xbf16>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

func.func @elementwise(%a: tensor<?x4xf32>, %b: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %y = lathe.add %a, %b : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
