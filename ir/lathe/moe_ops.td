// Mixture of experts: route, dispatch, experts, combine, and the fused form.

def Lathe_MoeRouteOp : Lathe_Op<"moe_route", [Pure]> {
  let summary = "Chooses K experts for each token";
  let description = [{
    `(indices, weights) = routing(logits, bias)`: see `#lathe.routing`.
    - (C1) `logits` has at least top_k columns, and a number of them that n_group divides.
    - (C2) `bias`, where there is one, is as long as `logits` has columns.
    - (C3) `indices` and `weights` have the rows of `logits` and top_k columns.
    - (C4) The topk_group kept groups hold at least top_k experts.
    ```mlir
    %i, %w = lathe.moe_route %logits, %bias routing = <score = sigmoid, top_k = 3, n_group = 4, topk_group = 2, group_score = top2_sum, renormalize = true, scale = 2.500000e+00 : f32> : (tensor<?x8xf32>, tensor<8xf32>) -> (tensor<?x3xi32>, tensor<?x3xf32>)
    ```
  }];
  let arguments = (ins Lathe_Rows:$logits, Optional<Lathe_FloatVector>:$bias, Lathe_RoutingAttr:$routing);
  let results = (outs Lathe_IndexMatrix:$indices, Lathe_Rows:$weights);
  let assemblyFormat = "$logits (`,` $bias^)? `routing` `=` $routing attr-dict `:` functional-type(operands, results)";
}

def Lathe_MoeDispatchOp : Lathe_Op<"moe_dispatch", [Pure]> {
  let summary = "Sorts (token, choice) pairs by expert";
  let description = [{
    The T * K pairs p = t * K + k are sorted by `indices[t, k]`, stably. `order[i]` is the pair that
    stands at i, `rows[i] = input[order[i] / K]`, and expert e has the rows
    `offsets[e] <= i < offsets[e + 1]`. The tokens of each expert can be read out of `offsets`.
    - (C1) `indices` has the rows of `input`.
    - (C2) `rows` and `order` have T * K rows and `rows` the columns of `input`.
    - (C3) `offsets` has num_experts + 1 entries.
    ```mlir
    %rows, %order, %offsets = lathe.moe_dispatch %x, %i : (tensor<?x64xf32>, tensor<?x3xi32>) -> (tensor<?x64xf32>, tensor<?xi32>, tensor<9xi32>)
    ```
  }];
  let arguments = (ins Lathe_Rows:$input, Lathe_IndexMatrix:$indices);
  let results = (outs Lathe_Rows:$rows, Lathe_Indices:$order, Lathe_Indices:$offsets);
  let assemblyFormat = "$input `,` $indices attr-dict `:` functional-type(operands, results)";
}

def Lathe_ExpertFfnOp : Lathe_Op<"expert_ffn", [Pure]> {
  let summary = "Each expert's gated MLP on its own rows";
  let description = [{
    For the rows i of expert e: `result[i] = down_e swiglu(gate_e rows[i], up_e rows[i])`. `activations`
    says how `rows` and the inner activations enter the products (as `cast` and `quantize` do it).
    - (C1) `gate` and `up` are [E, F, H] of one type, `down` is [E, H, F], H the columns of `rows`.
    - (C2) `offsets` has E + 1 entries.
    - (C3) `result` has the type of `rows`.
    - (C4) Activations of w8a8 need quantised weights, whose blocks fit 128 columns (w8a8_i8: 32) by rule (C4)
      of `scaled_matmul`.
    ```mlir
    %y = lathe.expert_ffn %rows, %offsets, %gate, %up, %down activations = f32 : (tensor<?x64xf32>, tensor<9xi32>, tensor<8x24x64xbf16>, tensor<8x24x64xbf16>, tensor<8x64x24xbf16>) -> tensor<?x64xf32>
    ```
  }];
  let arguments = (ins Lathe_Rows:$rows, Lathe_Indices:$offsets, Lathe_AnyStack:$gate, Lathe_AnyStack:$up,
                       Lathe_AnyStack:$down, Lathe_ActivationsAttr:$activations);
  let results = (outs Lathe_Rows:$result);
  let assemblyFormat = "$rows `,` $offsets `,` $gate `,` $up `,` $down `activations` `=` `` $activations attr-dict `:` functional-type(operands, results)";
}

def Lathe_MoeCombineOp : Lathe_Op<"moe_combine", [Pure]> {
  let summary = "Weighted sum of the experts' rows, back in token order";
  let description = [{
    `result[t] = sum_k weights[t, k] * rows[i]` with `order[i] = t * K + k`, k rising.
    - (C1) `rows` and `order` have T * K rows, `weights` T.
    - (C2) `result` has T rows and the columns of `rows`.
    ```mlir
    %y = lathe.moe_combine %rows, %order, %w : (tensor<?x64xf32>, tensor<?xi32>, tensor<?x3xf32>) -> tensor<?x64xf32>
    ```
  }];
  let arguments = (ins Lathe_Rows:$rows, Lathe_Indices:$order, Lathe_Rows:$weights);
  let results = (outs Lathe_Rows:$result);
  let assemblyFormat = "$rows `,` $order `,` $weights attr-dict `:` functional-type(operands, results)";
}

def Lathe_FusedExpertsOp : Lathe_Op<"fused_experts", [Pure]> {
  let summary = "A whole routed expert layer";
  let description = [{
    `moe_combine(expert_ffn(moe_dispatch(input, i)), w)` with `(i, w) = moe_route(linear(input, router), bias)`.
    A backend works on sorted token lists: neither [T, E] nor a padded [E, T, H] is ever made. The
    router's product always takes f32 activations.
    - (C1) `router` is [E, H], `bias`, where there is one, [E], and `routing` fits E by the rules of `moe_route`.
    - (C2) `gate` and `up` are [E, F, H] of one type, `down` is [E, H, F].
    - (C3) `result` has the type of `input`.
    - (C4) Activations of w8a8 need quantised weights, whose blocks fit 128 columns (w8a8_i8: 32) by rule (C4)
      of `scaled_matmul`.
    ```mlir
    %y = lathe.fused_experts %x, %router, %gate, %up, %down bias %b routing = <score = softmax, top_k = 3> activations = f32 : (...)
    ```
  }];
  let arguments = (ins Lathe_Rows:$input, Lathe_FloatMatrix:$router, Lathe_AnyStack:$gate, Lathe_AnyStack:$up,
                       Lathe_AnyStack:$down, Optional<Lathe_FloatVector>:$bias, Lathe_RoutingAttr:$routing,
                       Lathe_ActivationsAttr:$activations);
  let results = (outs Lathe_Rows:$result);
  let assemblyFormat = [{
    $input `,` $router `,` $gate `,` $up `,` $down (`bias` $bias^)? `routing` `=` $routing
    `activations` `=` `` $activations attr-dict `:` functional-type(operands, results)
  }];
}
