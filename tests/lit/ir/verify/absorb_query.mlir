// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @absorb_query_c1(%x: tensor<?x96xf32>, %w: tensor<113x32xf32>) {
  // expected-error @+1 {{kv_b has 113 rows; it should have 112}}
  %0 = lathe.absorb_query %x, %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 : (tensor<?x96xf32>, tensor<113x32xf32>) -> tensor<?x160xf32>
  return
}

// -----

func.func @absorb_query_c2(%x: tensor<?x97xf32>, %w: tensor<112x32xbf16>) {
  // expected-error @+1 {{input has 97 columns; it should have 96}}
  %0 = lathe.absorb_query %x, %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 : (tensor<?x97xf32>, tensor<112x32xbf16>) -> tensor<?x160xf32>
  return
}

// -----

func.func @absorb_query_c2_result(%x: tensor<?x96xf32>, %w: tensor<112x32xbf16>) {
  // expected-error @+1 {{result has 161 columns; it should have 160}}
  %0 = lathe.absorb_query %x, %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 : (tensor<?x96xf32>, tensor<112x32xbf16>) -> tensor<?x161xf32>
  return
}

// -----

func.func @absorb_query_c2_rows(%x: tensor<2x96xf32>, %w: tensor<112x32xbf16>) {
  // expected-error @+1 {{have 2 and 3 rows}}
  %0 = lathe.absorb_query %x, %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 : (tensor<2x96xf32>, tensor<112x32xbf16>) -> tensor<3x160xf32>
  return
}

// -----

func.func @absorb_query_c3(%x: tensor<?x96xf32>, %w: tensor<113x32xf32>) {
  // expected-error @+1 {{has 4 heads of qk_nope_head_dim -1, qk_rope_head_dim 8, v_head_dim 12; each should be from 1}}
  %0 = lathe.absorb_query %x, %w num_heads = 4 qk_nope_head_dim = -1 qk_rope_head_dim = 8 v_head_dim = 12 : (tensor<?x96xf32>, tensor<113x32xf32>) -> tensor<?x160xf32>
  return
}
