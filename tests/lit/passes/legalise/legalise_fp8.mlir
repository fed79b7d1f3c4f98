// RUN: lathe-opt %s --lathe-legalise-fp8=targets-fp8=none | FileCheck %s
// RUN: lathe-opt %s --lathe-legalise-fp8=targets-fp8=none -o %t && lathe-interpret --compare %s %t
// RUN: lathe-opt %s --lathe-legalise-fp8 -o %t.native && lathe-opt %s -o %t.before && diff %t.before %t.native
// RUN: not lathe-opt %s --lathe-legalise-fp8=targets-fp8=maybe 2>&1 | FileCheck %s --check-prefix=MAYBE
// MAYBE: error: targets-fp8 is 'maybe'; it should be native or none

!w = !lathe.quantized<24x160xf8E4M3FN, block<128x128xf32>>
!x8 = !lathe.quantized<?x160xf8E4M3FN, block<1x128xf32>>

// CHECK-LABEL: func @gives_a_product_floats
// CHECK-SAME: choice = "floats", layer = 5 : i64, op = "linear", pass = "legalise-fp8"
func.func @gives_a_product_floats(%x: tensor<?x160xf32>, %b: tensor<24xf32>) -> tensor<?x24xf32> {
  // CHECK-NEXT: %[[W:.+]] = lathe.weight "w"
  // CHECK-NEXT: %[[F:.+]] = lathe.dequantize %[[W]] : <24x160xf8E4M3FN, block<128x128xf32>> -> tensor<24x160xf32>
  // CHECK-NEXT: %[[Y:.+]] = lathe.linear %arg0, %[[F]] bias %arg1
  // CHECK-NEXT: return %[[Y]]
  %w = lathe.weight "w" from [#lathe.tensor_ref<"w">] scales [#lathe.tensor_ref<"s">] : !w
  %y = lathe.scaled_matmul %x, %w bias %b : (tensor<?x160xf32>, !w, tensor<24xf32>) -> tensor<?x24xf32> loc("layers.5.mlp")
  return %y : tensor<?x24xf32>
}

// CHECK-LABEL: func @dequantizes_a_weight_once
func.func @dequantizes_a_weight_once(%x: tensor<?x160xf32>, %z: tensor<?x160xf32>) -> (tensor<?x24xf32>, tensor<?x24xf32>) {
  // CHECK: %[[F:.+]] = lathe.dequantize
  // CHECK-NEXT: lathe.linear %arg0, %[[F]]
  // CHECK-NEXT: lathe.linear %arg1, %[[F]]
  %w = lathe.weight "w" from [#lathe.tensor_ref<"w">] scales [#lathe.tensor_ref<"s">] : !w
  %y = lathe.scaled_matmul %x, %w : (tensor<?x160xf32>, !w) -> tensor<?x24xf32>
  %y1 = lathe.scaled_matmul %z, %w : (tensor<?x160xf32>, !w) -> tensor<?x24xf32>
  return %y, %y1 : tensor<?x24xf32>, tensor<?x24xf32>
}

// CHECK-LABEL: func @gives_fused_products_floats
func.func @gives_fused_products_floats(%x: tensor<?x160xf32>, %a: !w, %b: tensor<8x160xbf16>) -> (tensor<?x24xf32>, tensor<?x8xf32>, tensor<?x24xf32>) {
  // CHECK: %[[F:.+]] = lathe.dequantize %arg1
  // CHECK: lathe.fused_linear %arg0, %[[F]], %arg2 : (tensor<?x160xf32>, tensor<24x160xf32>, tensor<8x160xbf16>)
  // CHECK: lathe.gated_linear %arg0, %[[F]], %[[F]]
  %y:2 = lathe.fused_linear %x, %a, %b : (tensor<?x160xf32>, !w, tensor<8x160xbf16>) -> (tensor<?x24xf32>, tensor<?x8xf32>)
  %g = lathe.gated_linear %x, %a, %a : (tensor<?x160xf32>, !w, !w) -> tensor<?x24xf32>
  return %y#0, %y#1, %g : tensor<?x24xf32>, tensor<?x8xf32>, tensor<?x24xf32>
}

!cache = !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>
!kv_b = !lathe.quantized<112x32xf8E4M3FN, block<128x128xf32>>
// CHECK-LABEL: func @gives_latent_attention_floats
func.func @gives_latent_attention_floats(%q: tensor<?x96xf32>, %l: tensor<?x40xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !cache) -> (tensor<?x48xf32>, !cache, tensor<?x48xf32>, tensor<?x160xf32>) {
  // CHECK: %[[F:.+]] = lathe.dequantize {{.+}} -> tensor<112x32xf32>
  // CHECK: lathe.mla_attention {{.+}} kv_b %[[F]]
  // CHECK: lathe.absorb_query %arg0, %[[F]]
  // CHECK: lathe.expand_value %{{.+}}, %[[F]]
  %w = lathe.weight "w" from [#lathe.tensor_ref<"w">] scales [#lathe.tensor_ref<"s">] : !kv_b
  %o, %c1 = lathe.mla_attention %q, %l, %s, %p, %c kv_b %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 0.25 form = materialised : (tensor<?x96xf32>, tensor<?x40xf32>, tensor<?xi32>, tensor<?xi32>, !cache, !kv_b) -> (tensor<?x48xf32>, !cache)
  %a = lathe.absorb_query %q, %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 : (tensor<?x96xf32>, !kv_b) -> tensor<?x160xf32>
  %t = lathe.slice %a offset = 0 : tensor<?x160xf32> -> tensor<?x128xf32>
  %v = lathe.expand_value %t, %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 : (tensor<?x128xf32>, !kv_b) -> tensor<?x48xf32>
  return %o, %c1, %v, %a : tensor<?x48xf32>, !cache, tensor<?x48xf32>, tensor<?x160xf32>
}

!stack = !lathe.quantized<4x24x160xf8E4M3FN, block<128x128xf32>>
!down = !lathe.quantized<4x160x24xf8E4M3FN, block<128x128xf32>>
// CHECK-LABEL: func @gives_experts_floats
func.func @gives_experts_floats(%x: tensor<?x160xf32>, %offsets: tensor<5xi32>, %r: tensor<4x160xf32>, %g: !stack, %d: !down) -> (tensor<?x160xf32>, tensor<?x160xf32>) {
  // CHECK-DAG: %[[G:.+]] = lathe.dequantize %arg3 {{.+}} -> tensor<4x24x160xf32>
  // CHECK-DAG: %[[D:.+]] = lathe.dequantize %arg4 {{.+}} -> tensor<4x160x24xf32>
  // CHECK: lathe.expert_ffn %arg0, %arg1, %[[G]], %[[G]], %[[D]] activations = f32
  // CHECK: lathe.fused_experts %arg0, %arg2, %[[G]], %[[G]], %[[D]]
  %e = lathe.expert_ffn %x, %offsets, %g, %g, %d activations = f32 : (tensor<?x160xf32>, tensor<5xi32>, !stack, !stack, !down) -> tensor<?x160xf32>
  %f = lathe.fused_experts %x, %r, %g, %g, %d routing = <score = softmax, top_k = 2> activations = bf16 : (tensor<?x160xf32>, tensor<4x160xf32>, !stack, !stack, !down) -> tensor<?x160xf32>
  return %e, %f : tensor<?x160xf32>, tensor<?x160xf32>
}

// CHECK-LABEL: func @keeps_products_of_rows_as_codes
// CHECK-NOT: lathe.dequantize
func.func @keeps_products_of_rows_as_codes(%x: tensor<?x160xf32>, %w: !w) -> (tensor<?x24xf32>, tensor<?x24xf32>) {
  %q = lathe.quantize %x : tensor<?x160xf32> -> !x8
  %y = lathe.scaled_matmul %q, %w : (!x8, !w) -> tensor<?x24xf32>
  %g = lathe.gated_linear %q, %w, %w : (!x8, !w, !w) -> tensor<?x24xf32>
  return %y, %g : tensor<?x24xf32>, tensor<?x24xf32>
}

// CHECK-LABEL: func @keeps_experts_that_quantise_their_rows
// CHECK-NOT: lathe.dequantize
func.func @keeps_experts_that_quantise_their_rows(%x: tensor<?x160xf32>, %offsets: tensor<5xi32>, %r: tensor<4x160xf32>, %g: !stack, %d: !down) -> (tensor<?x160xf32>, tensor<?x160xf32>) {
  %e = lathe.expert_ffn %x, %offsets, %g, %g, %d activations = w8a8 : (tensor<?x160xf32>, tensor<5xi32>, !stack, !stack, !down) -> tensor<?x160xf32>
  %f = lathe.fused_experts %x, %r, %g, %g, %d routing = <score = softmax, top_k = 2> activations = w8a8_ue8m0 : (tensor<?x160xf32>, tensor<4x160xf32>, !stack, !stack, !down) -> tensor<?x160xf32>
  return %e, %f : tensor<?x160xf32>, tensor<?x160xf32>
}

// CHECK-LABEL: func @keeps_weights_of_floats
// CHECK-NEXT: lathe.linear %arg0, %arg1
func.func @keeps_weights_of_floats(%x: tensor<?x160xf32>, %w: tensor<24x160xbf16>) -> tensor<?x24xf32> {
  %y = lathe.linear %x, %w : (tensor<?x160xf32>, tensor<24x160xbf16>) -> tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}
