// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @fused_experts_c1(%x: tensor<?x64xf32>, %r: tensor<8x63xf32>, %g: tensor<8x24x64xbf16>, %u: tensor<8x24x64xbf16>, %d: tensor<8x64x24xbf16>) {
  // expected-error @+1 {{router has 63 columns; it should have 64}}
  %0 = lathe.fused_experts %x, %r, %g, %u, %d routing = <score = softmax, top_k = 3> activations = f32 : (tensor<?x64xf32>, tensor<8x63xf32>, tensor<8x24x64xbf16>, tensor<8x24x64xbf16>, tensor<8x64x24xbf16>) -> tensor<?x64xf32>
  return
}

// -----

func.func @fused_experts_c1_bias(%x: tensor<?x64xf32>, %r: tensor<8x64xf32>, %g: tensor<8x24x64xbf16>, %u: tensor<8x24x64xbf16>, %d: tensor<8x64x24xbf16>, %b: tensor<7xf32>) {
  // expected-error @+1 {{bias has 7 elements; it should have 8}}
  %0 = lathe.fused_experts %x, %r, %g, %u, %d bias %b routing = <score = softmax, top_k = 3> activations = f32 : (tensor<?x64xf32>, tensor<8x64xf32>, tensor<8x24x64xbf16>, tensor<8x24x64xbf16>, tensor<8x64x24xbf16>, tensor<7xf32>) -> tensor<?x64xf32>
  return
}

// -----

func.func @fused_experts_c1_top_k(%x: tensor<?x64xf32>, %r: tensor<8x64xf32>, %g: tensor<8x24x64xbf16>, %u: tensor<8x24x64xbf16>, %d: tensor<8x64x24xbf16>) {
  // expected-error @+1 {{routes to 8 experts; there should be at least top_k, which is 9}}
  %0 = lathe.fused_experts %x, %r, %g, %u, %d routing = <score = softmax, top_k = 9> activations = f32 : (tensor<?x64xf32>, tensor<8x64xf32>, tensor<8x24x64xbf16>, tensor<8x24x64xbf16>, tensor<8x64x24xbf16>) -> tensor<?x64xf32>
  return
}

// -----

func.func @fused_experts_c1_groups(%x: tensor<?x64xf32>, %r: tensor<8x64xf32>, %g: tensor<8x24x64xbf16>, %u: tensor<8x24x64xbf16>, %d: tensor<8x64x24xbf16>) {
  // expected-error @+1 {{keeps groups with 2 experts}}
  %0 = lathe.fused_experts %x, %r, %g, %u, %d routing = <score = softmax, top_k = 3, n_group = 4, topk_group = 1> activations = f32 : (tensor<?x64xf32>, tensor<8x64xf32>, tensor<8x24x64xbf16>, tensor<8x24x64xbf16>, tensor<8x64x24xbf16>) -> tensor<?x64xf32>
  return
}

// -----

func.func @fused_experts_c2(%x: tensor<?x64xf32>, %r: tensor<8x64xf32>, %g: tensor<8x24x64xbf16>, %u: tensor<8x24x64xbf16>, %d: tensor<8x24x64xbf16>) {
  // expected-error @+1 {{down is [8, 24, 64]; it should be [8, 64, 24]}}
  %0 = lathe.fused_experts %x, %r, %g, %u, %d routing = <score = softmax, top_k = 3> activations = f32 : (tensor<?x64xf32>, tensor<8x64xf32>, tensor<8x24x64xbf16>, tensor<8x24x64xbf16>, tensor<8x24x64xbf16>) -> tensor<?x64xf32>
  return
}

// -----

func.func @fused_experts_c2_experts(%x: tensor<?x64xf32>, %r: tensor<9x64xf32>, %g: tensor<8x24x64xbf16>, %u: tensor<8x24x64xbf16>, %d: tensor<8x64x24xbf16>) {
  // expected-error @+1 {{gate has 8 experts; it should have 9}}
  %0 = lathe.fused_experts %x, %r, %g, %u, %d routing = <score = softmax, top_k = 3> activations = f32 : (tensor<?x64xf32>, tensor<9x64xf32>, tensor<8x24x64xbf16>, tensor<8x24x64xbf16>, tensor<8x64x24xbf16>) -> tensor<?x64xf32>
  return
}

// -----

func.func @fused_experts_c3(%x: tensor<?x64xf32>, %r: tensor<8x64xf32>, %g: tensor<8x24x64xbf16>, %u: tensor<8x24x64xbf16>, %d: tensor<8x64x24xbf16>) {
  // expected-error @+1 {{it should be the type of `input`}}
  %0 = lathe.fused_experts %x, %r, %g, %u, %d routing = <score = softmax, top_k = 3> activations = f32 : (tensor<?x64xf32>, tensor<8x64xf32>, tensor<8x24x64xbf16>, tensor<8x24x64xbf16>, tensor<8x64x24xbf16>) -> tensor<?x65xf32>
  return
}

// -----

func.func @fused_experts_c4(%x: tensor<?x64xf32>, %r: tensor<8x64xf32>, %g: tensor<8x24x64xbf16>, %u: tensor<8x24x64xbf16>, %d: tensor<8x64x24xbf16>) {
  // expected-error @+1 {{activations are w8a8_ue8m0 and a weight is a}}
  %0 = lathe.fused_experts %x, %r, %g, %u, %d routing = <score = softmax, top_k = 3> activations = w8a8_ue8m0 : (tensor<?x64xf32>, tensor<8x64xf32>, tensor<8x24x64xbf16>, tensor<8x24x64xbf16>, tensor<8x64x24xbf16>) -> tensor<?x64xf32>
  return
}
