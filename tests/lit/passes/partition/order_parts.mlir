// RUN: lathe-opt %s --lathe-order-parts | FileCheck %s
// RUN: lathe-opt %s --lathe-order-parts -o %t && lathe-interpret --compare %s %t

module attributes {lathe.home = "x86", lathe.transfers = [["npu:x", 1.0e9 : f64, 0.0 : f64], ["npu:ops", 1.0e9 : f64, 0.0 : f64, "each_op"]]} {
// Both ops of the target become one part; what stays inside needs no memory at home.
// CHECK-LABEL: func @brings_ops_of_a_target_together
//       CHECK:   %[[H:.+]] = lathe.scale %{{.+}} by 5.0
//       CHECK:   %[[A:.+]] = lathe.scale %{{.+}} by 2.0{{.*}} {lathe.part = 0 : i64, lathe.place = "npu:x", result_bytes = array<i64: 0>}
//       CHECK:   lathe.scale %[[A]] by 3.0{{.*}} {lathe.part = 0 : i64, lathe.place = "npu:x", result_bytes = array<i64: -1>}
//       CHECK:   lathe.add
func.func @brings_ops_of_a_target_together(%x: tensor<1x64xf32>) -> tensor<1x64xf32> {
  %0 = lathe.scale %x by 2.0 {lathe.place = "npu:x"} : tensor<1x64xf32>
  %1 = lathe.scale %x by 5.0 : tensor<1x64xf32>
  %2 = lathe.scale %0 by 3.0 {lathe.place = "npu:x"} : tensor<1x64xf32>
  %3 = lathe.add %1, %2 : tensor<1x64xf32>
  return %3 : tensor<1x64xf32>
}
// What needs an op at home in between is a part of its own.
// CHECK-LABEL: func @begins_a_part_after_an_op_at_home
//       CHECK:   lathe.scale %{{.+}} by 2.0{{.*}}lathe.part = 0
//       CHECK:   lathe.scale %{{.+}} by 5.0
//       CHECK:   lathe.scale %{{.+}} by 3.0{{.*}}lathe.part = 1
func.func @begins_a_part_after_an_op_at_home(%x: tensor<1x64xf32>) -> tensor<1x64xf32> {
  %0 = lathe.scale %x by 2.0 {lathe.place = "npu:x"} : tensor<1x64xf32>
  %1 = lathe.scale %0 by 5.0 : tensor<1x64xf32>
  %2 = lathe.scale %1 by 3.0 {lathe.place = "npu:x"} : tensor<1x64xf32>
  return %2 : tensor<1x64xf32>
}
// CHECK-LABEL: func @leaves_alone_what_is_all_at_home
//       CHECK:   lathe.scale %{{.+}} by 2.0
//  CHECK-NEXT:   lathe.scale %{{.+}} by 5.0
//   CHECK-NOT:   lathe.part
func.func @leaves_alone_what_is_all_at_home(%x: tensor<1x64xf32>) -> tensor<1x64xf32> {
  %0 = lathe.scale %x by 2.0 : tensor<1x64xf32>
  %1 = lathe.scale %0 by 5.0 : tensor<1x64xf32>
  return %1 : tensor<1x64xf32>
}
// A target that takes single ops gets a part an op, and home gets all results.
// CHECK-LABEL: func @parts_with_every_op
//       CHECK:   lathe.scale %{{.+}} by 2.0{{.*}} {lathe.part = 0 : i64, lathe.place = "npu:ops", result_bytes = array<i64: -1>}
//       CHECK:   lathe.scale %{{.+}} by 3.0{{.*}} {lathe.part = 1 : i64, lathe.place = "npu:ops", result_bytes = array<i64: -1>}
func.func @parts_with_every_op(%x: tensor<1x64xf32>) -> tensor<1x64xf32> {
  %0 = lathe.scale %x by 2.0 {lathe.place = "npu:ops"} : tensor<1x64xf32>
  %1 = lathe.scale %0 by 3.0 {lathe.place = "npu:ops"} : tensor<1x64xf32>
  return %1 : tensor<1x64xf32>
}
}
