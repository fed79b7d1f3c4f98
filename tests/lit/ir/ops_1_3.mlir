// What came with version 1.3 of the dialect, as ops_1_1.mlir has what came with 1.1.
// RUN: lathe-opt %s | FileCheck %s
// RUN: lathe-opt %s | lathe-opt | FileCheck %s
// RUN: lathe-opt %s -emit-bytecode | lathe-opt | FileCheck %s

!w = !lathe.quantized<24x64xi8, block<1x32xf16>>
!rows = !lathe.quantized<?x64xi8, block<1x32xf32>>
!gate = !lathe.quantized<4x32x64xi8, block<1x32xf16>>
!down = !lathe.quantized<4x64x32xi8, block<1x32xf16>>

// CHECK-LABEL: func @rows_of_integers
func.func @rows_of_integers(%x: tensor<?x64xf32>, %w: !w) -> tensor<?x24xf32> {
  // CHECK: lathe.quantize %{{.+}} : tensor<?x64xf32> -> <?x64xi8, block<1x32xf32>>
  %0 = lathe.quantize %x : tensor<?x64xf32> -> !rows
  // CHECK: lathe.scaled_matmul
  %1 = lathe.scaled_matmul %0, %w : (!rows, !w) -> tensor<?x24xf32>
  return %1 : tensor<?x24xf32>
}

// CHECK-LABEL: func @experts_of_integers
func.func @experts_of_integers(%x: tensor<?x64xf32>, %o: tensor<5xi32>, %g: !gate, %d: !down) -> tensor<?x64xf32> {
  // CHECK: activations = w8a8_i8 :
  %0 = lathe.expert_ffn %x, %o, %g, %g, %d activations = w8a8_i8 : (tensor<?x64xf32>, tensor<5xi32>, !gate, !gate, !down) -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}
