// RUN: split-file %s %t
// RUN: lathe-opt %t/functions.mlir --lathe-plan-buffers | FileCheck %s
// RUN: lathe-opt %t/functions.mlir --lathe-plan -o %t/planned.mlir && lathe-interpret --compare %t/functions.mlir %t/planned.mlir
// RUN: lathe-opt %t/planned.mlir --lathe-plan-buffers | diff %t/planned.mlir -
// RUN: not lathe-opt %t/no_rows.mlir --lathe-plan-buffers 2>&1 | FileCheck %s --check-prefix=ROWS
// RUN: not lathe-opt %t/rows.mlir --lathe-plan-buffers 2>&1 | FileCheck %s --check-prefix=RANGE
// RUN: not lathe-opt %t/blocks.mlir --lathe-plan-buffers 2>&1 | FileCheck %s --check-prefix=BLOCKS
// RUN: not lathe-opt %t/entries.mlir --lathe-plan-buffers 2>&1 | FileCheck %s --check-prefix=ENTRIES
// RUN: not lathe-opt %t/view.mlir --lathe-plan-buffers 2>&1 | FileCheck %s --check-prefix=VIEW
// RUN: not lathe-opt %t/scratch.mlir --lathe-plan-buffers 2>&1 | FileCheck %s --check-prefix=SCRATCH
// RUN: not lathe-opt %t/large.mlir --lathe-plan-buffers 2>&1 | FileCheck %s --check-prefix=LARGE

//--- functions.mlir
// The third sum takes the place of the first, whose last use is the second.
// CHECK-LABEL: func @uses_memory_again
// CHECK-SAME: lathe.arena_bytes = 128 : i64
func.func @uses_memory_again(%x: tensor<1x16xf32>) -> tensor<1x16xf32> {
  // CHECK-NEXT: lathe.add {{.+}} {arena_offsets = array<i64: 0>}
  // CHECK-NEXT: lathe.add {{.+}} {arena_offsets = array<i64: 64>}
  // CHECK-NEXT: lathe.add {{.+}} {arena_offsets = array<i64: 0>}
  %a = lathe.add %x, %x : tensor<1x16xf32>
  %b = lathe.add %a, %a : tensor<1x16xf32>
  %c = lathe.add %b, %b : tensor<1x16xf32>
  // The caller has memory for what is returned.
  // CHECK-NEXT: lathe.add %{{.+}}, %{{.+}} : tensor<1x16xf32>
  %d = lathe.add %c, %c : tensor<1x16xf32>
  return %d : tensor<1x16xf32>
}

// The second sum is made where the first is, which so lives as long as the second.
// CHECK-LABEL: func @shares_the_memory_of_a_view
// CHECK-SAME: lathe.arena_bytes = 128 : i64
func.func @shares_the_memory_of_a_view(%x: tensor<1x16xf32>) -> tensor<1x16xf32> {
  // CHECK-NEXT: lathe.add {{.+}} {arena_offsets = array<i64: 0>}
  // CHECK-NEXT: lathe.add {{.+}} {view_of = 0 : i64}
  // CHECK-NEXT: lathe.add {{.+}} {arena_offsets = array<i64: 64>}
  %a = lathe.add %x, %x : tensor<1x16xf32>
  %b = lathe.add %a, %x {view_of = 0 : i64} : tensor<1x16xf32>
  %c = lathe.add %x, %x : tensor<1x16xf32>
  %d = lathe.add %b, %c : tensor<1x16xf32>
  return %d : tensor<1x16xf32>
}

// CHECK-LABEL: func @keeps_the_input_of_a_slice_alive
// CHECK-SAME: lathe.arena_bytes = 192 : i64
func.func @keeps_the_input_of_a_slice_alive(%x: tensor<1x16xf32>) -> tensor<1x8xf32> {
  // CHECK-NEXT: lathe.add {{.+}} {arena_offsets = array<i64: 0>}
  // CHECK-NEXT: lathe.slice %{{.+}} offset = 4 : tensor<1x16xf32> -> tensor<1x12xf32>
  // CHECK-NEXT: lathe.slice %{{.+}} offset = 4 : tensor<1x12xf32> -> tensor<1x8xf32>
  // CHECK-NEXT: lathe.add {{.+}} {arena_offsets = array<i64: 64>}
  // CHECK-NEXT: lathe.add {{.+}} {arena_offsets = array<i64: 128>}
  %a = lathe.add %x, %x : tensor<1x16xf32>
  %s = lathe.slice %a offset = 4 : tensor<1x16xf32> -> tensor<1x12xf32>
  %t = lathe.slice %s offset = 4 : tensor<1x12xf32> -> tensor<1x8xf32>
  %b = lathe.add %x, %x : tensor<1x16xf32>
  %c = lathe.add %b, %b : tensor<1x16xf32>
  %d = lathe.slice %c offset = 0 : tensor<1x16xf32> -> tensor<1x8xf32>
  %e = lathe.add %d, %t : tensor<1x8xf32>
  return %e : tensor<1x8xf32>
}

// CHECK-LABEL: func @places_scratch_beside_what_lives
// CHECK-SAME: lathe.arena_bytes = 320 : i64
func.func @places_scratch_beside_what_lives(%x: tensor<1x16xf32>) -> tensor<1x16xf32> {
  // CHECK-NEXT: lathe.add {{.+}} {arena_offsets = array<i64: 192>}
  // CHECK-NEXT: lathe.add {{.+}} {arena_offsets = array<i64: 256>, scratch_bytes = 130 : i64, scratch_offset = 0 : i64}
  // CHECK-NEXT: lathe.add {{.+}} {scratch_bytes = 64 : i64, scratch_offset = 0 : i64}
  %a = lathe.add %x, %x : tensor<1x16xf32>
  %b = lathe.add %a, %a {scratch_bytes = 130 : i64} : tensor<1x16xf32>
  %c = lathe.add %b, %b {scratch_bytes = 64 : i64} : tensor<1x16xf32>
  return %c : tensor<1x16xf32>
}

// CHECK-LABEL: func @takes_the_sizes_of_the_backend
// CHECK-SAME: lathe.arena_bytes = 256 : i64
func.func @takes_the_sizes_of_the_backend(%x: tensor<1x16xf32>, %w: tensor<8x16xf32>) -> (tensor<1x8xf32>, tensor<1x8xf32>) {
  // CHECK-NEXT: lathe.fused_linear {{.+}} {arena_offsets = array<i64: 0, -1>, result_bytes = array<i64: 200, 0>}
  %a:2 = lathe.fused_linear %x, %w, %w {result_bytes = array<i64: 200, 0>} : (tensor<1x16xf32>, tensor<8x16xf32>, tensor<8x16xf32>) -> (tensor<1x8xf32>, tensor<1x8xf32>)
  return %a#0, %a#1 : tensor<1x8xf32>, tensor<1x8xf32>
}

// Of at most 5 rows; a pair of token and choice has its own row.
// CHECK-LABEL: func @counts_the_most_rows
// CHECK-SAME: lathe.arena_bytes = 1088 : i64
func.func @counts_the_most_rows(%x: tensor<?x16xf32>, %i: tensor<?x2xi32>) -> tensor<?x16xf32> attributes {lathe.max_rows = 5 : i64} {
  // CHECK-NEXT: lathe.add {{.+}} {arena_offsets = array<i64: 640>}
  %a = lathe.add %x, %x : tensor<?x16xf32>
  // CHECK-NEXT: lathe.moe_dispatch {{.+}} {arena_offsets = array<i64: 0, 960, 1024>}
  %rows, %order, %offsets = lathe.moe_dispatch %a, %i : (tensor<?x16xf32>, tensor<?x2xi32>) -> (tensor<?x16xf32>, tensor<?xi32>, tensor<5xi32>)
  %b = lathe.add %rows, %rows : tensor<?x16xf32>
  return %b : tensor<?x16xf32>
}

// CHECK-LABEL: func @needs_nothing_for_weights_and_caches
// CHECK-SAME: lathe.arena_bytes = 0 : i64
!kv = !lathe.kv_cache<slots = 1, max_context = 3, kv_heads = 1, key_dim = 4, value_dim = 4, element = f32>
func.func @needs_nothing_for_weights_and_caches(%x: tensor<1x4xf32>, %s: tensor<1xi32>, %c: !kv) -> (tensor<4x4xf32>, tensor<1x4xf32>, !kv) {
  // CHECK-NOT: arena_offsets
  %w = lathe.weight "w" from [#lathe.tensor_ref<"w">] : tensor<4x4xf32>
  %a, %c1 = lathe.attention %x, %x, %x, %s, %s, %c num_heads = 1 softmax_scale = 0.5 : (tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>, tensor<1xi32>, tensor<1xi32>, !kv) -> (tensor<1x4xf32>, !kv)
  return %w, %a, %c1 : tensor<4x4xf32>, tensor<1x4xf32>, !kv
}

// CHECK-LABEL: func @gives_unused_results_a_place
// CHECK-SAME: lathe.arena_bytes = 128 : i64
func.func @gives_unused_results_a_place(%x: tensor<1x16xf32>) -> tensor<1x16xf32> {
  %a = lathe.add %x, %x : tensor<1x16xf32>
  %b = lathe.swiglu %x, %x : tensor<1x16xf32>
  %c = lathe.add %a, %x : tensor<1x16xf32>
  return %c : tensor<1x16xf32>
}

//--- no_rows.mlir
// ROWS: error: has an open number of rows and no lathe.max_rows; lathe-specialise-steps sets it
func.func @f(%x: tensor<?x16xf32>) {
  return
}

//--- rows.mlir
// RANGE: error: lathe.max_rows is 0; it should be from 1 to 16777216
func.func @f(%x: tensor<?x16xf32>) attributes {lathe.max_rows = 0 : i64} {
  return
}

//--- blocks.mlir
// BLOCKS: error: has 2 blocks; a step that is planned has one
func.func @f() {
  return
^other:
  return
}

//--- entries.mlir
// ENTRIES: error: 'lathe.add' op result_bytes is array<i64: 64, 64>; it should have one entry a result, each from 0 to 281474976710656
func.func @f(%x: tensor<1x16xf32>) {
  %a = lathe.add %x, %x {result_bytes = array<i64: 64, 64>} : tensor<1x16xf32>
  return
}

//--- view.mlir
// VIEW: error: 'lathe.add' op view_of is 2; it should be the number of an operand of an op with one result
func.func @view(%x: tensor<1x16xf32>) -> tensor<1x16xf32> {
  %a = lathe.add %x, %x {view_of = 2 : i64} : tensor<1x16xf32>
  return %a : tensor<1x16xf32>
}

//--- scratch.mlir
// SCRATCH: error: 'lathe.add' op scratch_bytes is -1; it should be from 0 to 281474976710656
func.func @f(%x: tensor<1x16xf32>) {
  %a = lathe.add %x, %x {scratch_bytes = -1 : i64} : tensor<1x16xf32>
  return
}

//--- large.mlir
// LARGE: error: 'lathe.add' op result 0 needs more than 281474976710656 bytes
func.func @f(%x: tensor<4294967296x4294967296xf32>) {
  %a = lathe.add %x, %x : tensor<4294967296x4294967296xf32>
  return
}
