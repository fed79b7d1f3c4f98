// RUN: lathe-opt %s --lathe-fold-kv-b | FileCheck %s
// RUN: lathe-opt %s --lathe-fold-kv-b -o %t && lathe-interpret --compare %s %t

!cache = !lathe.latent_cache<slots = 2, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>
!codes = !lathe.quantized<112x32xf8E4M3FN, block<128x128xf32>>

// CHECK-LABEL: func @folds_the_absorbed_form
// CHECK-SAME: choice = "kv_b outside", op = "mla_attention", pass = "fold-kv-b"
func.func @folds_the_absorbed_form(%q: tensor<?x96xf32>, %l: tensor<?x40xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !cache) -> (tensor<?x48xf32>, !cache) {
  // CHECK: %[[W:.+]] = lathe.weight
  %w = lathe.weight "w" from [#lathe.tensor_ref<"w">] : tensor<112x32xbf16>
  // CHECK-NEXT: %[[Q:.+]] = lathe.absorb_query %arg0, %[[W]] num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 : (tensor<?x96xf32>, tensor<112x32xbf16>) -> tensor<?x160xf32>
  // CHECK-NEXT: %[[L:.+]], %[[C:.+]] = lathe.mla_attention %[[Q]], %arg1, %arg2, %arg3, %arg4 num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 2.500000e-01 form = absorbed
  // CHECK-NEXT: %[[O:.+]] = lathe.expand_value %[[L]], %[[W]] num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 : (tensor<?x128xf32>, tensor<112x32xbf16>) -> tensor<?x48xf32>
  // CHECK-NEXT: return %[[O]], %[[C]]
  %o, %c1 = lathe.mla_attention %q, %l, %s, %p, %c kv_b %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 0.25 form = absorbed : (tensor<?x96xf32>, tensor<?x40xf32>, tensor<?xi32>, tensor<?xi32>, !cache, tensor<112x32xbf16>) -> (tensor<?x48xf32>, !cache)
  return %o, %c1 : tensor<?x48xf32>, !cache
}

// CHECK-LABEL: func @folds_codes_of_one_row
func.func @folds_codes_of_one_row(%q: tensor<1x96xf32>, %l: tensor<1x40xf32>, %s: tensor<1xi32>, %p: tensor<1xi32>, %c: !cache) -> (tensor<1x48xf32>, !cache) {
  %w = lathe.weight "w" from [#lathe.tensor_ref<"w">] scales [#lathe.tensor_ref<"s">] : !codes
  // CHECK: lathe.absorb_query {{.+}} : (tensor<1x96xf32>, !lathe.quantized<112x32xf8E4M3FN, block<128x128xf32>>) -> tensor<1x160xf32>
  // CHECK: lathe.expand_value {{.+}} : (tensor<1x128xf32>, !lathe.quantized<112x32xf8E4M3FN, block<128x128xf32>>) -> tensor<1x48xf32>
  %o, %c1 = lathe.mla_attention %q, %l, %s, %p, %c kv_b %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 0.25 form = absorbed : (tensor<1x96xf32>, tensor<1x40xf32>, tensor<1xi32>, tensor<1xi32>, !cache, !codes) -> (tensor<1x48xf32>, !cache)
  return %o, %c1 : tensor<1x48xf32>, !cache
}

// CHECK-LABEL: func @keeps_the_materialised_form
// CHECK-NOT: lathe.absorb_query
// CHECK: lathe.mla_attention {{.+}} kv_b
func.func @keeps_the_materialised_form(%q: tensor<?x96xf32>, %l: tensor<?x40xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !cache, %w: tensor<112x32xbf16>) -> (tensor<?x48xf32>, !cache) {
  %o, %c1 = lathe.mla_attention %q, %l, %s, %p, %c kv_b %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 0.25 form = materialised : (tensor<?x96xf32>, tensor<?x40xf32>, tensor<?xi32>, tensor<?xi32>, !cache, tensor<112x32xbf16>) -> (tensor<?x48xf32>, !cache)
  return %o, %c1 : tensor<?x48xf32>, !cache
}

// CHECK-LABEL: func @keeps_the_unspecified_form
// CHECK-NOT: lathe.absorb_query
// CHECK: lathe.mla_attention {{.+}} kv_b
func.func @keeps_the_unspecified_form(%q: tensor<?x96xf32>, %l: tensor<?x40xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !cache, %w: tensor<112x32xbf16>) -> (tensor<?x48xf32>, !cache) {
  %o, %c1 = lathe.mla_attention %q, %l, %s, %p, %c kv_b %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 0.25 form = unspecified : (tensor<?x96xf32>, tensor<?x40xf32>, tensor<?xi32>, tensor<?xi32>, !cache, tensor<112x32xbf16>) -> (tensor<?x48xf32>, !cache)
  return %o, %c1 : tensor<?x48xf32>, !cache
}

// CHECK-LABEL: func @keeps_what_is_folded
// CHECK-NOT: lathe.absorb_query
func.func @keeps_what_is_folded(%q: tensor<?x160xf32>, %l: tensor<?x40xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !cache) -> (tensor<?x128xf32>, !cache) {
  %o, %c1 = lathe.mla_attention %q, %l, %s, %p, %c num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 0.25 form = absorbed : (tensor<?x160xf32>, tensor<?x40xf32>, tensor<?xi32>, tensor<?xi32>, !cache) -> (tensor<?x128xf32>, !cache)
  return %o, %c1 : tensor<?x128xf32>, !cache
}
