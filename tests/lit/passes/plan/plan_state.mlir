// RUN: split-file %s %t
// RUN: lathe-opt %t/steps.mlir --lathe-plan-state | FileCheck %s
// RUN: lathe-opt %t/steps.mlir --lathe-plan-state -o %t/planned.mlir && lathe-interpret --compare %t/steps.mlir %t/planned.mlir
// RUN: not lathe-opt %t/other_size.mlir --lathe-plan-state 2>&1 | FileCheck %s --check-prefix=SIZE
// RUN: not lathe-opt %t/other_place.mlir --lathe-plan-state 2>&1 | FileCheck %s --check-prefix=PLACE
// RUN: not lathe-opt %t/negative.mlir --lathe-plan-state 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// RUN: not lathe-opt %t/huge.mlir --lathe-plan-state 2>&1 | FileCheck %s --check-prefix=HUGE

//--- steps.mlir
!kv = !lathe.kv_cache<slots = 1, max_context = 3, kv_heads = 1, key_dim = 4, value_dim = 4, element = f32>
!latent = !lathe.latent_cache<slots = 2, max_context = 5, kv_lora_rank = 6, rope_dim = 2, element = bf16>

// What the backend says counts (100 bytes), then what the type says (2 * 5 * 8 * 2 and 3 * 8 * 4 bytes), each rounded up to 64.
// CHECK-LABEL: func @decode
// CHECK-SAME: {lathe.cache_bytes = 100 : i64, lathe.state_offset = 0 : i64}
// CHECK-SAME: {lathe.state_offset = 128 : i64}
// CHECK-SAME: {lathe.state_offset = 320 : i64}
// CHECK-SAME: attributes {lathe.state_bytes = 448 : i64}
func.func @decode(%t: tensor<1xi32>, %a: !kv {lathe.cache_bytes = 100 : i64}, %b: !latent, %c: !kv) -> (!kv, !latent, !kv) {
  return %a, %b, %c : !kv, !latent, !kv
}
// CHECK-LABEL: func @prefill
// CHECK-SAME: lathe.state_offset = 0 : i64
// CHECK-SAME: lathe.state_offset = 128 : i64
// CHECK-SAME: lathe.state_offset = 320 : i64
func.func @prefill(%t: tensor<?xi32>, %a: !kv {lathe.cache_bytes = 100 : i64}, %b: !latent, %c: !kv) -> (!kv, !latent, !kv) {
  return %a, %b, %c : !kv, !latent, !kv
}
// CHECK-LABEL: func @has_no_state
// CHECK-SAME: lathe.state_bytes = 0 : i64
func.func @has_no_state(%t: tensor<?xi32>) {
  return
}

//--- other_size.mlir
!kv = !lathe.kv_cache<slots = 1, max_context = 3, kv_heads = 1, key_dim = 4, value_dim = 4, element = f32>
// SIZE: error: has a state of another size than @decode; all steps should have the same caches
func.func @decode(%a: !kv {lathe.cache_bytes = 100 : i64}) {
  return
}
func.func @prefill(%a: !kv {lathe.cache_bytes = 200 : i64}) {
  return
}

//--- other_place.mlir
!kv = !lathe.kv_cache<slots = 1, max_context = 3, kv_heads = 1, key_dim = 4, value_dim = 4, element = f32>
// PLACE: error: the cache of argument 1 is not where @decode has it; all steps should have the same caches
func.func @decode(%a: !kv {lathe.cache_bytes = 100 : i64}, %b: !kv) {
  return
}
func.func @prefill(%a: !kv {lathe.cache_bytes = 200 : i64}, %b: !kv) {
  return
}

//--- negative.mlir
!kv = !lathe.kv_cache<slots = 1, max_context = 3, kv_heads = 1, key_dim = 4, value_dim = 4, element = f32>
// NEGATIVE: error: the cache of argument 0 needs -4 bytes; it should be from 0 to 281474976710656
func.func @decode(%a: !kv {lathe.cache_bytes = -4 : i64}) {
  return
}

//--- huge.mlir
!latent = !lathe.latent_cache<slots = 16777216, max_context = 2147483647, kv_lora_rank = 16777216, rope_dim = 2, element = f32>
// HUGE: error: the cache of argument 0 needs more than 2^48 bytes; it should be from 0 to 281474976710656
func.func @decode(%a: !latent) {
  return
}
