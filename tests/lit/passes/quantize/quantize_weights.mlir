// RUN: lathe-opt %s --lathe-quantize-weights=weights=q8_0 | FileCheck %s --check-prefixes=CHECK,Q8
// RUN: lathe-opt %s --lathe-quantize-weights=weights=q4_0 | FileCheck %s --check-prefixes=CHECK,Q4
// RUN: lathe-opt %s --lathe-quantize-weights=weights=fp8 | FileCheck %s --check-prefixes=FP8
// RUN: lathe-opt %s --lathe-quantize-weights=weights=bf16 | FileCheck %s --check-prefixes=BF16
// RUN: lathe-opt %s -o %t.before && lathe-opt %s --lathe-quantize-weights -o %t.after && diff %t.before %t.after
// RUN: not lathe-opt %s --lathe-quantize-weights=weights=q5_0 2>&1 | FileCheck %s --check-prefix=Q5
// Q5: error: weights are 'q5_0'; they should be bf16, fp8, q8_0 or q4_0
// Rounding is what the pass is for: the largest weight of a block is right to 7 bits (q8_0), 3 (q4_0), 3 below its
// power of two (fp8), 8 (bf16); errors of many elements cancel.
// RUN: lathe-opt %s --lathe-quantize-weights=weights=q8_0 -o %t.q8 && lathe-interpret --compare %s %t.q8 --tolerance 0.01
// RUN: lathe-opt %s --lathe-quantize-weights=weights=q4_0 -o %t.q4 && lathe-interpret --compare %s %t.q4 --tolerance 0.2
// RUN: lathe-opt %s --lathe-quantize-weights=weights=fp8 -o %t.fp8 && lathe-interpret --compare %s %t.fp8 --tolerance 0.06
// RUN: lathe-opt %s --lathe-quantize-weights=weights=bf16 -o %t.bf16 && lathe-interpret --compare %s %t.bf16 --tolerance 0.004

!codes = !lathe.quantized<24x160xf8E4M3FN, block<128x128xf32>>

// CHECK-LABEL: func @converts_the_weight_of_a_product
// Q8-SAME: choice = "q8_0", layer = 1 : i64, op = "linear", pass = "quantize-weights", why = "asked for; in the checkpoint f32"
// Q8: %[[W:.+]] = lathe.weight "w" from [#lathe.tensor_ref<"w">] stored as tensor<24x160xf32> : !lathe.quantized<24x160xi8, block<1x32xf16>>
// Q8: lathe.scaled_matmul %arg0, %[[W]] bias %{{.+}} : (tensor<?x160xf32>, !lathe.quantized<24x160xi8, block<1x32xf16>>, tensor<24xf32>)
// Q4: lathe.weight "w" from {{.+}} stored as tensor<24x160xf32> : !lathe.quantized<24x160xi4, block<1x32xf16>>
// Q4: lathe.scaled_matmul
// FP8-LABEL: func @converts_the_weight_of_a_product
// FP8: lathe.weight "w" from {{.+}} stored as tensor<24x160xf32> : !lathe.quantized<24x160xf8E4M3FN, block<128x128xf32>>
// FP8: lathe.scaled_matmul
// BF16-LABEL: func @converts_the_weight_of_a_product
// BF16: lathe.weight "w" from {{.+}} stored as tensor<24x160xf32> : tensor<24x160xbf16>
// BF16: lathe.linear
func.func @converts_the_weight_of_a_product(%x: tensor<?x160xf32>) -> tensor<?x24xf32> {
  %w = lathe.weight "w" from [#lathe.tensor_ref<"w">] : tensor<24x160xf32>
  %b = lathe.weight "b" from [#lathe.tensor_ref<"b">] : tensor<24xf32>
  %y = lathe.linear %x, %w bias %b : (tensor<?x160xf32>, tensor<24x160xf32>, tensor<24xf32>) -> tensor<?x24xf32> loc("layers.1.mlp")
  return %y : tensor<?x24xf32>
}

// CHECK-LABEL: func @converts_codes_to_other_codes
// CHECK-SAME: why = "asked for; in the checkpoint f8E4M3FN"
// Q8: lathe.weight "w" from {{.+}} scales {{.+}} stored as !lathe.quantized<24x160xf8E4M3FN, block<128x128xf32>> : !lathe.quantized<24x160xi8, block<1x32xf16>>
// BF16-LABEL: func @converts_codes_to_other_codes
// BF16: lathe.weight {{.+}} stored as !lathe.quantized<24x160xf8E4M3FN, block<128x128xf32>> : tensor<24x160xbf16>
// BF16: lathe.linear
// BF16-NOT: lathe.scaled_matmul
// FP8-LABEL: func @converts_codes_to_other_codes
// FP8-SAME: choice = "as in the checkpoint", op = "scaled_matmul", pass = "quantize-weights", why = "it has that form"
// FP8-NOT: stored as
func.func @converts_codes_to_other_codes(%x: tensor<?x160xf32>) -> tensor<?x24xf32> {
  %w = lathe.weight "w" from [#lathe.tensor_ref<"w">] scales [#lathe.tensor_ref<"s">] : !codes
  %y = lathe.scaled_matmul %x, %w : (tensor<?x160xf32>, !codes) -> tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}

// CHECK-LABEL: func @converts_a_part_of_a_tensor
// FP8-LABEL: func @converts_a_part_of_a_tensor
// Q8: lathe.weight "w" from {{.+}} rows = [24, 48] stored as tensor<24x160xbf16> : !lathe.quantized<24x160xi8
func.func @converts_a_part_of_a_tensor(%x: tensor<?x160xf32>) -> tensor<?x24xf32> {
  %w = lathe.weight "w" from [#lathe.tensor_ref<"w">] rows = [24, 48] : tensor<24x160xbf16>
  %y = lathe.linear %x, %w : (tensor<?x160xf32>, tensor<24x160xbf16>) -> tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}

!latent = !lathe.latent_cache<slots = 1, max_context = 64, kv_lora_rank = 32, rope_dim = 8, element = f32>
// CHECK-LABEL: func @converts_kv_b
// CHECK-SAME: op = "mla_attention"
// Q8: lathe.weight "kv_b" {{.+}} : !lathe.quantized<112x32xi8, block<1x32xf16>>
func.func @converts_kv_b(%q: tensor<?x96xf32>, %latent: tensor<?x40xf32>, %slots: tensor<?xi32>, %positions: tensor<?xi32>, %c0: !latent) -> (tensor<?x48xf32>, !latent) {
  %w = lathe.weight "kv_b" from [#lathe.tensor_ref<"kv_b">] : tensor<112x32xbf16>
  %o, %c1 = lathe.mla_attention %q, %latent, %slots, %positions, %c0 kv_b %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 2.500000e-01 form = unspecified : (tensor<?x96xf32>, tensor<?x40xf32>, tensor<?xi32>, tensor<?xi32>, !latent, tensor<112x32xbf16>) -> (tensor<?x48xf32>, !latent)
  return %o, %c1 : tensor<?x48xf32>, !latent
}

!stack = tensor<4x24x160xbf16>
!down = tensor<4x160x24xbf16>
// CHECK-LABEL: func @converts_experts
// Q8: lathe.weight "g" {{.+}} : !lathe.quantized<4x24x160xi8, block<1x32xf16>>
// Q8: lathe.weight "u" {{.+}} : !lathe.quantized<4x24x160xi8, block<1x32xf16>>
// Q8: lathe.weight "d" {{.+}} : !lathe.quantized<4x160x24xi8, block<1x32xf16>>
func.func @converts_experts(%x: tensor<?x160xf32>, %offsets: tensor<5xi32>) -> tensor<?x160xf32> {
  %g = lathe.weight "g" from [#lathe.tensor_ref<"g">] : !stack
  %u = lathe.weight "u" from [#lathe.tensor_ref<"u">] : !stack
  %d = lathe.weight "d" from [#lathe.tensor_ref<"d">] : !down
  %y = lathe.expert_ffn %x, %offsets, %g, %u, %d activations = f32 : (tensor<?x160xf32>, tensor<5xi32>, !stack, !stack, !down) -> tensor<?x160xf32>
  return %y : tensor<?x160xf32>
}

// CHECK-LABEL: func @reads_the_heads_table_as_codes
// CHECK-SAME: op = "linear", pass = "quantize-weights", why = "asked for, and the embedding reads it, too; in the checkpoint f16"
// Q8: %[[W:.+]] = lathe.weight {{.+}} : !lathe.quantized<40x160xi8
// Q8: lathe.embedding %arg0, %[[W]]
// Q8: lathe.scaled_matmul %{{.+}}, %[[W]]
func.func @reads_the_heads_table_as_codes(%tokens: tensor<?xi32>) -> tensor<?x40xf32> {
  %w = lathe.weight "w" from [#lathe.tensor_ref<"w">] : tensor<40x160xf16>
  %h = lathe.embedding %tokens, %w : (tensor<?xi32>, tensor<40x160xf16>) -> tensor<?x160xf32>
  %y = lathe.linear %h, %w : (tensor<?x160xf32>, tensor<40x160xf16>) -> tensor<?x40xf32>
  return %y : tensor<?x40xf32>
}

// CHECK-LABEL: func @keeps_a_table_of_embeddings
// CHECK-SAME: choice = "as in the checkpoint", op = "embedding", pass = "quantize-weights", why = "a token reads one row of it"
// CHECK-NOT: stored as
func.func @keeps_a_table_of_embeddings(%tokens: tensor<?xi32>) -> tensor<?x160xf32> {
  %w = lathe.weight "w" from [#lathe.tensor_ref<"w">] : tensor<40x160xbf16>
  %h = lathe.embedding %tokens, %w : (tensor<?xi32>, tensor<40x160xbf16>) -> tensor<?x160xf32>
  return %h : tensor<?x160xf32>
}

// CHECK-LABEL: func @keeps_norms
// CHECK-NOT: quantize-weights
// CHECK-NOT: stored as
func.func @keeps_norms(%x: tensor<?x160xf32>) -> tensor<?x160xf32> {
  %w = lathe.weight "w" from [#lathe.tensor_ref<"w">] : tensor<160xf32>
  %h = lathe.rms_norm %x, %w epsilon = 9.765625e-4 : tensor<?x160xf32>, tensor<160xf32>
  return %h : tensor<?x160xf32>
}

// CHECK-LABEL: func @keeps_the_router
// CHECK-SAME: choice = "as in the checkpoint", op = "linear", pass = "quantize-weights", why = "the router: rounding would choose other experts"
// CHECK-NOT: stored as
func.func @keeps_the_router(%x: tensor<?x160xf32>) -> tensor<?x2xf32> {
  %w = lathe.weight "w" from [#lathe.tensor_ref<"w">] : tensor<4x160xf32>
  %y = lathe.linear %x, %w : (tensor<?x160xf32>, tensor<4x160xf32>) -> tensor<?x4xf32>
  %i, %p = lathe.moe_route %y routing = <score = softmax, top_k = 2> : (tensor<?x4xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  return %p : tensor<?x2xf32>
}

// CHECK-LABEL: func @keeps_what_something_else_reads
// CHECK-SAME: why = "something that is no product reads it, too"
// CHECK-NOT: stored as
func.func @keeps_what_something_else_reads(%x: tensor<?x160xf32>) -> (tensor<?x24xf32>, tensor<24x160xbf16>) {
  %w = lathe.weight "w" from [#lathe.tensor_ref<"w">] : tensor<24x160xbf16>
  %y = lathe.linear %x, %w : (tensor<?x160xf32>, tensor<24x160xbf16>) -> tensor<?x24xf32>
  return %y, %w : tensor<?x24xf32>, tensor<24x160xbf16>
}

// CHECK-LABEL: func @keeps_a_gate_without_its_up
// CHECK-SAME: why = "gate and up go together"
// CHECK: lathe.weight "g" {{.+}} : tensor<4x24x160xbf16>
// Q8: lathe.weight "d" {{.+}} : !lathe.quantized<4x160x24xi8
func.func @keeps_a_gate_without_its_up(%x: tensor<?x160xf32>, %offsets: tensor<5xi32>, %u: !stack) -> tensor<?x160xf32> {
  %g = lathe.weight "g" from [#lathe.tensor_ref<"g">] : !stack
  %d = lathe.weight "d" from [#lathe.tensor_ref<"d">] : !down
  %y = lathe.expert_ffn %x, %offsets, %g, %u, %d activations = f32 : (tensor<?x160xf32>, tensor<5xi32>, !stack, !stack, !down) -> tensor<?x160xf32>
  return %y : tensor<?x160xf32>
}

// BF16-LABEL: func @keeps_codes_whose_rows_are_codes
// BF16-SAME: why = "its rows are codes"
// BF16-NOT: stored as
// CHECK-LABEL: func @keeps_codes_whose_rows_are_codes
// Q8: stored as
!rows = !lathe.quantized<?x160xf8E4M3FN, block<1x128xf32>>
func.func @keeps_codes_whose_rows_are_codes(%x: !rows) -> tensor<?x24xf32> {
  %w = lathe.weight "w" from [#lathe.tensor_ref<"w">] scales [#lathe.tensor_ref<"s">] : !codes
  %y = lathe.scaled_matmul %x, %w : (!rows, !codes) -> tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}

// BF16-LABEL: func @keeps_what_has_the_form
// BF16-SAME: why = "it has that form"
// BF16-NOT: stored as
func.func @keeps_what_has_the_form(%x: tensor<?x160xf32>) -> tensor<?x24xf32> {
  %w = lathe.weight "w" from [#lathe.tensor_ref<"w">] : tensor<24x160xbf16>
  %y = lathe.linear %x, %w : (tensor<?x160xf32>, tensor<24x160xbf16>) -> tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}

// Codes that are converted already are not converted again.
// CHECK-LABEL: func @keeps_what_was_converted
// CHECK-SAME: why = "it has another form already"
// BF16-LABEL: func @keeps_what_was_converted
// CHECK: stored as tensor<24x160xf32> : !lathe.quantized<24x160xf8E4M3FN
func.func @keeps_what_was_converted(%x: tensor<?x160xf32>) -> tensor<?x24xf32> {
  %w = lathe.weight "w" from [#lathe.tensor_ref<"w">] stored as tensor<24x160xf32> : !codes
  %y = lathe.scaled_matmul %x, %w : (tensor<?x160xf32>, !codes) -> tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}
