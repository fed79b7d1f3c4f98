// A small model as import makes it: two layers of latent attention, the first with a dense MLP of FP8
// weights, the second with routed and shared experts, then the head. Weights come from the seed.
!latent = !lathe.latent_cache<slots = 1, max_context = 96, kv_lora_rank = 32, rope_dim = 8, element = f32>
!w_q_a = !lathe.quantized<48x160xf8E4M3FN, block<128x128xf32>>
!w_q_b = !lathe.quantized<96x48xf8E4M3FN, block<128x128xf32>>
!w_kv_a = !lathe.quantized<40x160xf8E4M3FN, block<128x128xf32>>
!w_kv_b = !lathe.quantized<112x32xf8E4M3FN, block<128x128xf32>>
!w_o = !lathe.quantized<160x48xf8E4M3FN, block<128x128xf32>>
!w_up = !lathe.quantized<192x160xf8E4M3FN, block<128x128xf32>>
!w_down = !lathe.quantized<160x192xf8E4M3FN, block<128x128xf32>>
!w_shared = tensor<64x160xbf16>
!w_shared_down = tensor<160x64xbf16>
!stack = !lathe.quantized<4x64x160xf8E4M3FN, block<128x128xf32>>
!stack_down = !lathe.quantized<4x160x64xf8E4M3FN, block<128x128xf32>>

module attributes {lathe.model = {family = "deepseek_v3", model = "small", vocab_size = 72 : i64, hidden_size = 160 : i64, num_layers = 2 : i64, max_context = 96 : i64, parameters = 300000 : i64, activation_scales = "f32"}} {
  func.func @step(%tokens: tensor<?xi32>, %slots: tensor<?xi32>, %positions: tensor<?xi32>, %output_rows: tensor<?xi32>, %c0: !latent {lathe.name = "layers.0.latent"}, %c1: !latent {lathe.name = "layers.1.latent"}) -> (tensor<?x72xf32>, !latent, !latent) {
    %embed = lathe.weight "model.embed_tokens.weight" from [#lathe.tensor_ref<"model.embed_tokens.weight">] : tensor<72x160xbf16> loc("model.embed_tokens")
    %h = lathe.embedding %tokens, %embed : (tensor<?xi32>, tensor<72x160xbf16>) -> tensor<?x160xf32> loc("model.embed_tokens")
    %table = lathe.rope_table %positions frequencies = [1.0, 0.3, 0.1, 0.03] magnitude = 1.0 : tensor<?xi32> -> tensor<?x8xf32> loc("model.rope")

    %g0 = lathe.weight "model.layers.0.input_layernorm.weight" from [#lathe.tensor_ref<"model.layers.0.input_layernorm.weight">] : tensor<160xbf16> loc("model.layers.0.input_layernorm")
    %n0 = lathe.rms_norm %h, %g0 epsilon = 9.765625e-4 : tensor<?x160xf32>, tensor<160xbf16> loc("model.layers.0.input_layernorm")
    %qa0 = lathe.weight "model.layers.0.self_attn.q_a_proj.weight" from [#lathe.tensor_ref<"model.layers.0.self_attn.q_a_proj.weight">] scales [#lathe.tensor_ref<"model.layers.0.self_attn.q_a_proj.weight_scale_inv">] : !w_q_a loc("model.layers.0.self_attn")
    %q_a0 = lathe.scaled_matmul %n0, %qa0 : (tensor<?x160xf32>, !w_q_a) -> tensor<?x48xf32> loc("model.layers.0.self_attn")
    %gq0 = lathe.weight "model.layers.0.self_attn.q_a_layernorm.weight" from [#lathe.tensor_ref<"model.layers.0.self_attn.q_a_layernorm.weight">] : tensor<48xbf16> loc("model.layers.0.self_attn")
    %q_n0 = lathe.rms_norm %q_a0, %gq0 epsilon = 9.765625e-4 : tensor<?x48xf32>, tensor<48xbf16> loc("model.layers.0.self_attn")
    %qb0 = lathe.weight "model.layers.0.self_attn.q_b_proj.weight" from [#lathe.tensor_ref<"model.layers.0.self_attn.q_b_proj.weight">] scales [#lathe.tensor_ref<"model.layers.0.self_attn.q_b_proj.weight_scale_inv">] : !w_q_b loc("model.layers.0.self_attn")
    %q0 = lathe.scaled_matmul %q_n0, %qb0 : (tensor<?x48xf32>, !w_q_b) -> tensor<?x96xf32> loc("model.layers.0.self_attn")
    %qr0 = lathe.rope %q0, %table head_dim = 24 offset = 16 layout = pairs : tensor<?x96xf32>, tensor<?x8xf32> loc("model.layers.0.self_attn")
    %kva0 = lathe.weight "model.layers.0.self_attn.kv_a_proj_with_mqa.weight" from [#lathe.tensor_ref<"model.layers.0.self_attn.kv_a_proj_with_mqa.weight">] scales [#lathe.tensor_ref<"model.layers.0.self_attn.kv_a_proj_with_mqa.weight_scale_inv">] : !w_kv_a loc("model.layers.0.self_attn")
    %kv0 = lathe.scaled_matmul %n0, %kva0 : (tensor<?x160xf32>, !w_kv_a) -> tensor<?x40xf32> loc("model.layers.0.self_attn")
    %c_kv0 = lathe.slice %kv0 offset = 0 : tensor<?x40xf32> -> tensor<?x32xf32> loc("model.layers.0.self_attn")
    %k_pe0 = lathe.slice %kv0 offset = 32 : tensor<?x40xf32> -> tensor<?x8xf32> loc("model.layers.0.self_attn")
    %gkv0 = lathe.weight "model.layers.0.self_attn.kv_a_layernorm.weight" from [#lathe.tensor_ref<"model.layers.0.self_attn.kv_a_layernorm.weight">] : tensor<32xbf16> loc("model.layers.0.self_attn")
    %c_n0 = lathe.rms_norm %c_kv0, %gkv0 epsilon = 9.765625e-4 : tensor<?x32xf32>, tensor<32xbf16> loc("model.layers.0.self_attn")
    %k_r0 = lathe.rope %k_pe0, %table head_dim = 8 offset = 0 layout = pairs : tensor<?x8xf32>, tensor<?x8xf32> loc("model.layers.0.self_attn")
    %latent0 = lathe.concat %c_n0, %k_r0 : (tensor<?x32xf32>, tensor<?x8xf32>) -> tensor<?x40xf32> loc("model.layers.0.self_attn")
    %kvb0 = lathe.weight "model.layers.0.self_attn.kv_b_proj.weight" from [#lathe.tensor_ref<"model.layers.0.self_attn.kv_b_proj.weight">] scales [#lathe.tensor_ref<"model.layers.0.self_attn.kv_b_proj.weight_scale_inv">] : !w_kv_b loc("model.layers.0.self_attn")
    %o0, %c0_out = lathe.mla_attention %qr0, %latent0, %slots, %positions, %c0 kv_b %kvb0 num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 2.500000e-01 form = unspecified : (tensor<?x96xf32>, tensor<?x40xf32>, tensor<?xi32>, tensor<?xi32>, !latent, !w_kv_b) -> (tensor<?x48xf32>, !latent) loc("model.layers.0.self_attn")
    %wo0 = lathe.weight "model.layers.0.self_attn.o_proj.weight" from [#lathe.tensor_ref<"model.layers.0.self_attn.o_proj.weight">] scales [#lathe.tensor_ref<"model.layers.0.self_attn.o_proj.weight_scale_inv">] : !w_o loc("model.layers.0.self_attn")
    %a0 = lathe.scaled_matmul %o0, %wo0 : (tensor<?x48xf32>, !w_o) -> tensor<?x160xf32> loc("model.layers.0.self_attn")
    %h0_mid = lathe.add %h, %a0 : tensor<?x160xf32> loc("model.layers.0")
    %g20 = lathe.weight "model.layers.0.post_attention_layernorm.weight" from [#lathe.tensor_ref<"model.layers.0.post_attention_layernorm.weight">] : tensor<160xbf16> loc("model.layers.0")
    %m0 = lathe.rms_norm %h0_mid, %g20 epsilon = 9.765625e-4 : tensor<?x160xf32>, tensor<160xbf16> loc("model.layers.0")
    %wg0 = lathe.weight "model.layers.0.mlp.gate_proj.weight" from [#lathe.tensor_ref<"model.layers.0.mlp.gate_proj.weight">] scales [#lathe.tensor_ref<"model.layers.0.mlp.gate_proj.weight_scale_inv">] : !w_up loc("model.layers.0.mlp")
    %gate0 = lathe.scaled_matmul %m0, %wg0 : (tensor<?x160xf32>, !w_up) -> tensor<?x192xf32> loc("model.layers.0.mlp")
    %wu0 = lathe.weight "model.layers.0.mlp.up_proj.weight" from [#lathe.tensor_ref<"model.layers.0.mlp.up_proj.weight">] scales [#lathe.tensor_ref<"model.layers.0.mlp.up_proj.weight_scale_inv">] : !w_up loc("model.layers.0.mlp")
    %up0 = lathe.scaled_matmul %m0, %wu0 : (tensor<?x160xf32>, !w_up) -> tensor<?x192xf32> loc("model.layers.0.mlp")
    %act0 = lathe.swiglu %gate0, %up0 : tensor<?x192xf32> loc("model.layers.0.mlp")
    %wd0 = lathe.weight "model.layers.0.mlp.down_proj.weight" from [#lathe.tensor_ref<"model.layers.0.mlp.down_proj.weight">] scales [#lathe.tensor_ref<"model.layers.0.mlp.down_proj.weight_scale_inv">] : !w_down loc("model.layers.0.mlp")
    %mlp0 = lathe.scaled_matmul %act0, %wd0 : (tensor<?x192xf32>, !w_down) -> tensor<?x160xf32> loc("model.layers.0.mlp")
    %h0_out = lathe.add %h0_mid, %mlp0 : tensor<?x160xf32> loc("model.layers.0")

    %g1 = lathe.weight "model.layers.1.input_layernorm.weight" from [#lathe.tensor_ref<"model.layers.1.input_layernorm.weight">] : tensor<160xbf16> loc("model.layers.1.input_layernorm")
    %n1 = lathe.rms_norm %h0_out, %g1 epsilon = 9.765625e-4 : tensor<?x160xf32>, tensor<160xbf16> loc("model.layers.1.input_layernorm")
    %qa1 = lathe.weight "model.layers.1.self_attn.q_a_proj.weight" from [#lathe.tensor_ref<"model.layers.1.self_attn.q_a_proj.weight">] scales [#lathe.tensor_ref<"model.layers.1.self_attn.q_a_proj.weight_scale_inv">] : !w_q_a loc("model.layers.1.self_attn")
    %q_a1 = lathe.scaled_matmul %n1, %qa1 : (tensor<?x160xf32>, !w_q_a) -> tensor<?x48xf32> loc("model.layers.1.self_attn")
    %gq1 = lathe.weight "model.layers.1.self_attn.q_a_layernorm.weight" from [#lathe.tensor_ref<"model.layers.1.self_attn.q_a_layernorm.weight">] : tensor<48xbf16> loc("model.layers.1.self_attn")
    %q_n1 = lathe.rms_norm %q_a1, %gq1 epsilon = 9.765625e-4 : tensor<?x48xf32>, tensor<48xbf16> loc("model.layers.1.self_attn")
    %qb1 = lathe.weight "model.layers.1.self_attn.q_b_proj.weight" from [#lathe.tensor_ref<"model.layers.1.self_attn.q_b_proj.weight">] scales [#lathe.tensor_ref<"model.layers.1.self_attn.q_b_proj.weight_scale_inv">] : !w_q_b loc("model.layers.1.self_attn")
    %q1 = lathe.scaled_matmul %q_n1, %qb1 : (tensor<?x48xf32>, !w_q_b) -> tensor<?x96xf32> loc("model.layers.1.self_attn")
    %qr1 = lathe.rope %q1, %table head_dim = 24 offset = 16 layout = pairs : tensor<?x96xf32>, tensor<?x8xf32> loc("model.layers.1.self_attn")
    %kva1 = lathe.weight "model.layers.1.self_attn.kv_a_proj_with_mqa.weight" from [#lathe.tensor_ref<"model.layers.1.self_attn.kv_a_proj_with_mqa.weight">] scales [#lathe.tensor_ref<"model.layers.1.self_attn.kv_a_proj_with_mqa.weight_scale_inv">] : !w_kv_a loc("model.layers.1.self_attn")
    %kv1 = lathe.scaled_matmul %n1, %kva1 : (tensor<?x160xf32>, !w_kv_a) -> tensor<?x40xf32> loc("model.layers.1.self_attn")
    %c_kv1 = lathe.slice %kv1 offset = 0 : tensor<?x40xf32> -> tensor<?x32xf32> loc("model.layers.1.self_attn")
    %k_pe1 = lathe.slice %kv1 offset = 32 : tensor<?x40xf32> -> tensor<?x8xf32> loc("model.layers.1.self_attn")
    %gkv1 = lathe.weight "model.layers.1.self_attn.kv_a_layernorm.weight" from [#lathe.tensor_ref<"model.layers.1.self_attn.kv_a_layernorm.weight">] : tensor<32xbf16> loc("model.layers.1.self_attn")
    %c_n1 = lathe.rms_norm %c_kv1, %gkv1 epsilon = 9.765625e-4 : tensor<?x32xf32>, tensor<32xbf16> loc("model.layers.1.self_attn")
    %k_r1 = lathe.rope %k_pe1, %table head_dim = 8 offset = 0 layout = pairs : tensor<?x8xf32>, tensor<?x8xf32> loc("model.layers.1.self_attn")
    %latent1 = lathe.concat %c_n1, %k_r1 : (tensor<?x32xf32>, tensor<?x8xf32>) -> tensor<?x40xf32> loc("model.layers.1.self_attn")
    %kvb1 = lathe.weight "model.layers.1.self_attn.kv_b_proj.weight" from [#lathe.tensor_ref<"model.layers.1.self_attn.kv_b_proj.weight">] scales [#lathe.tensor_ref<"model.layers.1.self_attn.kv_b_proj.weight_scale_inv">] : !w_kv_b loc("model.layers.1.self_attn")
    %o1, %c1_out = lathe.mla_attention %qr1, %latent1, %slots, %positions, %c1 kv_b %kvb1 num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 2.500000e-01 form = unspecified : (tensor<?x96xf32>, tensor<?x40xf32>, tensor<?xi32>, tensor<?xi32>, !latent, !w_kv_b) -> (tensor<?x48xf32>, !latent) loc("model.layers.1.self_attn")
    %wo1 = lathe.weight "model.layers.1.self_attn.o_proj.weight" from [#lathe.tensor_ref<"model.layers.1.self_attn.o_proj.weight">] scales [#lathe.tensor_ref<"model.layers.1.self_attn.o_proj.weight_scale_inv">] : !w_o loc("model.layers.1.self_attn")
    %a1 = lathe.scaled_matmul %o1, %wo1 : (tensor<?x48xf32>, !w_o) -> tensor<?x160xf32> loc("model.layers.1.self_attn")
    %h1_mid = lathe.add %h0_out, %a1 : tensor<?x160xf32> loc("model.layers.1")
    %g21 = lathe.weight "model.layers.1.post_attention_layernorm.weight" from [#lathe.tensor_ref<"model.layers.1.post_attention_layernorm.weight">] : tensor<160xbf16> loc("model.layers.1")
    %m1 = lathe.rms_norm %h1_mid, %g21 epsilon = 9.765625e-4 : tensor<?x160xf32>, tensor<160xbf16> loc("model.layers.1")
    %wr1 = lathe.weight "model.layers.1.mlp.gate.weight" from [#lathe.tensor_ref<"model.layers.1.mlp.gate.weight">] : tensor<4x160xbf16> loc("model.layers.1.mlp")
    %score1 = lathe.linear %m1, %wr1 : (tensor<?x160xf32>, tensor<4x160xbf16>) -> tensor<?x4xf32> loc("model.layers.1.mlp")
    %br1 = lathe.weight "model.layers.1.mlp.gate.e_score_correction_bias" from [#lathe.tensor_ref<"model.layers.1.mlp.gate.e_score_correction_bias">] : tensor<4xf32> loc("model.layers.1.mlp")
    %i1, %p1 = lathe.moe_route %score1, %br1 routing = <score = sigmoid, top_k = 2, renormalize = true> : (tensor<?x4xf32>, tensor<4xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>) loc("model.layers.1.mlp")
    %rows1, %order1, %offsets1 = lathe.moe_dispatch %m1, %i1 : (tensor<?x160xf32>, tensor<?x2xi32>) -> (tensor<?x160xf32>, tensor<?xi32>, tensor<5xi32>) loc("model.layers.1.mlp")
    %eg1 = lathe.weight "model.layers.1.mlp.experts.*.gate_proj.weight" from [#lathe.tensor_ref<"model.layers.1.mlp.experts.0.gate_proj.weight">, #lathe.tensor_ref<"model.layers.1.mlp.experts.1.gate_proj.weight">, #lathe.tensor_ref<"model.layers.1.mlp.experts.2.gate_proj.weight">, #lathe.tensor_ref<"model.layers.1.mlp.experts.3.gate_proj.weight">] scales [#lathe.tensor_ref<"model.layers.1.mlp.experts.0.gate_proj.weight_scale_inv">, #lathe.tensor_ref<"model.layers.1.mlp.experts.1.gate_proj.weight_scale_inv">, #lathe.tensor_ref<"model.layers.1.mlp.experts.2.gate_proj.weight_scale_inv">, #lathe.tensor_ref<"model.layers.1.mlp.experts.3.gate_proj.weight_scale_inv">] : !stack loc("model.layers.1.mlp")
    %eu1 = lathe.weight "model.layers.1.mlp.experts.*.up_proj.weight" from [#lathe.tensor_ref<"model.layers.1.mlp.experts.0.up_proj.weight">, #lathe.tensor_ref<"model.layers.1.mlp.experts.1.up_proj.weight">, #lathe.tensor_ref<"model.layers.1.mlp.experts.2.up_proj.weight">, #lathe.tensor_ref<"model.layers.1.mlp.experts.3.up_proj.weight">] scales [#lathe.tensor_ref<"model.layers.1.mlp.experts.0.up_proj.weight_scale_inv">, #lathe.tensor_ref<"model.layers.1.mlp.experts.1.up_proj.weight_scale_inv">, #lathe.tensor_ref<"model.layers.1.mlp.experts.2.up_proj.weight_scale_inv">, #lathe.tensor_ref<"model.layers.1.mlp.experts.3.up_proj.weight_scale_inv">] : !stack loc("model.layers.1.mlp")
    %ed1 = lathe.weight "model.layers.1.mlp.experts.*.down_proj.weight" from [#lathe.tensor_ref<"model.layers.1.mlp.experts.0.down_proj.weight">, #lathe.tensor_ref<"model.layers.1.mlp.experts.1.down_proj.weight">, #lathe.tensor_ref<"model.layers.1.mlp.experts.2.down_proj.weight">, #lathe.tensor_ref<"model.layers.1.mlp.experts.3.down_proj.weight">] scales [#lathe.tensor_ref<"model.layers.1.mlp.experts.0.down_proj.weight_scale_inv">, #lathe.tensor_ref<"model.layers.1.mlp.experts.1.down_proj.weight_scale_inv">, #lathe.tensor_ref<"model.layers.1.mlp.experts.2.down_proj.weight_scale_inv">, #lathe.tensor_ref<"model.layers.1.mlp.experts.3.down_proj.weight_scale_inv">] : !stack_down loc("model.layers.1.mlp")
    %ffn1 = lathe.expert_ffn %rows1, %offsets1, %eg1, %eu1, %ed1 activations = f32 : (tensor<?x160xf32>, tensor<5xi32>, !stack, !stack, !stack_down) -> tensor<?x160xf32> loc("model.layers.1.mlp")
    %routed1 = lathe.moe_combine %ffn1, %order1, %p1 : (tensor<?x160xf32>, tensor<?xi32>, tensor<?x2xf32>) -> tensor<?x160xf32> loc("model.layers.1.mlp")
    %sg1 = lathe.weight "model.layers.1.mlp.shared_experts.gate_proj.weight" from [#lathe.tensor_ref<"model.layers.1.mlp.shared_experts.gate_proj.weight">] : !w_shared loc("model.layers.1.mlp.shared_experts")
    %sgate1 = lathe.linear %m1, %sg1 : (tensor<?x160xf32>, !w_shared) -> tensor<?x64xf32> loc("model.layers.1.mlp.shared_experts")
    %su1 = lathe.weight "model.layers.1.mlp.shared_experts.up_proj.weight" from [#lathe.tensor_ref<"model.layers.1.mlp.shared_experts.up_proj.weight">] : !w_shared loc("model.layers.1.mlp.shared_experts")
    %sup1 = lathe.linear %m1, %su1 : (tensor<?x160xf32>, !w_shared) -> tensor<?x64xf32> loc("model.layers.1.mlp.shared_experts")
    %sact1 = lathe.swiglu %sgate1, %sup1 : tensor<?x64xf32> loc("model.layers.1.mlp.shared_experts")
    %sd1 = lathe.weight "model.layers.1.mlp.shared_experts.down_proj.weight" from [#lathe.tensor_ref<"model.layers.1.mlp.shared_experts.down_proj.weight">] : !w_shared_down loc("model.layers.1.mlp.shared_experts")
    %shared1 = lathe.linear %sact1, %sd1 : (tensor<?x64xf32>, !w_shared_down) -> tensor<?x160xf32> loc("model.layers.1.mlp.shared_experts")
    %moe1 = lathe.add %routed1, %shared1 : tensor<?x160xf32> loc("model.layers.1.mlp")
    %h1_out = lathe.add %h1_mid, %moe1 : tensor<?x160xf32> loc("model.layers.1")

    %last = lathe.select_rows %h1_out, %output_rows : (tensor<?x160xf32>, tensor<?xi32>) -> tensor<?x160xf32> loc("lm_head")
    %g_final = lathe.weight "model.norm.weight" from [#lathe.tensor_ref<"model.norm.weight">] : tensor<160xbf16> loc("model.norm")
    %n_final = lathe.rms_norm %last, %g_final epsilon = 9.765625e-4 : tensor<?x160xf32>, tensor<160xbf16> loc("model.norm")
    %head = lathe.weight "lm_head.weight" from [#lathe.tensor_ref<"lm_head.weight">] : tensor<72x160xbf16> loc("lm_head")
    %logits = lathe.linear %n_final, %head : (tensor<?x160xf32>, tensor<72x160xbf16>) -> tensor<?x72xf32> loc("lm_head")
    return %logits, %c0_out, %c1_out : tensor<?x72xf32>, !latent, !latent
  }
}
