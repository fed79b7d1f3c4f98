// RUN: lathe-opt %s --lathe-place-ops --split-input-file | FileCheck %s
// RUN: lathe-opt %s --lathe-place-ops='rules=add=npu:x,scale=x86' --split-input-file | FileCheck %s --check-prefix=RULES

// What runs faster there goes there, where the difference pays for the way.
// CHECK-LABEL: func @goes_where_it_is_faster
//       CHECK:   lathe.scale {{.*}} by 2.0{{.*}} {lathe.offers = {"npu:x" = 1.000000e-03 : f64, x86 = 1.000000e-02 : f64}, lathe.place = "npu:x"}
module attributes {lathe.home = "x86", lathe.transfers = [["npu:x", 1.0e9 : f64, 1.0e-3 : f64]]} {
func.func @goes_where_it_is_faster(%x: tensor<1x64xf32>) -> tensor<1x64xf32> {
  %0 = lathe.scale %x by 2.0 {lathe.offers = {"npu:x" = 1.0e-3 : f64, "x86" = 1.0e-2 : f64}} : tensor<1x64xf32>
  return %0 : tensor<1x64xf32>
}
}
// -----
// There and back again takes longer than what is saved.
// CHECK-LABEL: func @stays_where_transfers_cost_more
//   CHECK-NOT:   lathe.place =
module attributes {lathe.home = "x86", lathe.transfers = [["npu:x", 1.0e9 : f64, 5.0e-3 : f64]]} {
func.func @stays_where_transfers_cost_more(%x: tensor<1x64xf32>) -> tensor<1x64xf32> {
  %0 = lathe.scale %x by 2.0 {lathe.offers = {"npu:x" = 1.0e-3 : f64, "x86" = 1.0e-2 : f64}} : tensor<1x64xf32>
  return %0 : tensor<1x64xf32>
}
}
// -----
// Two ops that share the way pay for it together; between them nothing crosses.
// CHECK-LABEL: func @goes_in_company
//       CHECK:   lathe.scale {{.*}}lathe.place = "npu:x"
//       CHECK:   lathe.add {{.*}}lathe.place = "npu:x"
// RULES-LABEL: func @goes_in_company
//       RULES:   lathe.scale
//   RULES-NOT:   lathe.place
//       RULES:   lathe.add {{.*}}lathe.place = "npu:x"
module attributes {lathe.home = "x86", lathe.transfers = [["npu:x", 1.0e9 : f64, 5.0e-3 : f64]]} {
func.func @goes_in_company(%x: tensor<1x64xf32>) -> tensor<1x64xf32> {
  %0 = lathe.scale %x by 2.0 {lathe.offers = {"npu:x" = 1.0e-3 : f64, "x86" = 1.0e-2 : f64}} : tensor<1x64xf32>
  %1 = lathe.add %0, %0 {lathe.offers = {"npu:x" = 1.0e-3 : f64, "x86" = 1.0e-2 : f64}} : tensor<1x64xf32>
  return %1 : tensor<1x64xf32>
}
}
// -----
// They cannot share the way to a target whose ops go alone: each would pay for there and back.
// CHECK-LABEL: func @pays_for_each_op
//   CHECK-NOT:   lathe.place =
module attributes {lathe.home = "x86", lathe.transfers = [["npu:x", 1.0e9 : f64, 5.0e-3 : f64, "each_op"]]} {
func.func @pays_for_each_op(%x: tensor<1x64xf32>) -> tensor<1x64xf32> {
  %0 = lathe.scale %x by 2.0 {lathe.offers = {"npu:x" = 1.0e-3 : f64, "x86" = 1.0e-2 : f64}} : tensor<1x64xf32>
  %1 = lathe.add %0, %0 {lathe.offers = {"npu:x" = 1.0e-3 : f64, "x86" = 1.0e-2 : f64}} : tensor<1x64xf32>
  return %1 : tensor<1x64xf32>
}
}
// -----
// Where the way costs less than an op saves it goes.
// CHECK-LABEL: func @goes_alone_where_it_pays
//       CHECK:   lathe.scale {{.*}}lathe.place = "npu:x"
//       CHECK:   lathe.add {{.*}}lathe.place = "npu:x"
module attributes {lathe.home = "x86", lathe.transfers = [["npu:x", 1.0e9 : f64, 1.0e-3 : f64, "each_op"]]} {
func.func @goes_alone_where_it_pays(%x: tensor<1x64xf32>) -> tensor<1x64xf32> {
  %0 = lathe.scale %x by 2.0 {lathe.offers = {"npu:x" = 1.0e-3 : f64, "x86" = 1.0e-2 : f64}} : tensor<1x64xf32>
  %1 = lathe.add %0, %0 {lathe.offers = {"npu:x" = 1.0e-3 : f64, "x86" = 1.0e-2 : f64}} : tensor<1x64xf32>
  return %1 : tensor<1x64xf32>
}
}
// -----
// What a target refuses it does not get, even if a rule asks for it; the reason is kept.
// CHECK-LABEL: func @keeps_what_is_refused
//  CHECK-SAME:   refused, unsupported_op: knows no add
//   CHECK-NOT:   lathe.place =
// RULES-LABEL: func @keeps_what_is_refused
//   RULES-NOT:   lathe.place =
module attributes {lathe.home = "x86", lathe.transfers = [["npu:x", 1.0e9 : f64, 0.0 : f64]]} {
func.func @keeps_what_is_refused(%x: tensor<1x64xf32>) -> tensor<1x64xf32> {
  %0 = lathe.add %x, %x {lathe.offers = {"npu:x" = "unsupported_op: knows no add", "x86" = 1.0 : f64}} : tensor<1x64xf32>
  return %0 : tensor<1x64xf32>
}
}
// -----
// Rows of codes are laid out as each target likes: who makes them and who takes them stay together.
// CHECK-LABEL: func @keeps_codes_with_their_users
//   CHECK-NOT:   lathe.place =
module attributes {lathe.home = "x86", lathe.transfers = [["npu:x", 1.0e9 : f64, 0.0 : f64]]} {
func.func @keeps_codes_with_their_users(%x: tensor<1x128xf32>) -> tensor<1x128xbf16> {
  %0 = lathe.cast %x {lathe.offers = {"npu:x" = 0.0 : f64, "x86" = 1.0 : f64}} : tensor<1x128xf32> -> tensor<1x128xbf16>
  return %0 : tensor<1x128xbf16>
}
}
