// RUN: lathe-opt %s --lathe-fuse-experts | FileCheck %s
// RUN: lathe-opt %s --lathe-fuse-experts -o %t && lathe-interpret --compare %s %t

!x = tensor<?x16xf32>
!stack = tensor<4x12x16xbf16>
!down = tensor<4x16x12xbf16>

// CHECK-LABEL: func @folds_a_routed_layer
// CHECK-SAME: choice = "fused", layer = 4 : i64, op = "fused_experts", pass = "fuse-experts"
// CHECK-NEXT: %[[Y:.+]] = lathe.fused_experts %arg0, %arg1, %arg2, %arg3, %arg4 routing = <score = sigmoid, top_k = 2, renormalize = true> activations = f32
// CHECK-NEXT: return %[[Y]]
func.func @folds_a_routed_layer(%x: !x, %router: tensor<4x16xbf16>, %gate: !stack, %up: !stack, %down: !down) -> (!x) {
  %l = lathe.linear %x, %router : (!x, tensor<4x16xbf16>) -> tensor<?x4xf32>
  %i, %w = lathe.moe_route %l routing = <score = sigmoid, top_k = 2, renormalize = true> : (tensor<?x4xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  %rows, %order, %offsets = lathe.moe_dispatch %x, %i : (!x, tensor<?x2xi32>) -> (!x, tensor<?xi32>, tensor<5xi32>)
  %e = lathe.expert_ffn %rows, %offsets, %gate, %up, %down activations = f32 : (!x, tensor<5xi32>, !stack, !stack, !down) -> !x
  %y = lathe.moe_combine %e, %order, %w : (!x, tensor<?xi32>, tensor<?x2xf32>) -> !x loc("layers.4.mlp")
  return %y : !x
}

// CHECK-LABEL: func @folds_a_layer_with_selection_bias
// CHECK-NEXT: lathe.fused_experts %arg0, %arg1, %arg2, %arg3, %arg4 bias %arg5 routing
func.func @folds_a_layer_with_selection_bias(%x: !x, %router: tensor<4x16xbf16>, %gate: !stack, %up: !stack, %down: !down, %bias: tensor<4xf32>) -> (!x) {
  %l = lathe.linear %x, %router : (!x, tensor<4x16xbf16>) -> tensor<?x4xf32>
  %i, %w = lathe.moe_route %l, %bias routing = <score = sigmoid, top_k = 2, renormalize = true> : (tensor<?x4xf32>, tensor<4xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  %rows, %order, %offsets = lathe.moe_dispatch %x, %i : (!x, tensor<?x2xi32>) -> (!x, tensor<?xi32>, tensor<5xi32>)
  %e = lathe.expert_ffn %rows, %offsets, %gate, %up, %down activations = f32 : (!x, tensor<5xi32>, !stack, !stack, !down) -> !x
  %y = lathe.moe_combine %e, %order, %w : (!x, tensor<?xi32>, tensor<?x2xf32>) -> !x
  return %y : !x
}

// CHECK-LABEL: func @keeps_the_activations_of_the_experts
// CHECK-NEXT: lathe.fused_experts {{.+}} activations = bf16
func.func @keeps_the_activations_of_the_experts(%x: !x, %router: tensor<4x16xbf16>, %gate: !stack, %up: !stack, %down: !down) -> (!x) {
  %l = lathe.linear %x, %router : (!x, tensor<4x16xbf16>) -> tensor<?x4xf32>
  %i, %w = lathe.moe_route %l routing = <score = sigmoid, top_k = 2, renormalize = true> : (tensor<?x4xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  %rows, %order, %offsets = lathe.moe_dispatch %x, %i : (!x, tensor<?x2xi32>) -> (!x, tensor<?xi32>, tensor<5xi32>)
  %e = lathe.expert_ffn %rows, %offsets, %gate, %up, %down activations = bf16 : (!x, tensor<5xi32>, !stack, !stack, !down) -> !x
  %y = lathe.moe_combine %e, %order, %w : (!x, tensor<?xi32>, tensor<?x2xf32>) -> !x
  return %y : !x
}

// CHECK-LABEL: func @keeps_offsets_with_second_user
// CHECK-NOT: lathe.fused_experts
func.func @keeps_offsets_with_second_user(%x: !x, %router: tensor<4x16xbf16>, %gate: !stack, %up: !stack, %down: !down) -> (!x, tensor<5xi32>) {
  %l = lathe.linear %x, %router : (!x, tensor<4x16xbf16>) -> tensor<?x4xf32>
  %i, %w = lathe.moe_route %l routing = <score = sigmoid, top_k = 2, renormalize = true> : (tensor<?x4xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  %rows, %order, %offsets = lathe.moe_dispatch %x, %i : (!x, tensor<?x2xi32>) -> (!x, tensor<?xi32>, tensor<5xi32>)
  %e = lathe.expert_ffn %rows, %offsets, %gate, %up, %down activations = f32 : (!x, tensor<5xi32>, !stack, !stack, !down) -> !x
  %y = lathe.moe_combine %e, %order, %w : (!x, tensor<?xi32>, tensor<?x2xf32>) -> !x
  return %y, %offsets : !x, tensor<5xi32>
}

// CHECK-LABEL: func @keeps_order_with_second_user
// CHECK-NOT: lathe.fused_experts
func.func @keeps_order_with_second_user(%x: !x, %router: tensor<4x16xbf16>, %gate: !stack, %up: !stack, %down: !down) -> (!x, tensor<?xi32>) {
  %l = lathe.linear %x, %router : (!x, tensor<4x16xbf16>) -> tensor<?x4xf32>
  %i, %w = lathe.moe_route %l routing = <score = sigmoid, top_k = 2, renormalize = true> : (tensor<?x4xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  %rows, %order, %offsets = lathe.moe_dispatch %x, %i : (!x, tensor<?x2xi32>) -> (!x, tensor<?xi32>, tensor<5xi32>)
  %e = lathe.expert_ffn %rows, %offsets, %gate, %up, %down activations = f32 : (!x, tensor<5xi32>, !stack, !stack, !down) -> !x
  %y = lathe.moe_combine %e, %order, %w : (!x, tensor<?xi32>, tensor<?x2xf32>) -> !x
  return %y, %order : !x, tensor<?xi32>
}

// CHECK-LABEL: func @keeps_dispatched_rows_with_second_user
// CHECK-NOT: lathe.fused_experts
func.func @keeps_dispatched_rows_with_second_user(%x: !x, %router: tensor<4x16xbf16>, %gate: !stack, %up: !stack, %down: !down) -> (!x, !x) {
  %l = lathe.linear %x, %router : (!x, tensor<4x16xbf16>) -> tensor<?x4xf32>
  %i, %w = lathe.moe_route %l routing = <score = sigmoid, top_k = 2, renormalize = true> : (tensor<?x4xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  %rows, %order, %offsets = lathe.moe_dispatch %x, %i : (!x, tensor<?x2xi32>) -> (!x, tensor<?xi32>, tensor<5xi32>)
  %e = lathe.expert_ffn %rows, %offsets, %gate, %up, %down activations = f32 : (!x, tensor<5xi32>, !stack, !stack, !down) -> !x
  %y = lathe.moe_combine %e, %order, %w : (!x, tensor<?xi32>, tensor<?x2xf32>) -> !x
  return %y, %rows : !x, !x
}

// CHECK-LABEL: func @keeps_outputs_of_experts_with_second_user
// CHECK-NOT: lathe.fused_experts
func.func @keeps_outputs_of_experts_with_second_user(%x: !x, %router: tensor<4x16xbf16>, %gate: !stack, %up: !stack, %down: !down) -> (!x, !x) {
  %l = lathe.linear %x, %router : (!x, tensor<4x16xbf16>) -> tensor<?x4xf32>
  %i, %w = lathe.moe_route %l routing = <score = sigmoid, top_k = 2, renormalize = true> : (tensor<?x4xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  %rows, %order, %offsets = lathe.moe_dispatch %x, %i : (!x, tensor<?x2xi32>) -> (!x, tensor<?xi32>, tensor<5xi32>)
  %e = lathe.expert_ffn %rows, %offsets, %gate, %up, %down activations = f32 : (!x, tensor<5xi32>, !stack, !stack, !down) -> !x
  %y = lathe.moe_combine %e, %order, %w : (!x, tensor<?xi32>, tensor<?x2xf32>) -> !x
  return %y, %e : !x, !x
}

// CHECK-LABEL: func @keeps_indices_with_second_user
// CHECK-NOT: lathe.fused_experts
func.func @keeps_indices_with_second_user(%x: !x, %router: tensor<4x16xbf16>, %gate: !stack, %up: !stack, %down: !down) -> (!x, tensor<?x2xi32>) {
  %l = lathe.linear %x, %router : (!x, tensor<4x16xbf16>) -> tensor<?x4xf32>
  %i, %w = lathe.moe_route %l routing = <score = sigmoid, top_k = 2, renormalize = true> : (tensor<?x4xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  %rows, %order, %offsets = lathe.moe_dispatch %x, %i : (!x, tensor<?x2xi32>) -> (!x, tensor<?xi32>, tensor<5xi32>)
  %e = lathe.expert_ffn %rows, %offsets, %gate, %up, %down activations = f32 : (!x, tensor<5xi32>, !stack, !stack, !down) -> !x
  %y = lathe.moe_combine %e, %order, %w : (!x, tensor<?xi32>, tensor<?x2xf32>) -> !x
  return %y, %i : !x, tensor<?x2xi32>
}

// CHECK-LABEL: func @keeps_weights_with_second_user
// CHECK-NOT: lathe.fused_experts
func.func @keeps_weights_with_second_user(%x: !x, %router: tensor<4x16xbf16>, %gate: !stack, %up: !stack, %down: !down) -> (!x, tensor<?x2xf32>) {
  %l = lathe.linear %x, %router : (!x, tensor<4x16xbf16>) -> tensor<?x4xf32>
  %i, %w = lathe.moe_route %l routing = <score = sigmoid, top_k = 2, renormalize = true> : (tensor<?x4xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  %rows, %order, %offsets = lathe.moe_dispatch %x, %i : (!x, tensor<?x2xi32>) -> (!x, tensor<?xi32>, tensor<5xi32>)
  %e = lathe.expert_ffn %rows, %offsets, %gate, %up, %down activations = f32 : (!x, tensor<5xi32>, !stack, !stack, !down) -> !x
  %y = lathe.moe_combine %e, %order, %w : (!x, tensor<?xi32>, tensor<?x2xf32>) -> !x
  return %y, %w : !x, tensor<?x2xf32>
}

// CHECK-LABEL: func @keeps_router_logits_with_second_user
// CHECK-NOT: lathe.fused_experts
func.func @keeps_router_logits_with_second_user(%x: !x, %router: tensor<4x16xbf16>, %gate: !stack, %up: !stack, %down: !down) -> (!x, tensor<?x4xf32>) {
  %l = lathe.linear %x, %router : (!x, tensor<4x16xbf16>) -> tensor<?x4xf32>
  %i, %w = lathe.moe_route %l routing = <score = sigmoid, top_k = 2, renormalize = true> : (tensor<?x4xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  %rows, %order, %offsets = lathe.moe_dispatch %x, %i : (!x, tensor<?x2xi32>) -> (!x, tensor<?xi32>, tensor<5xi32>)
  %e = lathe.expert_ffn %rows, %offsets, %gate, %up, %down activations = f32 : (!x, tensor<5xi32>, !stack, !stack, !down) -> !x
  %y = lathe.moe_combine %e, %order, %w : (!x, tensor<?xi32>, tensor<?x2xf32>) -> !x
  return %y, %l : !x, tensor<?x4xf32>
}

// CHECK-LABEL: func @keeps_a_router_with_a_bias_of_its_own
// CHECK-NOT: lathe.fused_experts
func.func @keeps_a_router_with_a_bias_of_its_own(%x: !x, %router: tensor<4x16xbf16>, %gate: !stack, %up: !stack, %down: !down, %b: tensor<4xf32>) -> (!x) {
  %l = lathe.linear %x, %router bias %b : (!x, tensor<4x16xbf16>, tensor<4xf32>) -> tensor<?x4xf32>
  %i, %w = lathe.moe_route %l routing = <score = sigmoid, top_k = 2, renormalize = true> : (tensor<?x4xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  %rows, %order, %offsets = lathe.moe_dispatch %x, %i : (!x, tensor<?x2xi32>) -> (!x, tensor<?xi32>, tensor<5xi32>)
  %e = lathe.expert_ffn %rows, %offsets, %gate, %up, %down activations = f32 : (!x, tensor<5xi32>, !stack, !stack, !down) -> !x
  %y = lathe.moe_combine %e, %order, %w : (!x, tensor<?xi32>, tensor<?x2xf32>) -> !x
  return %y : !x
}

// CHECK-LABEL: func @keeps_a_router_that_sees_other_rows
// CHECK-NOT: lathe.fused_experts
func.func @keeps_a_router_that_sees_other_rows(%x: !x, %router: tensor<4x16xbf16>, %gate: !stack, %up: !stack, %down: !down, %z: !x) -> (!x) {
  %l = lathe.linear %z, %router : (!x, tensor<4x16xbf16>) -> tensor<?x4xf32>
  %i, %w = lathe.moe_route %l routing = <score = sigmoid, top_k = 2, renormalize = true> : (tensor<?x4xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  %rows, %order, %offsets = lathe.moe_dispatch %x, %i : (!x, tensor<?x2xi32>) -> (!x, tensor<?xi32>, tensor<5xi32>)
  %e = lathe.expert_ffn %rows, %offsets, %gate, %up, %down activations = f32 : (!x, tensor<5xi32>, !stack, !stack, !down) -> !x
  %y = lathe.moe_combine %e, %order, %w : (!x, tensor<?xi32>, tensor<?x2xf32>) -> !x
  return %y : !x
}

// CHECK-LABEL: func @keeps_rows_that_something_changes
// CHECK-NOT: lathe.fused_experts
func.func @keeps_rows_that_something_changes(%x: !x, %router: tensor<4x16xbf16>, %gate: !stack, %up: !stack, %down: !down) -> (!x) {
  %l = lathe.linear %x, %router : (!x, tensor<4x16xbf16>) -> tensor<?x4xf32>
  %i, %w = lathe.moe_route %l routing = <score = sigmoid, top_k = 2, renormalize = true> : (tensor<?x4xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  %rows, %order, %offsets = lathe.moe_dispatch %x, %i : (!x, tensor<?x2xi32>) -> (!x, tensor<?xi32>, tensor<5xi32>)
  %e = lathe.expert_ffn %rows, %offsets, %gate, %up, %down activations = f32 : (!x, tensor<5xi32>, !stack, !stack, !down) -> !x
  %s = lathe.scale %e by 2.0 : !x
  %y = lathe.moe_combine %s, %order, %w : (!x, tensor<?xi32>, tensor<?x2xf32>) -> !x
  return %y : !x
}

// CHECK-LABEL: func @keeps_weights_that_come_from_elsewhere
// CHECK-NOT: lathe.fused_experts
func.func @keeps_weights_that_come_from_elsewhere(%x: !x, %router: tensor<4x16xbf16>, %gate: !stack, %up: !stack, %down: !down, %other: tensor<?x2xf32>) -> (!x) {
  %l = lathe.linear %x, %router : (!x, tensor<4x16xbf16>) -> tensor<?x4xf32>
  %i, %w = lathe.moe_route %l routing = <score = sigmoid, top_k = 2, renormalize = true> : (tensor<?x4xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  %rows, %order, %offsets = lathe.moe_dispatch %x, %i : (!x, tensor<?x2xi32>) -> (!x, tensor<?xi32>, tensor<5xi32>)
  %e = lathe.expert_ffn %rows, %offsets, %gate, %up, %down activations = f32 : (!x, tensor<5xi32>, !stack, !stack, !down) -> !x
  %y = lathe.moe_combine %e, %order, %other : (!x, tensor<?xi32>, tensor<?x2xf32>) -> !x
  return %y : !x
}

!codes = !lathe.quantized<4x16xf8E4M3FN, block<128x128xf32>>
// CHECK-LABEL: func @keeps_a_router_of_codes
// CHECK-NOT: lathe.fused_experts
func.func @keeps_a_router_of_codes(%x: !x, %router: !codes, %gate: !stack, %up: !stack, %down: !down) -> (!x) {
  %l = lathe.scaled_matmul %x, %router : (!x, !codes) -> tensor<?x4xf32>
  %i, %w = lathe.moe_route %l routing = <score = sigmoid, top_k = 2, renormalize = true> : (tensor<?x4xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  %rows, %order, %offsets = lathe.moe_dispatch %x, %i : (!x, tensor<?x2xi32>) -> (!x, tensor<?xi32>, tensor<5xi32>)
  %e = lathe.expert_ffn %rows, %offsets, %gate, %up, %down activations = f32 : (!x, tensor<5xi32>, !stack, !stack, !down) -> !x
  %y = lathe.moe_combine %e, %order, %w : (!x, tensor<?xi32>, tensor<?x2xf32>) -> !x
  return %y : !x
}

// CHECK-LABEL: func @keeps_order_that_comes_from_elsewhere
// CHECK-NOT: lathe.fused_experts
func.func @keeps_order_that_comes_from_elsewhere(%x: !x, %router: tensor<4x16xbf16>, %gate: !stack, %up: !stack, %down: !down) -> !x {
  %l = lathe.linear %x, %router : (!x, tensor<4x16xbf16>) -> tensor<?x4xf32>
  %i, %w = lathe.moe_route %l routing = <score = sigmoid, top_k = 2> : (tensor<?x4xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  %rows, %order, %offsets = lathe.moe_dispatch %x, %i : (!x, tensor<?x2xi32>) -> (!x, tensor<?xi32>, tensor<5xi32>)
  %other_rows, %other_order, %other_offsets = lathe.moe_dispatch %x, %i : (!x, tensor<?x2xi32>) -> (!x, tensor<?xi32>, tensor<5xi32>)
  %e = lathe.expert_ffn %rows, %offsets, %gate, %up, %down activations = f32 : (!x, tensor<5xi32>, !stack, !stack, !down) -> !x
  %y = lathe.moe_combine %e, %other_order, %w : (!x, tensor<?xi32>, tensor<?x2xf32>) -> !x
  return %y : !x
}

// CHECK-LABEL: func @keeps_offsets_that_come_from_elsewhere
// CHECK-NOT: lathe.fused_experts
func.func @keeps_offsets_that_come_from_elsewhere(%x: !x, %router: tensor<4x16xbf16>, %gate: !stack, %up: !stack, %down: !down) -> !x {
  %l = lathe.linear %x, %router : (!x, tensor<4x16xbf16>) -> tensor<?x4xf32>
  %i, %w = lathe.moe_route %l routing = <score = sigmoid, top_k = 2> : (tensor<?x4xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  %rows, %order, %offsets = lathe.moe_dispatch %x, %i : (!x, tensor<?x2xi32>) -> (!x, tensor<?xi32>, tensor<5xi32>)
  %other_rows, %other_order, %other_offsets = lathe.moe_dispatch %x, %i : (!x, tensor<?x2xi32>) -> (!x, tensor<?xi32>, tensor<5xi32>)
  %e = lathe.expert_ffn %rows, %other_offsets, %gate, %up, %down activations = f32 : (!x, tensor<5xi32>, !stack, !stack, !down) -> !x
  %y = lathe.moe_combine %e, %order, %w : (!x, tensor<?xi32>, tensor<?x2xf32>) -> !x
  return %y : !x
}

// CHECK-LABEL: func @keeps_a_sum_of_another_type_than_the_rows
// CHECK-NOT: lathe.fused_experts
func.func @keeps_a_sum_of_another_type_than_the_rows(%x: tensor<5x16xf32>, %router: tensor<4x16xbf16>, %gate: !stack, %up: !stack, %down: !down) -> !x {
  %l = lathe.linear %x, %router : (tensor<5x16xf32>, tensor<4x16xbf16>) -> tensor<5x4xf32>
  %i, %w = lathe.moe_route %l routing = <score = sigmoid, top_k = 2> : (tensor<5x4xf32>) -> (tensor<5x2xi32>, tensor<5x2xf32>)
  %rows, %order, %offsets = lathe.moe_dispatch %x, %i : (tensor<5x16xf32>, tensor<5x2xi32>) -> (tensor<10x16xf32>, tensor<10xi32>, tensor<5xi32>)
  %e = lathe.expert_ffn %rows, %offsets, %gate, %up, %down activations = f32 : (tensor<10x16xf32>, tensor<5xi32>, !stack, !stack, !down) -> tensor<10x16xf32>
  %y = lathe.moe_combine %e, %order, %w : (tensor<10x16xf32>, tensor<10xi32>, tensor<5x2xf32>) -> !x
  return %y : !x
}
