// RUN: split-file %s %t
// RUN: lathe-opt %t/products.mlir --lathe-legalise-activations=activations=bf16 | FileCheck %s --check-prefixes=BF16
// RUN: lathe-opt %t/products.mlir --lathe-legalise-activations=activations=w8a8 | FileCheck %s --check-prefixes=W8A8
// RUN: lathe-opt %t/powers.mlir --lathe-legalise-activations=activations=w8a8 | FileCheck %s --check-prefixes=UE8M0
// RUN: lathe-opt %t/products.mlir --lathe-legalise-activations -o %t/f32.mlir && lathe-opt %t/products.mlir -o %t/before.mlir && diff %t/before.mlir %t/f32.mlir
// RUN: not lathe-opt %t/products.mlir --lathe-legalise-activations=activations=int8 2>&1 | FileCheck %s --check-prefix=INT8
// INT8: error: activations are 'int8'; they should be f32, bf16 or w8a8
// Rounding is what the pass is for. One product with rows of bf16 is right to 8 bits (2^-8 = 0.004), with
// rows of e4m3 to 4 bits (2^-4 = 0.06); errors of many elements cancel.
// RUN: lathe-opt %t/products.mlir --lathe-legalise-activations=activations=bf16 -o %t/bf16.mlir && lathe-interpret --compare %t/products.mlir %t/bf16.mlir --tolerance 0.004
// RUN: lathe-opt %t/products.mlir --lathe-legalise-activations=activations=w8a8 -o %t/w8a8.mlir && lathe-interpret --compare %t/products.mlir %t/w8a8.mlir --tolerance 0.06
// RUN: lathe-opt %t/powers.mlir --lathe-legalise-activations=activations=w8a8 -o %t/ue8m0.mlir && lathe-interpret --compare %t/powers.mlir %t/ue8m0.mlir --tolerance 0.06

//--- products.mlir
!w = !lathe.quantized<24x160xf8E4M3FN, block<128x128xf32>>
!f = tensor<24x160xbf16>

// BF16-LABEL: func @converts_the_rows_of_a_product
// BF16-SAME: choice = "bf16", layer = 1 : i64, op = "scaled_matmul", pass = "legalise-activations", why = "asked for"
// BF16: %[[X:.+]] = lathe.cast %arg0 : tensor<?x160xf32> -> tensor<?x160xbf16>
// BF16: %[[Y:.+]] = lathe.scaled_matmul %[[X]], %arg1 : (tensor<?x160xbf16>, !lathe.quantized<24x160xf8E4M3FN, block<128x128xf32>>) -> tensor<?x24xf32>
// BF16: lathe.add %[[Y]], %[[Y]]
// W8A8-LABEL: func @converts_the_rows_of_a_product
// W8A8-SAME: choice = "w8a8", layer = 1 : i64, op = "scaled_matmul", pass = "legalise-activations", why = "the weight has e4m3 codes"
// W8A8: %[[X:.+]] = lathe.quantize %arg0 : tensor<?x160xf32> -> <?x160xf8E4M3FN, block<1x128xf32>>
// W8A8: lathe.scaled_matmul %[[X]], %arg1
func.func @converts_the_rows_of_a_product(%x: tensor<?x160xf32>, %w: !w) -> tensor<?x24xf32> {
  %y = lathe.scaled_matmul %x, %w : (tensor<?x160xf32>, !w) -> tensor<?x24xf32> loc("layers.1.mlp")
  %z = lathe.add %y, %y : tensor<?x24xf32>
  return %z : tensor<?x24xf32>
}

// BF16-LABEL: func @converts_an_input_once
// BF16: %[[X:.+]] = lathe.cast
// BF16-NOT: lathe.cast
// BF16: lathe.gated_linear %[[X]]
// BF16: lathe.fused_linear %[[X]]
// W8A8-LABEL: func @converts_an_input_once
// W8A8: %[[X:.+]] = lathe.quantize
// W8A8-NOT: lathe.quantize %
// W8A8: lathe.gated_linear %[[X]]
// W8A8: lathe.fused_linear %[[X]]
func.func @converts_an_input_once(%x: tensor<?x160xf32>, %a: !w, %b: !w) -> tensor<?x24xf32> {
  %g = lathe.gated_linear %x, %a, %b : (tensor<?x160xf32>, !w, !w) -> tensor<?x24xf32>
  %y:2 = lathe.fused_linear %x, %a, %b : (tensor<?x160xf32>, !w, !w) -> (tensor<?x24xf32>, tensor<?x24xf32>)
  %s = lathe.add %y#0, %y#1 : tensor<?x24xf32>
  %z = lathe.add %g, %s : tensor<?x24xf32>
  return %z : tensor<?x24xf32>
}

// BF16-LABEL: func @splits_where_weights_want_different_rows
// BF16: %[[X:.+]] = lathe.cast
// BF16: lathe.fused_linear %[[X]], %arg1, %arg2, %arg3, %arg4
// W8A8-LABEL: func @splits_where_weights_want_different_rows
// W8A8: %[[X:.+]] = lathe.quantize
// W8A8: %[[A:.+]]:2 = lathe.fused_linear %[[X]], %arg1, %arg3
// W8A8: %[[B:.+]]:2 = lathe.fused_linear %arg0, %arg2, %arg4
// W8A8: lathe.concat %[[A]]#0, %[[B]]#0, %[[A]]#1, %[[B]]#1
func.func @splits_where_weights_want_different_rows(%x: tensor<?x160xf32>, %a: !w, %b: !f, %c: !w, %d: !f) -> tensor<?x96xf32> {
  %y:4 = lathe.fused_linear %x, %a, %b, %c, %d : (tensor<?x160xf32>, !w, !f, !w, !f) -> (tensor<?x24xf32>, tensor<?x24xf32>, tensor<?x24xf32>, tensor<?x24xf32>)
  %z = lathe.concat %y#0, %y#1, %y#2, %y#3 : (tensor<?x24xf32>, tensor<?x24xf32>, tensor<?x24xf32>, tensor<?x24xf32>) -> tensor<?x96xf32>
  return %z : tensor<?x96xf32>
}

// W8A8-LABEL: func @splits_into_single_products
// W8A8: %[[X:.+]] = lathe.quantize
// W8A8: lathe.linear %arg0, %arg1 bias %arg3
// W8A8: lathe.scaled_matmul %[[X]], %arg2 bias %arg4
func.func @splits_into_single_products(%x: tensor<?x160xf32>, %a: !f, %b: !w, %ab: tensor<24xf32>, %bb: tensor<24xf32>) -> tensor<?x24xf32> {
  %y:2 = lathe.fused_linear %x, %a, %b biases %ab, %bb : (tensor<?x160xf32>, !f, !w, tensor<24xf32>, tensor<24xf32>) -> (tensor<?x24xf32>, tensor<?x24xf32>)
  %z = lathe.add %y#0, %y#1 : tensor<?x24xf32>
  return %z : tensor<?x24xf32>
}

!stack = !lathe.quantized<4x24x160xf8E4M3FN, block<128x128xf32>>
!down = !lathe.quantized<4x160x24xf8E4M3FN, block<128x128xf32>>
!stack_f = tensor<4x24x160xbf16>
!down_f = tensor<4x160x24xbf16>

// BF16-LABEL: func @tells_experts
// BF16: lathe.fused_experts %arg0, {{.+}} activations = bf16
// BF16: lathe.expert_ffn {{.+}} activations = bf16
// W8A8-LABEL: func @tells_experts
// W8A8: lathe.fused_experts %arg0, {{.+}} activations = w8a8 :
// W8A8: lathe.expert_ffn {{.+}} activations = w8a8 :
func.func @tells_experts(%x: tensor<?x160xf32>, %r: tensor<4x160xf32>, %offsets: tensor<5xi32>, %g: !stack, %d: !down) -> tensor<?x160xf32> {
  %e = lathe.fused_experts %x, %r, %g, %g, %d routing = <score = softmax, top_k = 2> activations = f32 : (tensor<?x160xf32>, tensor<4x160xf32>, !stack, !stack, !down) -> tensor<?x160xf32>
  %f = lathe.expert_ffn %x, %offsets, %g, %g, %d activations = f32 : (tensor<?x160xf32>, tensor<5xi32>, !stack, !stack, !down) -> tensor<?x160xf32>
  %z = lathe.add %e, %f : tensor<?x160xf32>
  return %z : tensor<?x160xf32>
}

// W8A8-LABEL: func @keeps_experts_with_floats_on_one_side
// W8A8-SAME: choice = "f32", op = "expert_ffn", pass = "legalise-activations", why = "the weight is floats"
// W8A8: lathe.expert_ffn {{.+}} activations = f32
// W8A8: lathe.expert_ffn {{.+}} activations = f32
func.func @keeps_experts_with_floats_on_one_side(%x: tensor<?x160xf32>, %offsets: tensor<5xi32>, %g: !stack, %d: !down, %gf: !stack_f, %df: !down_f) -> tensor<?x160xf32> {
  %e = lathe.expert_ffn %x, %offsets, %g, %g, %df activations = f32 : (tensor<?x160xf32>, tensor<5xi32>, !stack, !stack, !down_f) -> tensor<?x160xf32>
  %f = lathe.expert_ffn %x, %offsets, %gf, %gf, %d activations = f32 : (tensor<?x160xf32>, tensor<5xi32>, !stack_f, !stack_f, !down) -> tensor<?x160xf32>
  %z = lathe.add %e, %f : tensor<?x160xf32>
  return %z : tensor<?x160xf32>
}

// BF16-LABEL: func @keeps_experts_that_have_their_form
// BF16: activations = w8a8 :
func.func @keeps_experts_that_have_their_form(%x: tensor<?x160xf32>, %offsets: tensor<5xi32>, %g: !stack, %d: !down) -> tensor<?x160xf32> {
  %e = lathe.expert_ffn %x, %offsets, %g, %g, %d activations = w8a8 : (tensor<?x160xf32>, tensor<5xi32>, !stack, !stack, !down) -> tensor<?x160xf32>
  return %e : tensor<?x160xf32>
}

// A router in a fused_linear is taken out of it where the others round.
// BF16-LABEL: func @keeps_the_router
// BF16: %[[X:.+]] = lathe.cast
// BF16: %[[L:.+]] = lathe.linear %arg0, %arg1
// BF16: lathe.linear %[[X]], %arg2
// BF16: lathe.moe_route %[[L]]
// W8A8-LABEL: func @keeps_the_router
// W8A8-SAME: op = "fused_linear", pass = "legalise-activations", why = "the router: rounding would choose other experts; the weight is floats"
// W8A8-NOT: lathe.quantize %
// W8A8: lathe.fused_linear %arg0, %arg1, %arg2
func.func @keeps_the_router(%x: tensor<?x160xf32>, %r: tensor<4x160xf32>, %w: !f) -> (tensor<?x2xf32>, tensor<?x24xf32>) {
  %y:2 = lathe.fused_linear %x, %r, %w : (tensor<?x160xf32>, tensor<4x160xf32>, !f) -> (tensor<?x4xf32>, tensor<?x24xf32>)
  %i, %p = lathe.moe_route %y#0 routing = <score = softmax, top_k = 2> : (tensor<?x4xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  %z = lathe.add %y#1, %y#1 : tensor<?x24xf32>
  return %p, %z : tensor<?x2xf32>, tensor<?x24xf32>
}

// BF16-LABEL: func @keeps_the_head
// BF16-SAME: choice = "f32", op = "scaled_matmul", pass = "legalise-activations", why = "the head: rounding would choose other tokens"
// BF16-NOT: lathe.cast
// W8A8-LABEL: func @keeps_the_head
// W8A8-NOT: lathe.quantize %
func.func @keeps_the_head(%x: tensor<?x160xf32>, %w: !w) -> tensor<?x24xf32> {
  %y = lathe.scaled_matmul %x, %w : (tensor<?x160xf32>, !w) -> tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}

// BF16-LABEL: func @keeps_the_head_behind_a_scale
// BF16-NOT: lathe.cast
func.func @keeps_the_head_behind_a_scale(%x: tensor<?x160xf32>, %w: !w) -> tensor<?x24xf32> {
  %y = lathe.scaled_matmul %x, %w : (tensor<?x160xf32>, !w) -> tensor<?x24xf32>
  %s = lathe.scale %y by 0.5 : tensor<?x24xf32>
  return %s : tensor<?x24xf32>
}

// BF16-LABEL: func @keeps_weights_of_floats
// W8A8-LABEL: func @keeps_weights_of_floats
// W8A8-SAME: why = "the weight is floats"
// W8A8-NOT: lathe.quantize %
func.func @keeps_weights_of_floats(%x: tensor<?x160xf32>, %w: !f) -> tensor<?x24xf32> {
  %y = lathe.linear %x, %w : (tensor<?x160xf32>, !f) -> tensor<?x24xf32>
  %z = lathe.add %y, %y : tensor<?x24xf32>
  return %z : tensor<?x24xf32>
}

!e5m2 = !lathe.quantized<24x160xf8E5M2, block<128x128xf32>>
// W8A8-LABEL: func @keeps_codes_of_e5m2
// W8A8-SAME: why = "the weight's codes are e5m2"
// W8A8-NOT: lathe.quantize %
func.func @keeps_codes_of_e5m2(%x: tensor<?x160xf32>, %w: !e5m2) -> tensor<?x24xf32> {
  %y = lathe.scaled_matmul %x, %w : (tensor<?x160xf32>, !e5m2) -> tensor<?x24xf32>
  %z = lathe.add %y, %y : tensor<?x24xf32>
  return %z : tensor<?x24xf32>
}

!i4 = !lathe.quantized<24x160xi4, block<1x32xf16>>
// W8A8-LABEL: func @gives_integers_to_integer_codes
// W8A8-SAME: choice = "w8a8_i8"
// W8A8-SAME: why = "the weight has i4 codes"
// W8A8: lathe.quantize %arg0 : tensor<?x160xf32> -> <?x160xi8, block<1x32xf32>>
func.func @gives_integers_to_integer_codes(%x: tensor<?x160xf32>, %w: !i4) -> tensor<?x24xf32> {
  %y = lathe.scaled_matmul %x, %w : (tensor<?x160xf32>, !i4) -> tensor<?x24xf32>
  %z = lathe.add %y, %y : tensor<?x24xf32>
  return %z : tensor<?x24xf32>
}

// Its weights are rounded far more.
// W8A8-LABEL: func @gives_integers_to_a_head_of_i4
// W8A8-SAME: choice = "w8a8_i8"
// W8A8: lathe.quantize %arg0 : tensor<?x160xf32> -> <?x160xi8, block<1x32xf32>>
// BF16-LABEL: func @gives_integers_to_a_head_of_i4
// BF16-SAME: why = "the head: rounding would choose other tokens"
// BF16: lathe.scaled_matmul %arg0, %arg1
func.func @gives_integers_to_a_head_of_i4(%x: tensor<?x160xf32>, %w: !i4) -> tensor<?x24xf32> {
  %y = lathe.scaled_matmul %x, %w : (tensor<?x160xf32>, !i4) -> tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}

!i8_head = !lathe.quantized<24x160xi8, block<1x32xf16>>
// W8A8-LABEL: func @keeps_a_head_of_i8
// W8A8-SAME: why = "the head: rounding would choose other tokens"
// W8A8-NOT: lathe.quantize %
func.func @keeps_a_head_of_i8(%x: tensor<?x160xf32>, %w: !i8_head) -> tensor<?x24xf32> {
  %y = lathe.scaled_matmul %x, %w : (tensor<?x160xf32>, !i8_head) -> tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}

!i8_odd = !lathe.quantized<24x160xi8, block<1x48xf16>>
// W8A8-LABEL: func @keeps_blocks_that_do_not_fit_integers
// W8A8-SAME: why = "blocks of 48 columns do not fit those of 32"
// W8A8-NOT: lathe.quantize %
func.func @keeps_blocks_that_do_not_fit_integers(%x: tensor<?x160xf32>, %w: !i8_odd) -> tensor<?x24xf32> {
  %y = lathe.scaled_matmul %x, %w : (tensor<?x160xf32>, !i8_odd) -> tensor<?x24xf32>
  %z = lathe.add %y, %y : tensor<?x24xf32>
  return %z : tensor<?x24xf32>
}

// W8A8-LABEL: func @splits_where_weights_have_codes_of_two_kinds
// W8A8-DAG: %[[E:.+]] = lathe.quantize %arg0 : tensor<?x160xf32> -> <?x160xf8E4M3FN, block<1x128xf32>>
// W8A8-DAG: %[[I:.+]] = lathe.quantize %arg0 : tensor<?x160xf32> -> <?x160xi8, block<1x32xf32>>
// W8A8: lathe.scaled_matmul %[[E]], %arg1
// W8A8: lathe.scaled_matmul %[[I]], %arg2
func.func @splits_where_weights_have_codes_of_two_kinds(%x: tensor<?x160xf32>, %a: !w, %b: !i4) -> tensor<?x24xf32> {
  %y:2 = lathe.fused_linear %x, %a, %b : (tensor<?x160xf32>, !w, !i4) -> (tensor<?x24xf32>, tensor<?x24xf32>)
  %z = lathe.add %y#0, %y#1 : tensor<?x24xf32>
  return %z : tensor<?x24xf32>
}

!i8_stack = !lathe.quantized<4x24x160xi8, block<1x32xf16>>
!i4_down = !lathe.quantized<4x160x24xi4, block<1x32xf16>>
// W8A8-LABEL: func @tells_experts_of_integers
// W8A8: activations = w8a8_i8 :
func.func @tells_experts_of_integers(%x: tensor<?x160xf32>, %offsets: tensor<5xi32>, %g: !i8_stack, %d: !i4_down) -> tensor<?x160xf32> {
  %e = lathe.expert_ffn %x, %offsets, %g, %g, %d activations = f32 : (tensor<?x160xf32>, tensor<5xi32>, !i8_stack, !i8_stack, !i4_down) -> tensor<?x160xf32>
  return %e : tensor<?x160xf32>
}

// W8A8-LABEL: func @keeps_experts_with_codes_of_two_kinds
// W8A8-SAME: why = "gate and down have codes of two kinds"
// W8A8: activations = f32 :
func.func @keeps_experts_with_codes_of_two_kinds(%x: tensor<?x160xf32>, %offsets: tensor<5xi32>, %g: !stack, %d: !i4_down) -> tensor<?x160xf32> {
  %e = lathe.expert_ffn %x, %offsets, %g, %g, %d activations = f32 : (tensor<?x160xf32>, tensor<5xi32>, !stack, !stack, !i4_down) -> tensor<?x160xf32>
  return %e : tensor<?x160xf32>
}

!odd = !lathe.quantized<24x160xf8E4M3FN, block<128x96xf32>>
// W8A8-LABEL: func @keeps_blocks_that_do_not_fit
// W8A8-SAME: why = "blocks of 96 columns do not fit those of 128"
// W8A8-NOT: lathe.quantize %
func.func @keeps_blocks_that_do_not_fit(%x: tensor<?x160xf32>, %w: !odd) -> tensor<?x24xf32> {
  %y = lathe.scaled_matmul %x, %w : (tensor<?x160xf32>, !odd) -> tensor<?x24xf32>
  %z = lathe.add %y, %y : tensor<?x24xf32>
  return %z : tensor<?x24xf32>
}

!narrow = !lathe.quantized<24x100xf8E4M3FN, block<128x64xf32>>
// W8A8-LABEL: func @fits_blocks_that_divide_its_own
// W8A8: lathe.quantize
func.func @fits_blocks_that_divide_its_own(%x: tensor<?x100xf32>, %w: !narrow) -> tensor<?x24xf32> {
  %y = lathe.scaled_matmul %x, %w : (tensor<?x100xf32>, !narrow) -> tensor<?x24xf32>
  %z = lathe.add %y, %y : tensor<?x24xf32>
  return %z : tensor<?x24xf32>
}

!channel = !lathe.quantized<24x160xf8E4M3FN, block<1x160xf32>>
// W8A8-LABEL: func @fits_a_scale_for_each_channel
// W8A8: lathe.quantize
func.func @fits_a_scale_for_each_channel(%x: tensor<?x160xf32>, %w: !channel) -> tensor<?x24xf32> {
  %y = lathe.scaled_matmul %x, %w : (tensor<?x160xf32>, !channel) -> tensor<?x24xf32>
  %z = lathe.add %y, %y : tensor<?x24xf32>
  return %z : tensor<?x24xf32>
}

!x8 = !lathe.quantized<?x160xf8E4M3FN, block<1x128xf32>>
// BF16-LABEL: func @keeps_rows_that_have_their_form
// BF16: lathe.scaled_matmul %arg0
// BF16: lathe.linear %arg1
// BF16: lathe.gated_linear %arg1
func.func @keeps_rows_that_have_their_form(%q: !x8, %b: tensor<?x160xbf16>, %w: !w, %f: !f) -> tensor<?x24xf32> {
  %y = lathe.scaled_matmul %q, %w : (!x8, !w) -> tensor<?x24xf32>
  %z = lathe.linear %b, %f : (tensor<?x160xbf16>, !f) -> tensor<?x24xf32>
  %g = lathe.gated_linear %b, %f, %f : (tensor<?x160xbf16>, !f, !f) -> tensor<?x24xf32>
  %s = lathe.add %y, %z : tensor<?x24xf32>
  %t = lathe.add %s, %g : tensor<?x24xf32>
  return %t : tensor<?x24xf32>
}

// Of many rows, in either mode.
// BF16-LABEL: func @rounds_queries_of_attention
// BF16: %[[Q:.+]] = lathe.cast %arg0 : tensor<?x64xf32> -> tensor<?x64xbf16>
// BF16: lathe.attention %[[Q]], %arg1, %arg2
// W8A8-LABEL: func @rounds_queries_of_attention
// W8A8: %[[Q:.+]] = lathe.cast %arg0 : tensor<?x64xf32> -> tensor<?x64xbf16>
// W8A8: lathe.attention %[[Q]], %arg1, %arg2
!kv = !lathe.kv_cache<slots = 1, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>
func.func @rounds_queries_of_attention(%q: tensor<?x64xf32>, %k: tensor<?x32xf32>, %v: tensor<?x24xf32>, %slots: tensor<?xi32>, %positions: tensor<?xi32>, %c: !kv) -> (tensor<?x48xf32>, !kv) {
  %o, %d = lathe.attention %q, %k, %v, %slots, %positions, %c num_heads = 4 softmax_scale = 2.500000e-01 : (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x24xf32>, tensor<?xi32>, tensor<?xi32>, !kv) -> (tensor<?x48xf32>, !kv)
  return %o, %d : tensor<?x48xf32>, !kv
}

// BF16-LABEL: func @keeps_attention_of_one_row
// BF16: lathe.attention %arg0
func.func @keeps_attention_of_one_row(%q: tensor<1x64xf32>, %k: tensor<1x32xf32>, %v: tensor<1x24xf32>, %slots: tensor<1xi32>, %positions: tensor<1xi32>, %c: !kv) -> (tensor<1x48xf32>, !kv) {
  %o, %d = lathe.attention %q, %k, %v, %slots, %positions, %c num_heads = 4 softmax_scale = 2.500000e-01 : (tensor<1x64xf32>, tensor<1x32xf32>, tensor<1x24xf32>, tensor<1xi32>, tensor<1xi32>, !kv) -> (tensor<1x48xf32>, !kv)
  return %o, %d : tensor<1x48xf32>, !kv
}

!latent = !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>
// BF16-LABEL: func @rounds_queries_of_materialised_latent_attention
// BF16: %[[Q:.+]] = lathe.cast %arg0 : tensor<?x96xf32> -> tensor<?x96xbf16>
// BF16: lathe.mla_attention %[[Q]], %arg1
func.func @rounds_queries_of_materialised_latent_attention(%q: tensor<?x96xf32>, %l: tensor<?x40xf32>, %slots: tensor<?xi32>, %positions: tensor<?xi32>, %c: !latent, %kv_b: tensor<112x32xbf16>) -> (tensor<?x48xf32>, !latent) {
  %o, %d = lathe.mla_attention %q, %l, %slots, %positions, %c kv_b %kv_b num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 2.500000e-01 form = materialised : (tensor<?x96xf32>, tensor<?x40xf32>, tensor<?xi32>, tensor<?xi32>, !latent, tensor<112x32xbf16>) -> (tensor<?x48xf32>, !latent)
  return %o, %d : tensor<?x48xf32>, !latent
}

// BF16-LABEL: func @keeps_absorbed_latent_attention
// BF16: lathe.mla_attention %arg0
func.func @keeps_absorbed_latent_attention(%q: tensor<?x96xf32>, %l: tensor<?x40xf32>, %slots: tensor<?xi32>, %positions: tensor<?xi32>, %c: !latent, %kv_b: tensor<112x32xbf16>) -> (tensor<?x48xf32>, !latent) {
  %o, %d = lathe.mla_attention %q, %l, %slots, %positions, %c kv_b %kv_b num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 2.500000e-01 form = absorbed : (tensor<?x96xf32>, tensor<?x40xf32>, tensor<?xi32>, tensor<?xi32>, !latent, tensor<112x32xbf16>) -> (tensor<?x48xf32>, !latent)
  return %o, %d : tensor<?x48xf32>, !latent
}

//--- powers.mlir
!w = !lathe.quantized<24x160xf8E4M3FN, block<128x128xf32>>
!stack = !lathe.quantized<4x24x160xf8E4M3FN, block<128x128xf32>>
!down = !lathe.quantized<4x160x24xf8E4M3FN, block<128x128xf32>>
module attributes {lathe.model = {activation_scales = "ue8m0"}} {
  // UE8M0-LABEL: func @uses_powers_of_two_where_the_model_does
  // UE8M0: lathe.quantize %arg0 : tensor<?x160xf32> -> <?x160xf8E4M3FN, block<1x128xf8E8M0FNU>>
  // UE8M0: activations = w8a8_ue8m0
  func.func @uses_powers_of_two_where_the_model_does(%x: tensor<?x160xf32>, %offsets: tensor<5xi32>, %w: !w, %g: !stack, %d: !down) -> (tensor<?x24xf32>, tensor<?x160xf32>) {
    %y = lathe.scaled_matmul %x, %w : (tensor<?x160xf32>, !w) -> tensor<?x24xf32>
    %z = lathe.add %y, %y : tensor<?x24xf32>
    %e = lathe.expert_ffn %x, %offsets, %g, %g, %d activations = f32 : (tensor<?x160xf32>, tensor<5xi32>, !stack, !stack, !down) -> tensor<?x160xf32>
    return %z, %e : tensor<?x24xf32>, tensor<?x160xf32>
  }
}
