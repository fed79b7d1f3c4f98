// RUN: split-file %s %t
// RUN: lathe-opt %t/step.mlir --lathe-specialise-steps -o %t/steps.mlir && FileCheck %s < %t/steps.mlir
// RUN: lathe-interpret --compare %t/step.mlir %t/steps.mlir --function step=decode
// RUN: lathe-interpret --compare %t/step.mlir %t/steps.mlir --function step=prefill --rows 6
// RUN: lathe-opt %t/step.mlir --lathe-specialise-steps=prefill-chunk=7 | FileCheck %s --check-prefix=SEVEN
// RUN: lathe-opt %t/step.mlir --lathe-specialise-steps=prefill-chunk=1000 | FileCheck %s --check-prefix=CONTEXT
// RUN: lathe-opt %t/long.mlir --lathe-specialise-steps | FileCheck %s --check-prefix=LONG
// RUN: lathe-opt %t/costs.mlir --lathe-specialise-steps | FileCheck %s --check-prefix=COSTS
// RUN: lathe-opt %t/latent.mlir --lathe-specialise-steps -o %t/few.mlir && FileCheck %s --check-prefix=FEW < %t/few.mlir
// RUN: lathe-interpret --compare %t/latent.mlir %t/few.mlir --function step=few --rows 4
// RUN: lathe-opt %t/latent.mlir --lathe-specialise-steps=few-rows=1 | FileCheck %s --check-prefix=TWO
// RUN: lathe-opt %t/latent.mlir --lathe-specialise-steps=prefill-chunk=19 | FileCheck %s --check-prefix=TWO
// RUN: not lathe-opt %t/latent.mlir --lathe-specialise-steps=few-rows=2 2>&1 | FileCheck %s --check-prefix=FEWER
// RUN: not lathe-opt %t/step.mlir --lathe-specialise-steps=prefill-chunk=-1 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// RUN: not lathe-opt %t/none.mlir --lathe-specialise-steps 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not lathe-opt %t/taken.mlir --lathe-specialise-steps 2>&1 | FileCheck %s --check-prefix=TAKEN
// RUN: not lathe-opt %t/signature.mlir --lathe-specialise-steps 2>&1 | FileCheck %s --check-prefix=SIGNATURE

//--- step.mlir
!kv = !lathe.kv_cache<slots = 1, max_context = 64, kv_heads = 1, key_dim = 8, value_dim = 8, element = f32>
// CHECK-LABEL: func @decode(
// CHECK-SAME: %[[TOKENS:.+]]: tensor<1xi32>, %{{.+}}: tensor<1xi32>, %[[POSITIONS:.+]]: tensor<1xi32>, %[[ROWS:.+]]: tensor<?xi32>, %{{.+}}: !lathe.kv_cache<{{.+}}> {lathe.name = "layers.0.kv"}) -> (tensor<?x8xf32>, !lathe.kv_cache<{{.+}}>) attributes {lathe.max_rows = 1 : i64}
// CHECK: lathe.embedding {{.+}} -> tensor<1x8xf32>
// CHECK: lathe.rope_table {{.+}} -> tensor<1x4xf32>
// CHECK: lathe.linear {{.+}} -> tensor<1x4xf32>
// CHECK: lathe.moe_route {{.+}} -> (tensor<1x2xi32>, tensor<1x2xf32>)
// CHECK: lathe.moe_dispatch {{.+}} -> (tensor<2x8xf32>, tensor<2xi32>, tensor<5xi32>)
// CHECK: lathe.expert_ffn {{.+}} -> tensor<2x8xf32>
// CHECK: lathe.moe_combine {{.+}} -> tensor<1x8xf32>
// CHECK: lathe.quantize {{.+}} -> <1x8xf8E4M3FN, block<1x128xf32>>
// CHECK: lathe.dequantize {{.+}} -> tensor<1x8xf32>
// CHECK: lathe.attention {{.+}} -> (tensor<1x8xf32>, !lathe.kv_cache
// The caller says how many rows of logits it wants, whatever the number of tokens.
// CHECK: lathe.select_rows %{{.+}}, %[[ROWS]] : (tensor<1x8xf32>, tensor<?xi32>) -> tensor<?x8xf32>

// CHECK-LABEL: func @prefill(
// CHECK-SAME: tensor<?xi32>
// CHECK-SAME: lathe.max_rows = 64 : i64
// CHECK: lathe.moe_dispatch {{.+}} -> (tensor<?x8xf32>, tensor<?xi32>, tensor<5xi32>)
// CHECK-NOT: func @step
// CHECK: func.func @other(%{{.+}}: tensor<?x8xf32>)
// SEVEN: lathe.max_rows = 7 : i64
// CONTEXT: lathe.max_rows = 64 : i64
// NEGATIVE: error: prefill-chunk is -1; it should be at least 1, or 0 to let it be chosen
func.func @step(%tokens: tensor<?xi32>, %slots: tensor<?xi32>, %positions: tensor<?xi32>, %output_rows: tensor<?xi32>, %c: !kv {lathe.name = "layers.0.kv"}) -> (tensor<?x8xf32>, !kv) {
  %e = lathe.weight "e" from [#lathe.tensor_ref<"e">] : tensor<16x8xf32>
  %h = lathe.embedding %tokens, %e : (tensor<?xi32>, tensor<16x8xf32>) -> tensor<?x8xf32>
  %t = lathe.rope_table %positions frequencies = [1.0, 0.5] magnitude = 1.0 : tensor<?xi32> -> tensor<?x4xf32>
  %k = lathe.rope %h, %t head_dim = 8 offset = 0 layout = half : tensor<?x8xf32>, tensor<?x4xf32>
  %r = lathe.weight "r" from [#lathe.tensor_ref<"r">] : tensor<4x8xf32>
  %l = lathe.linear %k, %r : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
  %i, %p = lathe.moe_route %l routing = <score = softmax, top_k = 2> : (tensor<?x4xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  %rows, %order, %offsets = lathe.moe_dispatch %k, %i : (tensor<?x8xf32>, tensor<?x2xi32>) -> (tensor<?x8xf32>, tensor<?xi32>, tensor<5xi32>)
  %s = lathe.weight "s" from [#lathe.tensor_ref<"s">] : tensor<4x8x8xf32>
  %f = lathe.expert_ffn %rows, %offsets, %s, %s, %s activations = f32 : (tensor<?x8xf32>, tensor<5xi32>, tensor<4x8x8xf32>, tensor<4x8x8xf32>, tensor<4x8x8xf32>) -> tensor<?x8xf32>
  %m = lathe.moe_combine %f, %order, %p : (tensor<?x8xf32>, tensor<?xi32>, tensor<?x2xf32>) -> tensor<?x8xf32>
  %q8 = lathe.quantize %m : tensor<?x8xf32> -> !lathe.quantized<?x8xf8E4M3FN, block<1x128xf32>>
  %q = lathe.dequantize %q8 : !lathe.quantized<?x8xf8E4M3FN, block<1x128xf32>> -> tensor<?x8xf32>
  %a, %c1 = lathe.attention %q, %k, %h, %slots, %positions, %c num_heads = 1 softmax_scale = 0.5 : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<?xi32>, tensor<?xi32>, !kv) -> (tensor<?x8xf32>, !kv)
  %last = lathe.select_rows %a, %output_rows : (tensor<?x8xf32>, tensor<?xi32>) -> tensor<?x8xf32>
  return %last, %c1 : tensor<?x8xf32>, !kv
}
func.func @other(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  return %x : tensor<?x8xf32>
}

//--- long.mlir
// LONG: choice = "256 rows", op = "prefill_chunk", pass = "specialise-steps", why = "no target says what rows cost"
// LONG-SAME: lathe.max_rows = 256 : i64
!kv = !lathe.kv_cache<slots = 1, max_context = 4096, kv_heads = 1, key_dim = 8, value_dim = 8, element = f32>
func.func @step(%tokens: tensor<?xi32>, %slots: tensor<?xi32>, %positions: tensor<?xi32>, %output_rows: tensor<?xi32>, %c: !kv) -> !kv {
  return %c : !kv
}

//--- costs.mlir
// Its weight is read once in a step, which takes as long as 512 rows do.
// COSTS: lathe.explain = [{alternatives = [{choice = "64 rows", cost = "33.6 ms, arena about 524 kB"}
// COSTS-SAME: choice = "1024 rows", cost = "{{[0-9.]+}} ms, arena about
// COSTS-SAME: why = "a prompt of 2048 tokens; the arena should stay below 64 MB; of times within 2 % the smallest chunk"
// COSTS-SAME: lathe.max_rows = 512 : i64
!kv = !lathe.kv_cache<slots = 1, max_context = 4096, kv_heads = 1, key_dim = 8, value_dim = 8, element = f32>
module attributes {lathe.costs = {t = {read_bandwidth = 4.0e+9, cache_bytes = 1.0e+12, one_row = {f32 = 1.0e+9}, many_rows = {rows = array<f64: 512.0>, f32 = {f32 = array<f64: 1.024e+12>}}}}} {
func.func @step(%tokens: tensor<?xi32>, %slots: tensor<?xi32>, %positions: tensor<?xi32>, %output_rows: tensor<?xi32>, %c: !kv) -> (tensor<?x1024xf32>, !kv) {
  %e = lathe.weight "e" from [#lathe.tensor_ref<"e">] : tensor<16x1024xf32>
  %h = lathe.embedding %tokens, %e : (tensor<?xi32>, tensor<16x1024xf32>) -> tensor<?x1024xf32>
  %w = lathe.weight "w" from [#lathe.tensor_ref<"w">] : tensor<1024x1024xf32>
  %l = lathe.linear %h, %w : (tensor<?x1024xf32>, tensor<1024x1024xf32>) -> tensor<?x1024xf32>
  return %l, %c : tensor<?x1024xf32>, !kv
}
}

//--- latent.mlir
// Absorbed has fewer FLOPs up to 19 rows, and half of them up to 7. A step of 19 rows would be absorbed anyway.
// FEW: func.func @decode
// FEW: func.func @few(%{{.+}}: tensor<?xi32>
// FEW-SAME: choice = "4 rows", op = "few_rows", pass = "specialise-steps", why = "{{.+}} over 96 keys"
// FEW-SAME: lathe.max_rows = 4 : i64
// FEW: func.func @prefill
// TWO: func.func @decode
// TWO-NOT: @few
// TWO: func.func @prefill
// FEWER: error: few-rows is 2; it should be 0 to let it be chosen, or 1 for no such step
!latent = !lathe.latent_cache<slots = 1, max_context = 96, kv_lora_rank = 32, rope_dim = 8, element = f32>
func.func @step(%tokens: tensor<?xi32>, %slots: tensor<?xi32>, %positions: tensor<?xi32>, %output_rows: tensor<?xi32>, %c: !latent) -> (tensor<?x48xf32>, !latent) {
  %e = lathe.weight "e" from [#lathe.tensor_ref<"e">] : tensor<16x96xf32>
  %q = lathe.embedding %tokens, %e : (tensor<?xi32>, tensor<16x96xf32>) -> tensor<?x96xf32>
  %l = lathe.slice %q offset = 0 : tensor<?x96xf32> -> tensor<?x40xf32>
  %w = lathe.weight "w" from [#lathe.tensor_ref<"w">] : tensor<112x32xbf16>
  %o, %c1 = lathe.mla_attention %q, %l, %slots, %positions, %c kv_b %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 0.25 form = unspecified : (tensor<?x96xf32>, tensor<?x40xf32>, tensor<?xi32>, tensor<?xi32>, !latent, tensor<112x32xbf16>) -> (tensor<?x48xf32>, !latent)
  return %o, %c1 : tensor<?x48xf32>, !latent
}

//--- none.mlir
// NONE: error: has no function @step; import makes one from a checkpoint
func.func @other() {
  return
}

//--- taken.mlir
// TAKEN: taken.mlir:2:1: error: @decode is there already, beside the @step to make it from
func.func @decode() {
  return
}
func.func @step(%tokens: tensor<?xi32>, %slots: tensor<?xi32>, %positions: tensor<?xi32>, %output_rows: tensor<?xi32>) {
  return
}

//--- signature.mlir
// SIGNATURE: error: is a '(tensor<?xi32>, tensor<?xf32>, tensor<?xi32>, tensor<?xi32>) -> ()'; it should take (tokens, slots, positions, output_rows, caches)
func.func @step(%tokens: tensor<?xi32>, %slots: tensor<?xf32>, %positions: tensor<?xi32>, %output_rows: tensor<?xi32>) {
  return
}
