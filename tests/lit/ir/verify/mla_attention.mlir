// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @mla_attention_c1(%q: tensor<?x96xf32>, %l: tensor<?x41xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>, %w: tensor<112x32xbf16>) {
  // expected-error @+1 {{latent has 41 columns; it should have 40}}
  %0:2 = lathe.mla_attention %q, %l, %s, %p, %c kv_b %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 2.5e-1 form = unspecified : (tensor<?x96xf32>, tensor<?x41xf32>, tensor<?xi32>, tensor<?xi32>, !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>, tensor<112x32xbf16>) -> (tensor<?x48xf32>, !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>)
  return
}

// -----

func.func @mla_attention_c1_rope(%q: tensor<?x96xf32>, %l: tensor<?x40xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>, %w: tensor<112x32xbf16>) {
  // expected-error @+1 {{the cache's rope_dim is 8; it should be qk_rope_head_dim, which is 6}}
  %0:2 = lathe.mla_attention %q, %l, %s, %p, %c kv_b %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 6 v_head_dim = 12 softmax_scale = 2.5e-1 form = unspecified : (tensor<?x96xf32>, tensor<?x40xf32>, tensor<?xi32>, tensor<?xi32>, !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>, tensor<112x32xbf16>) -> (tensor<?x48xf32>, !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>)
  return
}

// -----

func.func @mla_attention_c2(%q: tensor<?x96xf32>, %l: tensor<?x40xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>, %w: tensor<111x32xbf16>) {
  // expected-error @+1 {{kv_b has 111 rows; it should have 112}}
  %0:2 = lathe.mla_attention %q, %l, %s, %p, %c kv_b %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 2.5e-1 form = unspecified : (tensor<?x96xf32>, tensor<?x40xf32>, tensor<?xi32>, tensor<?xi32>, !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>, tensor<111x32xbf16>) -> (tensor<?x48xf32>, !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>)
  return
}

// -----

func.func @mla_attention_c2_columns(%q: tensor<?x96xf32>, %l: tensor<?x40xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>, %w: tensor<112x31xbf16>) {
  // expected-error @+1 {{kv_b has 31 columns; it should have 32}}
  %0:2 = lathe.mla_attention %q, %l, %s, %p, %c kv_b %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 2.5e-1 form = unspecified : (tensor<?x96xf32>, tensor<?x40xf32>, tensor<?xi32>, tensor<?xi32>, !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>, tensor<112x31xbf16>) -> (tensor<?x48xf32>, !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>)
  return
}

// -----

func.func @mla_attention_c2_query(%q: tensor<?x97xf32>, %l: tensor<?x40xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>, %w: tensor<112x32xbf16>) {
  // expected-error @+1 {{query has 97 columns; it should have 96}}
  %0:2 = lathe.mla_attention %q, %l, %s, %p, %c kv_b %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 2.5e-1 form = unspecified : (tensor<?x97xf32>, tensor<?x40xf32>, tensor<?xi32>, tensor<?xi32>, !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>, tensor<112x32xbf16>) -> (tensor<?x48xf32>, !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>)
  return
}

// -----

func.func @mla_attention_c2_result(%q: tensor<?x96xf32>, %l: tensor<?x40xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>, %w: tensor<112x32xbf16>) {
  // expected-error @+1 {{result has 49 columns; it should have 48}}
  %0:2 = lathe.mla_attention %q, %l, %s, %p, %c kv_b %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 2.5e-1 form = unspecified : (tensor<?x96xf32>, tensor<?x40xf32>, tensor<?xi32>, tensor<?xi32>, !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>, tensor<112x32xbf16>) -> (tensor<?x49xf32>, !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>)
  return
}

// -----

func.func @mla_attention_c3(%q: tensor<?x96xf32>, %l: tensor<?x40xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>) {
  // expected-error @+1 {{has the form materialised; without kv_b it should be absorbed}}
  %0:2 = lathe.mla_attention %q, %l, %s, %p, %c num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 2.5e-1 form = materialised : (tensor<?x96xf32>, tensor<?x40xf32>, tensor<?xi32>, tensor<?xi32>, !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>) -> (tensor<?x48xf32>, !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>)
  return
}

// -----

func.func @mla_attention_c3_query(%q: tensor<?x96xf32>, %l: tensor<?x40xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>) {
  // expected-error @+1 {{query has 96 columns; it should have 160}}
  %0:2 = lathe.mla_attention %q, %l, %s, %p, %c num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 2.5e-1 form = absorbed : (tensor<?x96xf32>, tensor<?x40xf32>, tensor<?xi32>, tensor<?xi32>, !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>) -> (tensor<?x48xf32>, !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>)
  return
}

// -----

func.func @mla_attention_c4(%q: tensor<?x96xf32>, %l: tensor<?x40xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>, %w: tensor<112x32xbf16>) {
  // expected-error @+1 {{has 4 heads of qk_nope_head_dim 0, qk_rope_head_dim 8, v_head_dim 12; each should be from 1 to 16777216}}
  %0:2 = lathe.mla_attention %q, %l, %s, %p, %c kv_b %w num_heads = 4 qk_nope_head_dim = 0 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 2.5e-1 form = unspecified : (tensor<?x96xf32>, tensor<?x40xf32>, tensor<?xi32>, tensor<?xi32>, !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>, tensor<112x32xbf16>) -> (tensor<?x48xf32>, !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>)
  return
}

// -----

func.func @mla_attention_c4_scale(%q: tensor<?x96xf32>, %l: tensor<?x40xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>, %w: tensor<112x32xbf16>) {
  // expected-error @+1 {{softmax_scale is -1}}
  %0:2 = lathe.mla_attention %q, %l, %s, %p, %c kv_b %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = -1.0 form = unspecified : (tensor<?x96xf32>, tensor<?x40xf32>, tensor<?xi32>, tensor<?xi32>, !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>, tensor<112x32xbf16>) -> (tensor<?x48xf32>, !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>)
  return
}

// -----

func.func @mla_attention_c5(%q: tensor<2x96xf32>, %l: tensor<3x40xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>, %w: tensor<112x32xbf16>) {
  // expected-error @+1 {{have 2 and 3 rows}}
  %0:2 = lathe.mla_attention %q, %l, %s, %p, %c kv_b %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 2.5e-1 form = unspecified : (tensor<2x96xf32>, tensor<3x40xf32>, tensor<?xi32>, tensor<?xi32>, !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>, tensor<112x32xbf16>) -> (tensor<?x48xf32>, !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>)
  return
}

// -----

func.func @mla_attention_c6(%q: tensor<?x96xf32>, %l: tensor<?x40xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>, %w: tensor<112x32xbf16>) {
  // expected-error @+1 {{it should be the type that goes in}}
  %0:2 = lathe.mla_attention %q, %l, %s, %p, %c kv_b %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 2.5e-1 form = unspecified : (tensor<?x96xf32>, tensor<?x40xf32>, tensor<?xi32>, tensor<?xi32>, !lathe.latent_cache<slots = 1, max_context = 16, kv_lora_rank = 32, rope_dim = 8, element = f32>, tensor<112x32xbf16>) -> (tensor<?x48xf32>, !lathe.latent_cache<slots = 1, max_context = 32, kv_lora_rank = 32, rope_dim = 8, element = f32>)
  return
}
