// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @attention_c1(%q: tensor<?x64xf32>, %k: tensor<?x33xf32>, %v: tensor<?x24xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !lathe.kv_cache<slots = 1, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>) {
  // expected-error @+1 {{key has 33 columns; it should have 32}}
  %0:2 = lathe.attention %q, %k, %v, %s, %p, %c num_heads = 4 softmax_scale = 2.5e-1 : (tensor<?x64xf32>, tensor<?x33xf32>, tensor<?x24xf32>, tensor<?xi32>, tensor<?xi32>, !lathe.kv_cache<slots = 1, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>) -> (tensor<?x48xf32>, !lathe.kv_cache<slots = 1, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>)
  return
}

// -----

func.func @attention_c1_value(%q: tensor<?x64xf32>, %k: tensor<?x32xf32>, %v: tensor<?x25xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !lathe.kv_cache<slots = 1, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>) {
  // expected-error @+1 {{value has 25 columns; it should have 24}}
  %0:2 = lathe.attention %q, %k, %v, %s, %p, %c num_heads = 4 softmax_scale = 2.5e-1 : (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x25xf32>, tensor<?xi32>, tensor<?xi32>, !lathe.kv_cache<slots = 1, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>) -> (tensor<?x48xf32>, !lathe.kv_cache<slots = 1, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>)
  return
}

// -----

func.func @attention_c2(%q: tensor<?x65xf32>, %k: tensor<?x32xf32>, %v: tensor<?x24xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !lathe.kv_cache<slots = 1, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>) {
  // expected-error @+1 {{query has 65 columns; it should have 64}}
  %0:2 = lathe.attention %q, %k, %v, %s, %p, %c num_heads = 4 softmax_scale = 2.5e-1 : (tensor<?x65xf32>, tensor<?x32xf32>, tensor<?x24xf32>, tensor<?xi32>, tensor<?xi32>, !lathe.kv_cache<slots = 1, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>) -> (tensor<?x48xf32>, !lathe.kv_cache<slots = 1, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>)
  return
}

// -----

func.func @attention_c2_result(%q: tensor<?x64xf32>, %k: tensor<?x32xf32>, %v: tensor<?x24xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !lathe.kv_cache<slots = 1, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>) {
  // expected-error @+1 {{result has 49 columns; it should have 48}}
  %0:2 = lathe.attention %q, %k, %v, %s, %p, %c num_heads = 4 softmax_scale = 2.5e-1 : (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x24xf32>, tensor<?xi32>, tensor<?xi32>, !lathe.kv_cache<slots = 1, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>) -> (tensor<?x49xf32>, !lathe.kv_cache<slots = 1, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>)
  return
}

// -----

func.func @attention_c3(%q: tensor<?x48xf32>, %k: tensor<?x32xf32>, %v: tensor<?x24xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !lathe.kv_cache<slots = 1, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>) {
  // expected-error @+1 {{num_heads is 3; it should be a multiple of kv_heads, which is 2}}
  %0:2 = lathe.attention %q, %k, %v, %s, %p, %c num_heads = 3 softmax_scale = 2.5e-1 : (tensor<?x48xf32>, tensor<?x32xf32>, tensor<?x24xf32>, tensor<?xi32>, tensor<?xi32>, !lathe.kv_cache<slots = 1, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>) -> (tensor<?x36xf32>, !lathe.kv_cache<slots = 1, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>)
  return
}

// -----

func.func @attention_c4(%q: tensor<?x64xf32>, %k: tensor<?x32xf32>, %v: tensor<?x24xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !lathe.kv_cache<slots = 1, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>) {
  // expected-error @+1 {{softmax_scale is 0}}
  %0:2 = lathe.attention %q, %k, %v, %s, %p, %c num_heads = 4 softmax_scale = 0.0 : (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x24xf32>, tensor<?xi32>, tensor<?xi32>, !lathe.kv_cache<slots = 1, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>) -> (tensor<?x48xf32>, !lathe.kv_cache<slots = 1, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>)
  return
}

// -----

func.func @attention_c4_window(%q: tensor<?x64xf32>, %k: tensor<?x32xf32>, %v: tensor<?x24xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !lathe.kv_cache<slots = 1, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>) {
  // expected-error @+1 {{window is 0; it should be at least 1}}
  %0:2 = lathe.attention %q, %k, %v, %s, %p, %c num_heads = 4 softmax_scale = 2.5e-1 window = 0 : (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x24xf32>, tensor<?xi32>, tensor<?xi32>, !lathe.kv_cache<slots = 1, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>) -> (tensor<?x48xf32>, !lathe.kv_cache<slots = 1, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>)
  return
}

// -----

func.func @attention_c5(%q: tensor<2x64xf32>, %k: tensor<3x32xf32>, %v: tensor<?x24xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !lathe.kv_cache<slots = 1, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>) {
  // expected-error @+1 {{have 2 and 3 rows}}
  %0:2 = lathe.attention %q, %k, %v, %s, %p, %c num_heads = 4 softmax_scale = 2.5e-1 : (tensor<2x64xf32>, tensor<3x32xf32>, tensor<?x24xf32>, tensor<?xi32>, tensor<?xi32>, !lathe.kv_cache<slots = 1, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>) -> (tensor<?x48xf32>, !lathe.kv_cache<slots = 1, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>)
  return
}

// -----

func.func @attention_c6(%q: tensor<?x64xf32>, %k: tensor<?x32xf32>, %v: tensor<?x24xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !lathe.kv_cache<slots = 1, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>) {
  // expected-error @+1 {{it should be the type that goes in}}
  %0:2 = lathe.attention %q, %k, %v, %s, %p, %c num_heads = 4 softmax_scale = 2.5e-1 : (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x24xf32>, tensor<?xi32>, tensor<?xi32>, !lathe.kv_cache<slots = 1, max_context = 16, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>) -> (tensor<?x48xf32>, !lathe.kv_cache<slots = 1, max_context = 32, kv_heads = 2, key_dim = 16, value_dim = 12, element = f32>)
  return
}
