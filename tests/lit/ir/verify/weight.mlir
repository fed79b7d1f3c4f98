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

// -----

func.func @weight_c2_stored() {
  // expected-error @+1 {{has 0 scales; it should have 1 with 1 sources}}
  %0 = lathe.weight "w" from [#lathe.tensor_ref<"a">] stored as !lathe.quantized<4x8xf8E4M3FN, block<4x8xf32>> : tensor<4x8xbf16>
  return
}

// -----

func.func @weight_c5_stored() {
  // expected-error @+1 {{is stored as a 'tensor<4x8xi32>'; it should be f32, bf16, f16 or quantised}}
  %0 = lathe.weight "w" from [#lathe.tensor_ref<"a">] stored as tensor<4x8xi32> : tensor<4x8xbf16>
  return
}

// -----

func.func @weight_c6() {
  // expected-error @+1 {{is stored as [4, 8] and the result is [8, 4]; they should have one shape}}
  %0 = lathe.weight "w" from [#lathe.tensor_ref<"a">] stored as tensor<4x8xf32> : tensor<8x4xbf16>
  return
}

// -----

func.func @weight_c6_rank() {
  // expected-error @+1 {{is stored as [8] and the result is [8]; they should have one shape, of rank 2 or 3}}
  %0 = lathe.weight "w" from [#lathe.tensor_ref<"a">] stored as tensor<8xf32> : tensor<8xbf16>
  return
}

// -----

func.func @weight_c6_codes() {
  // expected-error @+1 {{what is converted has no integer codes}}
  %0 = lathe.weight "w" from [#lathe.tensor_ref<"a">] scales [#lathe.tensor_ref<"s">] stored as !lathe.quantized<4x8xi8, block<1x32xf16>> : tensor<4x8xbf16>
  return
}

// -----

func.func @weight_c6_result() {
  // expected-error @+1 {{result is a 'tensor<4x8xf16>'; what is converted should be bf16, or have e4m3 codes}}
  %0 = lathe.weight "w" from [#lathe.tensor_ref<"a">] stored as tensor<4x8xf32> : tensor<4x8xf16>
  return
}

// -----

func.func @weight_c6_scales() {
  // expected-error @+1 {{or i8 or i4 codes, blocks of 1 row and f16 scales}}
  %0 = lathe.weight "w" from [#lathe.tensor_ref<"a">] stored as tensor<4x8xf32> : !lathe.quantized<4x8xi8, block<1x32xf32>>
  return
}
