// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @expert_ffn_c1(%x: tensor<?x64xf32>, %o: tensor<9xi32>, %g: tensor<8x24x64xbf16>, %u: tensor<8x23x64xbf16>, %d: tensor<8x64x24xbf16>) {
  // expected-error @+1 {{they should have one type}}
  %0 = lathe.expert_ffn %x, %o, %g, %u, %d activations = f32 : (tensor<?x64xf32>, tensor<9xi32>, tensor<8x24x64xbf16>, tensor<8x23x64xbf16>, tensor<8x64x24xbf16>) -> tensor<?x64xf32>
  return
}

// -----

func.func @expert_ffn_c1_hidden(%x: tensor<?x63xf32>, %o: tensor<9xi32>, %g: tensor<8x24x64xbf16>, %u: tensor<8x24x64xbf16>, %d: tensor<8x64x24xbf16>) {
  // expected-error @+1 {{gate is [8, 24, 64]; it should be [E, F, 63]}}
  %0 = lathe.expert_ffn %x, %o, %g, %u, %d activations = f32 : (tensor<?x63xf32>, tensor<9xi32>, tensor<8x24x64xbf16>, tensor<8x24x64xbf16>, tensor<8x64x24xbf16>) -> tensor<?x63xf32>
  return
}

// -----

func.func @expert_ffn_c1_down(%x: tensor<?x64xf32>, %o: tensor<9xi32>, %g: tensor<8x24x64xbf16>, %u: tensor<8x24x64xbf16>, %d: tensor<8x64x23xbf16>) {
  // expected-error @+1 {{down is [8, 64, 23]; it should be [8, 64, 24]}}
  %0 = lathe.expert_ffn %x, %o, %g, %u, %d activations = f32 : (tensor<?x64xf32>, tensor<9xi32>, tensor<8x24x64xbf16>, tensor<8x24x64xbf16>, tensor<8x64x23xbf16>) -> tensor<?x64xf32>
  return
}

// -----

func.func @expert_ffn_c2(%x: tensor<?x64xf32>, %o: tensor<8xi32>, %g: tensor<8x24x64xbf16>, %u: tensor<8x24x64xbf16>, %d: tensor<8x64x24xbf16>) {
  // expected-error @+1 {{offsets has 8 entries; it should have 9}}
  %0 = lathe.expert_ffn %x, %o, %g, %u, %d activations = f32 : (tensor<?x64xf32>, tensor<8xi32>, tensor<8x24x64xbf16>, tensor<8x24x64xbf16>, tensor<8x64x24xbf16>) -> tensor<?x64xf32>
  return
}

// -----

func.func @expert_ffn_c3(%x: tensor<?x64xf32>, %o: tensor<9xi32>, %g: tensor<8x24x64xbf16>, %u: tensor<8x24x64xbf16>, %d: tensor<8x64x24xbf16>) {
  // expected-error @+1 {{it should be the type of `rows`}}
  %0 = lathe.expert_ffn %x, %o, %g, %u, %d activations = f32 : (tensor<?x64xf32>, tensor<9xi32>, tensor<8x24x64xbf16>, tensor<8x24x64xbf16>, tensor<8x64x24xbf16>) -> tensor<?x63xf32>
  return
}

// -----

func.func @expert_ffn_c4(%x: tensor<?x64xf32>, %o: tensor<9xi32>, %g: tensor<8x24x64xbf16>, %u: tensor<8x24x64xbf16>, %d: tensor<8x64x24xbf16>) {
  // expected-error @+1 {{activations are w8a8 and a weight is a}}
  %0 = lathe.expert_ffn %x, %o, %g, %u, %d activations = w8a8 : (tensor<?x64xf32>, tensor<9xi32>, tensor<8x24x64xbf16>, tensor<8x24x64xbf16>, tensor<8x64x24xbf16>) -> tensor<?x64xf32>
  return
}

// -----

!odd = !lathe.quantized<8x24x64xi8, block<1x48xf16>>
!down = !lathe.quantized<8x64x24xi8, block<1x32xf16>>
func.func @expert_ffn_c4_integers(%x: tensor<?x64xf32>, %o: tensor<9xi32>, %g: !odd, %d: !down) {
  // expected-error @+1 {{blocks of a weight have 48 columns and those of activations 32}}
  %0 = lathe.expert_ffn %x, %o, %g, %g, %d activations = w8a8_i8 : (tensor<?x64xf32>, tensor<9xi32>, !odd, !odd, !down) -> tensor<?x64xf32>
  return
}
