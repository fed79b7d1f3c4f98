// What came with version 1.2 of the dialect, as ops_1_1.mlir has what came with 1.1.
// RUN: lathe-opt %s | FileCheck %s
// RUN: lathe-opt %s | lathe-opt | FileCheck %s
// RUN: lathe-opt %s -emit-bytecode | lathe-opt | FileCheck %s

!kv = !lathe.kv_cache<slots = 1, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>
!latent = !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>

// CHECK-LABEL: func @attention_of_rounded_queries
func.func @attention_of_rounded_queries(%q: tensor<?x64xbf16>, %k: tensor<?x32xf32>, %v: tensor<?x24xf32>, %slots: tensor<?xi32>, %positions: tensor<?xi32>, %c: !kv) -> (tensor<?x48xf32>, !kv) {
  // CHECK: lathe.attention %{{.+}} num_heads = 4 softmax_scale = 2.500000e-01 : (tensor<?x64xbf16>, tensor<?x32xf32>, tensor<?x24xf32>,
  %0, %1 = lathe.attention %q, %k, %v, %slots, %positions, %c num_heads = 4 softmax_scale = 2.500000e-01 : (tensor<?x64xbf16>, tensor<?x32xf32>, tensor<?x24xf32>, tensor<?xi32>, tensor<?xi32>, !kv) -> (tensor<?x48xf32>, !kv)
  return %0, %1 : tensor<?x48xf32>, !kv
}

// CHECK-LABEL: func @latent_attention_of_rounded_queries
func.func @latent_attention_of_rounded_queries(%q: tensor<?x96xbf16>, %l: tensor<?x40xf32>, %slots: tensor<?xi32>, %positions: tensor<?xi32>, %c: !latent, %w: tensor<112x32xbf16>) -> (tensor<?x48xf32>, !latent) {
  // CHECK: lathe.mla_attention %{{.+}} form = materialised : (tensor<?x96xbf16>, tensor<?x40xf32>,
  %0, %1 = lathe.mla_attention %q, %l, %slots, %positions, %c kv_b %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 2.500000e-01 form = materialised : (tensor<?x96xbf16>, tensor<?x40xf32>, tensor<?xi32>, tensor<?xi32>, !latent, tensor<112x32xbf16>) -> (tensor<?x48xf32>, !latent)
  return %0, %1 : tensor<?x48xf32>, !latent
}
