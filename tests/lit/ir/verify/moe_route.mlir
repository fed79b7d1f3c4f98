// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @moe_route_c1(%l: tensor<?x2xf32>) {
  // expected-error @+1 {{routes to 2 experts; there should be at least top_k, which is 3}}
  %0:2 = lathe.moe_route %l routing = <score = softmax, top_k = 3> : (tensor<?x2xf32>) -> (tensor<?x3xi32>, tensor<?x3xf32>)
  return
}

// -----

func.func @moe_route_c1_groups(%l: tensor<?x8xf32>) {
  // expected-error @+1 {{a multiple of n_group, which is 3}}
  %0:2 = lathe.moe_route %l routing = <score = softmax, top_k = 3, n_group = 3, topk_group = 3> : (tensor<?x8xf32>) -> (tensor<?x3xi32>, tensor<?x3xf32>)
  return
}

// -----

func.func @moe_route_c2(%l: tensor<?x8xf32>, %b: tensor<7xf32>) {
  // expected-error @+1 {{bias has 7 elements; it should have 8}}
  %0:2 = lathe.moe_route %l, %b routing = <score = softmax, top_k = 3> : (tensor<?x8xf32>, tensor<7xf32>) -> (tensor<?x3xi32>, tensor<?x3xf32>)
  return
}

// -----

func.func @moe_route_c3(%l: tensor<?x8xf32>) {
  // expected-error @+1 {{a result has 2 columns; it should have 3}}
  %0:2 = lathe.moe_route %l routing = <score = softmax, top_k = 3> : (tensor<?x8xf32>) -> (tensor<?x2xi32>, tensor<?x3xf32>)
  return
}

// -----

func.func @moe_route_c3_rows(%l: tensor<2x8xf32>) {
  // expected-error @+1 {{have 2 and 3 rows}}
  %0:2 = lathe.moe_route %l routing = <score = softmax, top_k = 3> : (tensor<2x8xf32>) -> (tensor<3x3xi32>, tensor<?x3xf32>)
  return
}

// -----

func.func @moe_route_c4(%l: tensor<?x8xf32>) {
  // expected-error @+1 {{keeps groups with 2 experts; there should be at least top_k, which is 3}}
  %0:2 = lathe.moe_route %l routing = <score = softmax, top_k = 3, n_group = 4, topk_group = 1> : (tensor<?x8xf32>) -> (tensor<?x3xi32>, tensor<?x3xf32>)
  return
}
