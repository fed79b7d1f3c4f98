// Every op as its description shows it: text to IR to text, and through bytecode, without a change.
// RUN: lathe-opt %s | FileCheck %s
// RUN: lathe-opt %s | lathe-opt | FileCheck %s
// RUN: lathe-opt %s -emit-bytecode | lathe-opt | FileCheck %s

// CHECK-LABEL: func @weight
func.func @weight() -> (tensor<64x64xbf16>, tensor<24x64xbf16>, !lathe.quantized<2x160x384xf8E4M3FN, block<128x128xf32>>) {
  // CHECK: lathe.weight "layers.0.q_proj" from [#lathe.tensor_ref<"q_proj.weight">] : tensor<64x64xbf16>
  %0 = lathe.weight "layers.0.q_proj" from [#lathe.tensor_ref<"q_proj.weight">] : tensor<64x64xbf16>
  // CHECK: lathe.weight "up" from [#lathe.tensor_ref<"gate_up", "0123456789abcdef0123456789abcdef">] rows = [24, 48] : tensor<24x64xbf16>
  %1 = lathe.weight "up" from [#lathe.tensor_ref<"gate_up", "0123456789abcdef0123456789abcdef">] rows = [24, 48] : tensor<24x64xbf16>
  // CHECK: lathe.weight "experts" from [#lathe.tensor_ref<"a">, #lathe.tensor_ref<"b">] scales [#lathe.tensor_ref<"a.s">, #lathe.tensor_ref<"b.s">] : !lathe.quantized<2x160x384xf8E4M3FN, block<128x128xf32>>
  %2 = lathe.weight "experts" from [#lathe.tensor_ref<"a">, #lathe.tensor_ref<"b">] scales [#lathe.tensor_ref<"a.s">, #lathe.tensor_ref<"b.s">] : !lathe.quantized<2x160x384xf8E4M3FN, block<128x128xf32>>
  return %0, %1, %2 : tensor<64x64xbf16>, tensor<24x64xbf16>, !lathe.quantized<2x160x384xf8E4M3FN, block<128x128xf32>>
}

// CHECK-LABEL: func @embedding
func.func @embedding(%tokens: tensor<?xi32>, %table: tensor<288x64xbf16>) -> tensor<?x64xf32> {
  // CHECK: lathe.embedding %{{.+}}, %{{.+}} : (tensor<?xi32>, tensor<288x64xbf16>) -> tensor<?x64xf32>
  %0 = lathe.embedding %tokens, %table : (tensor<?xi32>, tensor<288x64xbf16>) -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}

// CHECK-LABEL: func @select_rows
func.func @select_rows(%h: tensor<?x64xf32>, %rows: tensor<?xi32>) -> tensor<?x64xf32> {
  // CHECK: lathe.select_rows %{{.+}}, %{{.+}} : (tensor<?x64xf32>, tensor<?xi32>) -> tensor<?x64xf32>
  %0 = lathe.select_rows %h, %rows : (tensor<?x64xf32>, tensor<?xi32>) -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}

// CHECK-LABEL: func @slice
func.func @slice(%x: tensor<?x40xf32>) -> tensor<?x32xf32> {
  // CHECK: lathe.slice %{{.+}} offset = 8 : tensor<?x40xf32> -> tensor<?x32xf32>
  %0 = lathe.slice %x offset = 8 : tensor<?x40xf32> -> tensor<?x32xf32>
  return %0 : tensor<?x32xf32>
}

// CHECK-LABEL: func @concat
func.func @concat(%c: tensor<?x32xf32>, %r: tensor<?x8xf32>) -> tensor<?x40xf32> {
  // CHECK: lathe.concat %{{.+}}, %{{.+}} : (tensor<?x32xf32>, tensor<?x8xf32>) -> tensor<?x40xf32>
  %0 = lathe.concat %c, %r : (tensor<?x32xf32>, tensor<?x8xf32>) -> tensor<?x40xf32>
  return %0 : tensor<?x40xf32>
}

// CHECK-LABEL: func @elementwise
func.func @elementwise(%a: tensor<?x64xf32>, %b: tensor<?x64xf32>) -> tensor<?x64xf32> {
  // CHECK: lathe.add %{{.+}}, %{{.+}} : tensor<?x64xf32>
  %0 = lathe.add %a, %b : tensor<?x64xf32>
  // CHECK: lathe.scale %{{.+}} by 1.200000e+01 : tensor<?x64xf32>
  %1 = lathe.scale %0 by 1.200000e+01 : tensor<?x64xf32>
  // CHECK: lathe.swiglu %{{.+}}, %{{.+}} : tensor<?x64xf32>
  %2 = lathe.swiglu %1, %b : tensor<?x64xf32>
  return %2 : tensor<?x64xf32>
}

// CHECK-LABEL: func @rms_norm
func.func @rms_norm(%x: tensor<?x64xf32>, %g: tensor<16xbf16>) -> tensor<?x64xf32> {
  // CHECK: lathe.rms_norm %{{.+}}, %{{.+}} epsilon = 9.765625E-4 : tensor<?x64xf32>, tensor<16xbf16>
  %0 = lathe.rms_norm %x, %g epsilon = 9.765625e-4 : tensor<?x64xf32>, tensor<16xbf16>
  return %0 : tensor<?x64xf32>
}

// CHECK-LABEL: func @rope
func.func @rope(%positions: tensor<?xi32>, %q: tensor<?x24xf32>) -> tensor<?x24xf32> {
  // CHECK: lathe.rope_table %{{.+}} frequencies = [1.000000e+00, 1.250000e-01] magnitude = 1.000000e+00 : tensor<?xi32> -> tensor<?x4xf32>
  %0 = lathe.rope_table %positions frequencies = [1.000000e+00, 1.250000e-01] magnitude = 1.000000e+00 : tensor<?xi32> -> tensor<?x4xf32>
  // CHECK: lathe.rope %{{.+}}, %{{.+}} head_dim = 12 offset = 8 layout = pairs : tensor<?x24xf32>, tensor<?x4xf32>
  %1 = lathe.rope %q, %0 head_dim = 12 offset = 8 layout = pairs : tensor<?x24xf32>, tensor<?x4xf32>
  // CHECK: lathe.rope %{{.+}}, %{{.+}} head_dim = 12 offset = 0 layout = half : tensor<?x24xf32>, tensor<?x4xf32>
  %2 = lathe.rope %1, %0 head_dim = 12 offset = 0 layout = half : tensor<?x24xf32>, tensor<?x4xf32>
  return %2 : tensor<?x24xf32>
}

// CHECK-LABEL: func @linear
func.func @linear(%x: tensor<?x64xf32>, %w: tensor<96x64xbf16>, %b: tensor<96xf32>) -> (tensor<?x96xf32>, tensor<?x96xf32>) {
  // CHECK: lathe.cast %{{.+}} : tensor<?x64xf32> -> tensor<?x64xbf16>
  %0 = lathe.cast %x : tensor<?x64xf32> -> tensor<?x64xbf16>
  // CHECK: lathe.linear %{{.+}}, %{{.+}} : (tensor<?x64xbf16>, tensor<96x64xbf16>) -> tensor<?x96xf32>
  %1 = lathe.linear %0, %w : (tensor<?x64xbf16>, tensor<96x64xbf16>) -> tensor<?x96xf32>
  // CHECK: lathe.linear %{{.+}}, %{{.+}} bias %{{.+}} : (tensor<?x64xf32>, tensor<96x64xbf16>, tensor<96xf32>) -> tensor<?x96xf32>
  %2 = lathe.linear %x, %w bias %b : (tensor<?x64xf32>, tensor<96x64xbf16>, tensor<96xf32>) -> tensor<?x96xf32>
  return %1, %2 : tensor<?x96xf32>, tensor<?x96xf32>
}

// CHECK-LABEL: func @quantized
func.func @quantized(%x: tensor<?x384xf32>, %w: !lathe.quantized<160x384xf8E4M3FN, block<128x128xf32>>, %b: tensor<160xf16>) -> (tensor<?x160xf32>, tensor<160x384xf32>) {
  // CHECK: lathe.quantize %{{.+}} : tensor<?x384xf32> -> <?x384xf8E4M3FN, block<1x128xf8E8M0FNU>>
  %0 = lathe.quantize %x : tensor<?x384xf32> -> !lathe.quantized<?x384xf8E4M3FN, block<1x128xf8E8M0FNU>>
  // CHECK: lathe.scaled_matmul %{{.+}}, %{{.+}} : (!lathe.quantized<?x384xf8E4M3FN, block<1x128xf8E8M0FNU>>, !lathe.quantized<160x384xf8E4M3FN, block<128x128xf32>>) -> tensor<?x160xf32>
  %1 = lathe.scaled_matmul %0, %w : (!lathe.quantized<?x384xf8E4M3FN, block<1x128xf8E8M0FNU>>, !lathe.quantized<160x384xf8E4M3FN, block<128x128xf32>>) -> tensor<?x160xf32>
  // CHECK: lathe.scaled_matmul %{{.+}}, %{{.+}} bias %{{.+}} : (tensor<?x384xf32>, !lathe.quantized<160x384xf8E4M3FN, block<128x128xf32>>, tensor<160xf16>) -> tensor<?x160xf32>
  %2 = lathe.scaled_matmul %x, %w bias %b : (tensor<?x384xf32>, !lathe.quantized<160x384xf8E4M3FN, block<128x128xf32>>, tensor<160xf16>) -> tensor<?x160xf32>
  %3 = lathe.add %1, %2 : tensor<?x160xf32>
  // CHECK: lathe.dequantize %{{.+}} : <160x384xf8E4M3FN, block<128x128xf32>> -> tensor<160x384xf32>
  %4 = lathe.dequantize %w : !lathe.quantized<160x384xf8E4M3FN, block<128x128xf32>> -> tensor<160x384xf32>
  return %3, %4 : tensor<?x160xf32>, tensor<160x384xf32>
}

// CHECK-LABEL: func @fused_linear
func.func @fused_linear(%x: tensor<?x64xf32>, %wq: tensor<24x64xbf16>, %wk: tensor<40x64xbf16>, %bq: tensor<24xf32>, %bk: tensor<40xf32>) -> (tensor<?x24xf32>, tensor<?x40xf32>) {
  // CHECK: lathe.fused_linear %{{.+}}, %{{.+}}, %{{.+}} : (tensor<?x64xf32>, tensor<24x64xbf16>, tensor<40x64xbf16>) -> (tensor<?x24xf32>, tensor<?x40xf32>)
  %0, %1 = lathe.fused_linear %x, %wq, %wk : (tensor<?x64xf32>, tensor<24x64xbf16>, tensor<40x64xbf16>) -> (tensor<?x24xf32>, tensor<?x40xf32>)
  // CHECK: lathe.fused_linear %{{.+}}, %{{.+}}, %{{.+}} biases %{{.+}}, %{{.+}} : (tensor<?x64xf32>, tensor<24x64xbf16>, tensor<40x64xbf16>, tensor<24xf32>, tensor<40xf32>) -> (tensor<?x24xf32>, tensor<?x40xf32>)
  %2, %3 = lathe.fused_linear %x, %wq, %wk biases %bq, %bk : (tensor<?x64xf32>, tensor<24x64xbf16>, tensor<40x64xbf16>, tensor<24xf32>, tensor<40xf32>) -> (tensor<?x24xf32>, tensor<?x40xf32>)
  %4 = lathe.add %0, %2 : tensor<?x24xf32>
  %5 = lathe.add %1, %3 : tensor<?x40xf32>
  return %4, %5 : tensor<?x24xf32>, tensor<?x40xf32>
}

// CHECK-LABEL: func @gated_linear
func.func @gated_linear(%x: tensor<?x64xf32>, %gate: tensor<96x64xbf16>, %up: tensor<96x64xbf16>, %b: tensor<96xf32>) -> (tensor<?x96xf32>, tensor<?x96xf32>) {
  // CHECK: lathe.gated_linear %{{.+}}, %{{.+}}, %{{.+}} : (tensor<?x64xf32>, tensor<96x64xbf16>, tensor<96x64xbf16>) -> tensor<?x96xf32>
  %0 = lathe.gated_linear %x, %gate, %up : (tensor<?x64xf32>, tensor<96x64xbf16>, tensor<96x64xbf16>) -> tensor<?x96xf32>
  // CHECK: lathe.gated_linear %{{.+}}, %{{.+}}, %{{.+}} biases %{{.+}}, %{{.+}} : (tensor<?x64xf32>, tensor<96x64xbf16>, tensor<96x64xbf16>, tensor<96xf32>, tensor<96xf32>) -> tensor<?x96xf32>
  %1 = lathe.gated_linear %x, %gate, %up biases %b, %b : (tensor<?x64xf32>, tensor<96x64xbf16>, tensor<96x64xbf16>, tensor<96xf32>, tensor<96xf32>) -> tensor<?x96xf32>
  return %0, %1 : tensor<?x96xf32>, tensor<?x96xf32>
}

!kv = !lathe.kv_cache<slots = 2, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = bf16>

// CHECK-LABEL: func @attention
func.func @attention(%q: tensor<?x64xf32>, %k: tensor<?x32xf32>, %v: tensor<?x24xf32>, %slots: tensor<?xi32>, %positions: tensor<?xi32>, %c: !kv) -> (tensor<?x48xf32>, !kv) {
  // CHECK: lathe.attention %{{.+}}, %{{.+}}, %{{.+}}, %{{.+}}, %{{.+}}, %{{.+}} num_heads = 4 softmax_scale = 2.500000e-01 : (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x24xf32>, tensor<?xi32>, tensor<?xi32>, !lathe.kv_cache<slots = 2, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = bf16>) -> (tensor<?x48xf32>, !lathe.kv_cache<
  %0, %1 = lathe.attention %q, %k, %v, %slots, %positions, %c num_heads = 4 softmax_scale = 2.500000e-01 : (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x24xf32>, tensor<?xi32>, tensor<?xi32>, !kv) -> (tensor<?x48xf32>, !kv)
  // CHECK: softmax_scale = 2.500000e-01 window = 8 :
  %2, %3 = lathe.attention %q, %k, %v, %slots, %positions, %1 num_heads = 4 softmax_scale = 2.500000e-01 window = 8 : (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x24xf32>, tensor<?xi32>, tensor<?xi32>, !kv) -> (tensor<?x48xf32>, !kv)
  %4 = lathe.add %0, %2 : tensor<?x48xf32>
  return %4, %3 : tensor<?x48xf32>, !kv
}

!latent = !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>

// CHECK-LABEL: func @mla_attention
func.func @mla_attention(%q: tensor<?x96xf32>, %l: tensor<?x40xf32>, %slots: tensor<?xi32>, %positions: tensor<?xi32>, %c: !latent, %w: tensor<112x32xbf16>) -> (tensor<?x48xf32>, !latent) {
  // CHECK: lathe.mla_attention %{{.+}}, %{{.+}}, %{{.+}}, %{{.+}}, %{{.+}} kv_b %{{.+}} num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 2.500000e-01 form = unspecified : (tensor<?x96xf32>, tensor<?x40xf32>, tensor<?xi32>, tensor<?xi32>, !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>, tensor<112x32xbf16>) -> (tensor<?x48xf32>, !lathe.latent_cache<
  %0, %1 = lathe.mla_attention %q, %l, %slots, %positions, %c kv_b %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 2.500000e-01 form = unspecified : (tensor<?x96xf32>, tensor<?x40xf32>, tensor<?xi32>, tensor<?xi32>, !latent, tensor<112x32xbf16>) -> (tensor<?x48xf32>, !latent)
  // CHECK: lathe.absorb_query %{{.+}}, %{{.+}} num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 : (tensor<?x96xf32>, tensor<112x32xbf16>) -> tensor<?x160xf32>
  %2 = lathe.absorb_query %q, %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 : (tensor<?x96xf32>, tensor<112x32xbf16>) -> tensor<?x160xf32>
  // CHECK: lathe.mla_attention %{{.+}}, %{{.+}}, %{{.+}}, %{{.+}}, %{{.+}} num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 2.500000e-01 form = absorbed :
  %3, %4 = lathe.mla_attention %2, %l, %slots, %positions, %1 num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 2.500000e-01 form = absorbed : (tensor<?x160xf32>, tensor<?x40xf32>, tensor<?xi32>, tensor<?xi32>, !latent) -> (tensor<?x128xf32>, !latent)
  // CHECK: lathe.expand_value %{{.+}}, %{{.+}} num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 : (tensor<?x128xf32>, tensor<112x32xbf16>) -> tensor<?x48xf32>
  %5 = lathe.expand_value %3, %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 : (tensor<?x128xf32>, tensor<112x32xbf16>) -> tensor<?x48xf32>
  %6 = lathe.add %0, %5 : tensor<?x48xf32>
  return %6, %4 : tensor<?x48xf32>, !latent
}

// CHECK-LABEL: func @experts
func.func @experts(%x: tensor<?x64xf32>, %logits: tensor<?x8xf32>, %b: tensor<8xf32>, %router: tensor<8x64xf32>, %up: tensor<8x24x64xbf16>, %down: tensor<8x64x24xbf16>) -> tensor<?x64xf32> {
  // CHECK: lathe.moe_route %{{.+}}, %{{.+}} routing = <score = sigmoid, top_k = 3, n_group = 4, topk_group = 2, group_score = top2_sum, renormalize = true, scale = 2.500000e+00 : f32> : (tensor<?x8xf32>, tensor<8xf32>) -> (tensor<?x3xi32>, tensor<?x3xf32>)
  %i, %w = lathe.moe_route %logits, %b routing = <score = sigmoid, top_k = 3, n_group = 4, topk_group = 2, group_score = top2_sum, renormalize = true, scale = 2.500000e+00 : f32> : (tensor<?x8xf32>, tensor<8xf32>) -> (tensor<?x3xi32>, tensor<?x3xf32>)
  // CHECK: lathe.moe_dispatch %{{.+}}, %{{.+}} : (tensor<?x64xf32>, tensor<?x3xi32>) -> (tensor<?x64xf32>, tensor<?xi32>, tensor<9xi32>)
  %rows, %order, %offsets = lathe.moe_dispatch %x, %i : (tensor<?x64xf32>, tensor<?x3xi32>) -> (tensor<?x64xf32>, tensor<?xi32>, tensor<9xi32>)
  // CHECK: lathe.expert_ffn %{{.+}}, %{{.+}}, %{{.+}}, %{{.+}}, %{{.+}} activations = f32 : (tensor<?x64xf32>, tensor<9xi32>, tensor<8x24x64xbf16>, tensor<8x24x64xbf16>, tensor<8x64x24xbf16>) -> tensor<?x64xf32>
  %e = lathe.expert_ffn %rows, %offsets, %up, %up, %down activations = f32 : (tensor<?x64xf32>, tensor<9xi32>, tensor<8x24x64xbf16>, tensor<8x24x64xbf16>, tensor<8x64x24xbf16>) -> tensor<?x64xf32>
  // CHECK: lathe.moe_combine %{{.+}}, %{{.+}}, %{{.+}} : (tensor<?x64xf32>, tensor<?xi32>, tensor<?x3xf32>) -> tensor<?x64xf32>
  %y = lathe.moe_combine %e, %order, %w : (tensor<?x64xf32>, tensor<?xi32>, tensor<?x3xf32>) -> tensor<?x64xf32>
  // CHECK: lathe.fused_experts %{{.+}}, %{{.+}}, %{{.+}}, %{{.+}}, %{{.+}} routing = <score = softmax, top_k = 3> activations = bf16 : (tensor<?x64xf32>, tensor<8x64xf32>, tensor<8x24x64xbf16>, tensor<8x24x64xbf16>, tensor<8x64x24xbf16>) -> tensor<?x64xf32>
  %f = lathe.fused_experts %y, %router, %up, %up, %down routing = <score = softmax, top_k = 3> activations = bf16 : (tensor<?x64xf32>, tensor<8x64xf32>, tensor<8x24x64xbf16>, tensor<8x24x64xbf16>, tensor<8x64x24xbf16>) -> tensor<?x64xf32>
  // CHECK: lathe.fused_experts %{{.+}}, %{{.+}}, %{{.+}}, %{{.+}}, %{{.+}} bias %{{.+}} routing = <score = sigmoid, top_k = 3> activations = f32 :
  %g = lathe.fused_experts %f, %router, %up, %up, %down bias %b routing = <score = sigmoid, top_k = 3> activations = f32 : (tensor<?x64xf32>, tensor<8x64xf32>, tensor<8x24x64xbf16>, tensor<8x24x64xbf16>, tensor<8x64x24xbf16>, tensor<8xf32>) -> tensor<?x64xf32>
  return %g : tensor<?x64xf32>
}
