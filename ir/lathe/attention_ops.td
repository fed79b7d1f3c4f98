// Attention over caches. What is written into a cache is rounded to its element type, to nearest
// even; a row sees what was written. A row sees the keys of its own slot at positions up to its own, those of
// this step included. Ops write the step's rows into the cache first and give the cache back.
// A `query` of bf16 says that whatever is multiplied (keys, values, latents, probabilities) may be rounded to bf16, too;
// what is written into a cache and what is summed stay as they are.
// A cache value is used by one op only (linear use), so that a backend may update it in place.

def Lathe_AttentionOp : Lathe_Op<"attention", [Pure]> {
  let summary = "Grouped-query attention with a key-value cache";
  let description = [{
    Heads h of `query` [T, num_heads * key_dim] use KV head `h / (num_heads / kv_heads)` of the cache.
    `k` [T, kv_heads * key_dim] and `v` [T, kv_heads * value_dim] go into the cache at (slot,
    position) of their row. Then, over the keys s of the row's slot with s <= position, and
    position - s < `window` where there is a window:
    `result[t, h] = sum_s softmax_s(softmax_scale * query[t, h] . k[s]) v[s]`, softmax in f32 or wider.
    - (C1) The columns of `key` and `value` are those of the cache.
    - (C2) `query` has `num_heads` * key_dim columns, `result` `num_heads` * value_dim.
    - (C3) `num_heads` is a multiple of the cache's kv_heads.
    - (C4) `softmax_scale` is finite and greater than zero; `window`, where there is one, is at least 1.
    - (C5) `query`, `key`, `value`, `slots`, `positions` and `result` have one number of rows.
    - (C6) The cache that comes out has the type of the one that goes in.
    ```mlir
    %o, %c1 = lathe.attention %q, %k, %v, %slots, %positions, %c0 num_heads = 4 softmax_scale = 2.500000e-01 : (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>, !lathe.kv_cache<slots = 1, max_context = 512, kv_heads = 2, key_dim = 16, value_dim = 16, element = f32>) -> (tensor<?x64xf32>, !lathe.kv_cache<slots = 1, max_context = 512, kv_heads = 2, key_dim = 16, value_dim = 16, element = f32>)
    ```
  }];
  let arguments = (ins Lathe_RoundedRows:$query, Lathe_Rows:$key, Lathe_Rows:$value, Lathe_Indices:$slots,
                       Lathe_Indices:$positions, Lathe_KvCacheType:$cache, I64Attr:$num_heads,
                       F32Attr:$softmax_scale, OptionalAttr<I64Attr>:$window);
  let results = (outs Lathe_Rows:$result, Lathe_KvCacheType:$updated);
  let assemblyFormat = [{
    $query `,` $key `,` $value `,` $slots `,` $positions `,` $cache `num_heads` `=` $num_heads
    `softmax_scale` `=` $softmax_scale (`window` `=` $window^)? attr-dict `:` functional-type(operands, results)
  }];
}

def Lathe_MlaAttentionOp : Lathe_Op<"mla_attention", [Pure]> {
  let summary = "Multi-head latent attention with a latent cache";
  let description = [{
    With n = `qk_nope_head_dim`, r = `qk_rope_head_dim`, v = `v_head_dim`, c = the cache's
    kv_lora_rank: `query` [T, num_heads * (n + r)] is [nope | rotated rope] per head, `latent`
    [T, c + r] is the normed latent and the rotated key part, shared by all heads. `latent` goes into
    the cache at (slot, position) of its row. `kv_b` [num_heads * (n + v), c] holds per head the rows
    [W_UK n | W_UV v]. Over the keys s of the row's slot with s <= position:
      k[s, h] = [W_UK_h latent_c[s] | latent_r[s]],  value[s, h] = W_UV_h latent_c[s],
      `result[t, h] = sum_s softmax_s(softmax_scale * query[t, h] . k[s, h]) value[s, h]`.
    All forms have this meaning. `materialised` expands k and value; `absorbed` uses
    q . (W_UK l) = (W_UK^T q) . l and sums latents first. Without `kv_b` (absorbed only) both folds
    stand outside, in `absorb_query` and `expand_value`: `query` is then [T, num_heads * (c + r)] and
    `result` [T, num_heads * c]. (DeepSeek-V2 paper, section 2.1.)
    - (C1) `latent` has kv_lora_rank + rope_dim columns and the cache's rope_dim is `qk_rope_head_dim`.
    - (C2) With `kv_b`: num_heads * (n + v) rows, kv_lora_rank columns; `query` has num_heads * (n + r)
      columns, `result` num_heads * v.
    - (C3) Without: the form is absorbed, `query` has num_heads * (c + r) columns, `result` num_heads * c.
    - (C4) `softmax_scale` is finite and greater than zero; all head dimensions are at least 1.
    - (C5) `query`, `latent`, `slots`, `positions` and `result` have one number of rows.
    - (C6) The cache that comes out has the type of the one that goes in.
    ```mlir
    %o, %c1 = lathe.mla_attention %q, %latent, %slots, %positions, %c0 kv_b %w num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 softmax_scale = 2.000000e-01 form = unspecified : (...)
    ```
  }];
  let arguments = (ins Lathe_RoundedRows:$query, Lathe_Rows:$latent, Lathe_Indices:$slots,
                       Lathe_Indices:$positions, Lathe_LatentCacheType:$cache,
                       Optional<Lathe_AnyMatrix>:$kv_b, I64Attr:$num_heads, I64Attr:$qk_nope_head_dim,
                       I64Attr:$qk_rope_head_dim, I64Attr:$v_head_dim, F32Attr:$softmax_scale,
                       Lathe_MlaFormAttr:$form);
  let results = (outs Lathe_Rows:$result, Lathe_LatentCacheType:$updated);
  let assemblyFormat = [{
    $query `,` $latent `,` $slots `,` $positions `,` $cache (`kv_b` $kv_b^)? `num_heads` `=` $num_heads
    `qk_nope_head_dim` `=` $qk_nope_head_dim `qk_rope_head_dim` `=` $qk_rope_head_dim
    `v_head_dim` `=` $v_head_dim `softmax_scale` `=` $softmax_scale `form` `=` `` $form
    attr-dict `:` functional-type(operands, results)
  }];
}

class Lathe_LatentFoldOp<string mnemonic> : Lathe_Op<mnemonic, [Pure]> {
  let arguments = (ins Lathe_Rows:$input, Lathe_AnyMatrix:$kv_b, I64Attr:$num_heads,
                       I64Attr:$qk_nope_head_dim, I64Attr:$qk_rope_head_dim, I64Attr:$v_head_dim);
  let results = (outs Lathe_Rows:$result);
  let assemblyFormat = [{
    $input `,` $kv_b `num_heads` `=` $num_heads `qk_nope_head_dim` `=` $qk_nope_head_dim
    `qk_rope_head_dim` `=` $qk_rope_head_dim `v_head_dim` `=` $v_head_dim attr-dict `:`
    functional-type(operands, results)
  }];
}

def Lathe_AbsorbQueryOp : Lathe_LatentFoldOp<"absorb_query"> {
  let summary = "Brings queries into latent space";
  let description = [{
    Per head `result[t, h] = [W_UK_h^T input_nope[t, h] | input_rope[t, h]]`: from n + r to c + r columns
    a head, c being the columns of `kv_b`, whose rows are [W_UK n | W_UV v] per head.
    - (C1) `kv_b` has num_heads * (n + v) rows.
    - (C2) `input` has num_heads * (n + r) columns, `result` num_heads * (c + r), and as many rows.
    - (C3) All head dimensions are at least 1.
    ```mlir
    %ql = lathe.absorb_query %q, %kv_b num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 : (tensor<?x96xf32>, tensor<112x32xbf16>) -> tensor<?x160xf32>
    ```
  }];
}

def Lathe_ExpandValueOp : Lathe_LatentFoldOp<"expand_value"> {
  let summary = "Brings attention over latents back to values";
  let description = [{
    Per head `result[t, h] = W_UV_h input[t, h]`: from c to v columns a head.
    - (C1) `kv_b` has num_heads * (n + v) rows.
    - (C2) `input` has num_heads * c columns, `result` num_heads * v, and as many rows.
    - (C3) All head dimensions are at least 1.
    ```mlir
    %o = lathe.expand_value %ol, %kv_b num_heads = 4 qk_nope_head_dim = 16 qk_rope_head_dim = 8 v_head_dim = 12 : (tensor<?x128xf32>, tensor<112x32xbf16>) -> tensor<?x48xf32>
    ```
  }];
}
