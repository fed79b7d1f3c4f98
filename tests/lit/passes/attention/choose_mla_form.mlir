// With 2 heads of 32 + 16 and 32, a latent of 48 and 512 keys, as many FLOPs go into both forms at
// 512 * 48 * 64 / (48 * 64 + 512 * 32) = 80.8 rows. Without costs of targets, FLOPs decide.
// RUN: lathe-opt %s --lathe-choose-mla-form | FileCheck %s
// RUN: lathe-opt %s --lathe-choose-mla-form -o %t && lathe-interpret --compare %s %t
// RUN: lathe-opt %s --lathe-choose-mla-form=form=materialised | FileCheck %s --check-prefix=FORCED
// RUN: lathe-opt %s --lathe-choose-mla-form=expected-context=64 | FileCheck %s --check-prefix=SHORT
// RUN: not lathe-opt %s --lathe-choose-mla-form=form=folded 2>&1 | FileCheck %s --check-prefix=FORM
// RUN: not lathe-opt %s --lathe-choose-mla-form=expected-context=-1 2>&1 | FileCheck %s --check-prefix=KEYS
// FORM: error: form is 'folded'; it should be materialised or absorbed
// KEYS: error: expected-context is -1; it should be at least 1, or 0 for 2048

!cache = !lathe.latent_cache<slots = 1, max_context = 512, kv_lora_rank = 48, rope_dim = 16, element = f32>

// CHECK-LABEL: func @absorbs_for_one_row
// CHECK-SAME: lathe.explain = [{alternatives = [{choice = "materialised", cost = "6.46 MFLOP"}], choice = "absorbed", cost = "242 kFLOP", layer = 3 : i64, op = "mla_attention", pass = "choose-mla-form", why = "1 row sees 512 keys: 242 kFLOP and {{.+}} kB against 6.46 MFLOP and {{.+}} kB"}]
// CHECK: form = absorbed
// FORCED-LABEL: func @absorbs_for_one_row
// FORCED-SAME: why = "asked for; 1 row sees 512 keys: 6.46 MFLOP
// FORCED: form = materialised
// SHORT-LABEL: func @absorbs_for_one_row
// SHORT-SAME: why = "1 row sees 64 keys
func.func @absorbs_for_one_row(%q: tensor<1x96xf32>, %l: tensor<1x64xf32>, %s: tensor<1xi32>, %p: tensor<1xi32>, %c: !cache, %w: tensor<128x48xbf16>) -> (tensor<1x64xf32>, !cache) {
  %o, %c1 = lathe.mla_attention %q, %l, %s, %p, %c kv_b %w num_heads = 2 qk_nope_head_dim = 32 qk_rope_head_dim = 16 v_head_dim = 32 softmax_scale = 0.25 form = unspecified : (tensor<1x96xf32>, tensor<1x64xf32>, tensor<1xi32>, tensor<1xi32>, !cache, tensor<128x48xbf16>) -> (tensor<1x64xf32>, !cache) loc("layers.3.self_attn")
  return %o, %c1 : tensor<1x64xf32>, !cache
}

// CHECK-LABEL: func @absorbs_below_the_crossover
// CHECK: form = absorbed
func.func @absorbs_below_the_crossover(%q: tensor<?x96xf32>, %l: tensor<?x64xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !cache, %w: tensor<128x48xbf16>) -> (tensor<?x64xf32>, !cache) attributes {lathe.max_rows = 80 : i64} {
  %o, %c1 = lathe.mla_attention %q, %l, %s, %p, %c kv_b %w num_heads = 2 qk_nope_head_dim = 32 qk_rope_head_dim = 16 v_head_dim = 32 softmax_scale = 0.25 form = unspecified : (tensor<?x96xf32>, tensor<?x64xf32>, tensor<?xi32>, tensor<?xi32>, !cache, tensor<128x48xbf16>) -> (tensor<?x64xf32>, !cache)
  return %o, %c1 : tensor<?x64xf32>, !cache
}

// CHECK-LABEL: func @materialises_above_the_crossover
// CHECK: form = materialised
func.func @materialises_above_the_crossover(%q: tensor<?x96xf32>, %l: tensor<?x64xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !cache, %w: tensor<128x48xbf16>) -> (tensor<?x64xf32>, !cache) attributes {lathe.max_rows = 81 : i64} {
  %o, %c1 = lathe.mla_attention %q, %l, %s, %p, %c kv_b %w num_heads = 2 qk_nope_head_dim = 32 qk_rope_head_dim = 16 v_head_dim = 32 softmax_scale = 0.25 form = unspecified : (tensor<?x96xf32>, tensor<?x64xf32>, tensor<?xi32>, tensor<?xi32>, !cache, tensor<128x48xbf16>) -> (tensor<?x64xf32>, !cache)
  return %o, %c1 : tensor<?x64xf32>, !cache
}

// CHECK-LABEL: func @keeps_a_form_that_is_chosen
// CHECK: form = materialised
func.func @keeps_a_form_that_is_chosen(%q: tensor<1x96xf32>, %l: tensor<1x64xf32>, %s: tensor<1xi32>, %p: tensor<1xi32>, %c: !cache, %w: tensor<128x48xbf16>) -> (tensor<1x64xf32>, !cache) {
  %o, %c1 = lathe.mla_attention %q, %l, %s, %p, %c kv_b %w num_heads = 2 qk_nope_head_dim = 32 qk_rope_head_dim = 16 v_head_dim = 32 softmax_scale = 0.25 form = materialised : (tensor<1x96xf32>, tensor<1x64xf32>, tensor<1xi32>, tensor<1xi32>, !cache, tensor<128x48xbf16>) -> (tensor<1x64xf32>, !cache)
  return %o, %c1 : tensor<1x64xf32>, !cache
}

// CHECK-LABEL: func @keeps_the_form_where_rows_are_unknown
// CHECK: form = unspecified
// FORCED-LABEL: func @keeps_the_form_where_rows_are_unknown
// FORCED: form = unspecified
func.func @keeps_the_form_where_rows_are_unknown(%q: tensor<?x96xf32>, %l: tensor<?x64xf32>, %s: tensor<?xi32>, %p: tensor<?xi32>, %c: !cache, %w: tensor<128x48xbf16>) -> (tensor<?x64xf32>, !cache) {
  %o, %c1 = lathe.mla_attention %q, %l, %s, %p, %c kv_b %w num_heads = 2 qk_nope_head_dim = 32 qk_rope_head_dim = 16 v_head_dim = 32 softmax_scale = 0.25 form = unspecified : (tensor<?x96xf32>, tensor<?x64xf32>, tensor<?xi32>, tensor<?xi32>, !cache, tensor<128x48xbf16>) -> (tensor<?x64xf32>, !cache)
  return %o, %c1 : tensor<?x64xf32>, !cache
}
