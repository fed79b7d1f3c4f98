// What types and attributes refuse by themselves.
// RUN: lathe-opt %s --verify-diagnostics --split-input-file

// expected-error @+1 {{max_context is 0; it should be from 1 to 2147483647}}
func.func private @f(!lathe.kv_cache<slots = 1, max_context = 0, kv_heads = 1, key_dim = 1, value_dim = 1, element = f32>)

// -----

// expected-error @+1 {{kv_lora_rank is 99999999; it should be from 1 to 16777216}}
func.func private @f(!lathe.latent_cache<slots = 1, max_context = 1, kv_lora_rank = 99999999, rope_dim = 1, element = f32>)

// -----

// expected-error @+1 {{a cache holds f32 or bf16, not 'f16'}}
func.func private @f(!lathe.latent_cache<slots = 1, max_context = 1, kv_lora_rank = 1, rope_dim = 1, element = f16>)

// -----

// expected-error @+1 {{a block is 0x128; its extents should be from 1 to 2147483647}}
func.func private @f(!lathe.quantized<4x8xf8E4M3FN, block<0x128xf32>>)

// -----

// expected-error @+1 {{a block has 2 extents, this one has 1}}
func.func private @f(!lathe.quantized<4x8xf8E4M3FN, block<128xf32>>)

// -----

// expected-error @+1 {{a quantised type has 2 or 3 extents, this one has 1}}
func.func private @f(!lathe.quantized<8xf8E4M3FN, block<1x128xf32>>)

// -----

// expected-error @+1 {{codes are f8E4M3FN, f8E5M2, i8 or i4, not 'i16'}}
func.func private @f(!lathe.quantized<4x8xi16, block<1x128xf32>>)

// -----

// expected-error @+1 {{codes are f8E4M3FN, f8E5M2, i8 or i4, not 'bf16'}}
func.func private @f(!lathe.quantized<4x8xbf16, block<1x128xf32>>)

// -----

// expected-error @+1 {{scales are f32, bf16, f16 or f8E8M0FNU, not 'i8'}}
func.func private @f(!lathe.quantized<4x8xf8E4M3FN, block<1x128xi8>>)

// -----

// expected-error @+1 {{only the first extent of a quantised type may be dynamic}}
func.func private @f(!lathe.quantized<4x?xf8E4M3FN, block<1x128xf32>>)

// -----

// expected-error @+1 {{top_k is 0; it should be at least 1}}
func.func private @f() attributes {a = #lathe.routing<score = softmax, top_k = 0>}

// -----

// expected-error @+1 {{topk_group is 3; it should be from 1 to n_group, which is 2}}
func.func private @f() attributes {a = #lathe.routing<score = softmax, top_k = 1, n_group = 2, topk_group = 3>}

// -----

// expected-error @+1 {{scale should be a finite f32}}
func.func private @f() attributes {a = #lathe.routing<score = softmax, top_k = 1, scale = 1.0 : f64>}
