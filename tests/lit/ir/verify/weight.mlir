// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @weight_c1() {
  // expected-error @+1 {{has 2 sources; it should have 1 or, as the result says, 3}}
  %0 = lathe.weight "w" from [#lathe.tensor_ref<"a">, #lathe.tensor_ref<"b">] : tensor<3x4x8xf32>
  return
}

// -----

func.func @weight_c2() {
  // expected-error @+1 {{has 0 scales; it should have 1 with 1 sources}}
  %0 = lathe.weight "w" from [#lathe.tensor_ref<"a">] : !lathe.quantized<4x8xf8E4M3FN, block<4x8xf32>>
  return
}

// -----

func.func @weight_c2_floats() {
  // expected-error @+1 {{has 1 scales; it should have 0}}
  %0 = lathe.weight "w" from [#lathe.tensor_ref<"a">] scales [#lathe.tensor_ref<"s">] : tensor<4x8xf32>
  return
}

// -----

func.func @weight_c3() {
  // expected-error @+1 {{result has 4 rows; it should have 5}}
  %0 = lathe.weight "w" from [#lathe.tensor_ref<"a">] rows = [3, 8] : tensor<4x8xf32>
  return
}

// -----

func.func @weight_c3_order() {
  // expected-error @+1 {{rows are [8, 4]; they should be}}
  %0 = lathe.weight "w" from [#lathe.tensor_ref<"a">] rows = [8, 4] : tensor<4x8xf32>
  return
}

// -----

func.func @weight_c3_rank() {
  // expected-error @+1 {{from a result of rank 1; it should have rank 2 or 3}}
  %0 = lathe.weight "w" from [#lathe.tensor_ref<"a">] rows = [0, 8] : tensor<8xf32>
  return
}

// -----

func.func @weight_c4() {
  // expected-error @+1 {{name is empty}}
  %0 = lathe.weight "" from [#lathe.tensor_ref<"a">] : tensor<4x8xf32>
  return
}

// -----

func.func @weight_c5() {
  // expected-error @+1 {{it should be f32, bf16, f16 or quantised, of rank 1 to 3}}
  %0 = lathe.weight "w" from [#lathe.tensor_ref<"a">] : tensor<?x8xf32>
  return
}

// -----

func.func @weight_c5_type() {
  // expected-error @+1 {{result is a 'i32'; it should be}}
  %0 = lathe.weight "w" from [#lathe.tensor_ref<"a">] : i32
  return
}
