// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @expand_value_c1(%x: tensor<?x128xf32>, %w: tensor<113x32xf32>) {
  // expected-error @+1 {{kv_b has 113 rows; it should have 112}}
  %0 = lathe.expand_value %x, %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 : (tensor<?x128xf32>, tensor<113x32xf32>) -> tensor<?x48xf32>
  return
}

// -----

func.func @expand_value_c2(%x: tensor<?x129xf32>, %w: tensor<112x32xbf16>) {
  // expected-error @+1 {{input has 129 columns; it should have 128}}
  %0 = lathe.expand_value %x, %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 : (tensor<?x129xf32>, tensor<112x32xbf16>) -> tensor<?x48xf32>
  return
}

// -----

func.func @expand_value_c2_result(%x: tensor<?x128xf32>, %w: tensor<112x32xbf16>) {
  // expected-error @+1 {{result has 49 columns; it should have 48}}
  %0 = lathe.expand_value %x, %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 : (tensor<?x128xf32>, tensor<112x32xbf16>) -> tensor<?x49xf32>
  return
}

// -----

func.func @expand_value_c2_rows(%x: tensor<2x128xf32>, %w: tensor<112x32xbf16>) {
  // expected-error @+1 {{have 2 and 3 rows}}
  %0 = lathe.expand_value %x, %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 : (tensor<2x128xf32>, tensor<112x32xbf16>) -> tensor<3x48xf32>
  return
}

// -----

func.func @expand_value_c3(%x: tensor<?x128xf32>, %w: tensor<113x32xf32>) {
  // expected-error @+1 {{has 4 heads of qk_nope_head_dim -1, qk_rope_head_dim 8, v_head_dim 12; each should be from 1}}
  %0 = lathe.expand_value %x, %w num_heads = 4 qk_nope_head_dim = -1 qk_rope_head_dim = 8 v_head_dim = 12 : (tensor<?x128xf32>, tensor<113x32xf32>) -> tensor<?x48xf32>
  return
}
