// What came with version 1.1 of the dialect, as ops.mlir has what was there in 1.0.
// RUN: lathe-opt %s | FileCheck %s
// RUN: lathe-opt %s | lathe-opt | FileCheck %s
// RUN: lathe-opt %s -emit-bytecode | lathe-opt | FileCheck %s

!q4 = !lathe.quantized<2x24x64xi4, block<1x32xf16>>
!fp8 = !lathe.quantized<2x24x64xf8E4M3FN, block<128x128xf32>>

// CHECK-LABEL: func @weight_in_another_form
func.func @weight_in_another_form() -> (!lathe.quantized<24x64xi8, block<1x32xf16>>, !q4, tensor<24x64xbf16>) {
  // CHECK: lathe.weight "q" from [#lathe.tensor_ref<"q">] stored as tensor<24x64xbf16> : !lathe.quantized<24x64xi8, block<1x32xf16>>
  %0 = lathe.weight "q" from [#lathe.tensor_ref<"q">] stored as tensor<24x64xbf16> : !lathe.quantized<24x64xi8, block<1x32xf16>>
  // CHECK: lathe.weight "e" from [#lathe.tensor_ref<"a">, #lathe.tensor_ref<"b">] scales [#lathe.tensor_ref<"a.s">, #lathe.tensor_ref<"b.s">] stored as !lathe.quantized<2x24x64xf8E4M3FN, block<128x128xf32>> : !lathe.quantized<2x24x64xi4, block<1x32xf16>>
  %1 = lathe.weight "e" from [#lathe.tensor_ref<"a">, #lathe.tensor_ref<"b">] scales [#lathe.tensor_ref<"a.s">, #lathe.tensor_ref<"b.s">] stored as !fp8 : !q4
  // CHECK: lathe.weight "up" from [#lathe.tensor_ref<"gate_up">] rows = [24, 48] stored as tensor<24x64xf32> : tensor<24x64xbf16>
  %2 = lathe.weight "up" from [#lathe.tensor_ref<"gate_up">] rows = [24, 48] stored as tensor<24x64xf32> : tensor<24x64xbf16>
  return %0, %1, %2 : !lathe.quantized<24x64xi8, block<1x32xf16>>, !q4, tensor<24x64xbf16>
}

// CHECK-LABEL: func @embedding_of_codes
func.func @embedding_of_codes(%tokens: tensor<?xi32>, %table: !lathe.quantized<288x64xi8, block<1x32xf16>>) -> tensor<?x64xf32> {
  // CHECK: lathe.embedding %{{.+}}, %{{.+}} : (tensor<?xi32>, !lathe.quantized<288x64xi8, block<1x32xf16>>) -> tensor<?x64xf32>
  %0 = lathe.embedding %tokens, %table : (tensor<?xi32>, !lathe.quantized<288x64xi8, block<1x32xf16>>) -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}
