// RUN: lathe-opt %s --verify-diagnostics --split-input-file

func.func @scale_c1(%a: tensor<?x8xf32>) {
  // expected-error @+1 {{factor is INF; it should be finite}}
  %0 = lathe.scale %a by 0x7F800000 : tensor<?x8xf32>
  return
}
