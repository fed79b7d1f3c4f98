// RUN: lathe-opt %s --lathe-verify-plan --split-input-file --verify-diagnostics

func.func @accepts_memory_used_again(%x: tensor<1x16xf32>) -> tensor<1x16xf32> attributes {lathe.arena_bytes = 192 : i64} {
  %a = lathe.add %x, %x {arena_offsets = array<i64: 0>} : tensor<1x16xf32>
  %b = lathe.add %a, %a {arena_offsets = array<i64: 64>, scratch_bytes = 8 : i64, scratch_offset = 128 : i64} : tensor<1x16xf32>
  %c = lathe.add %b, %b {arena_offsets = array<i64: 0>} : tensor<1x16xf32>
  %d = lathe.add %c, %c : tensor<1x16xf32>
  return %d : tensor<1x16xf32>
}

// -----

func.func @sees_a_value_written_over(%x: tensor<1x16xf32>) -> tensor<1x16xf32> attributes {lathe.arena_bytes = 128 : i64} {
  %a = lathe.add %x, %x {arena_offsets = array<i64: 0>} : tensor<1x16xf32>
  %b = lathe.add %x, %x {arena_offsets = array<i64: 0>} : tensor<1x16xf32>
  // expected-error@+1 {{needs bytes 0 to 64 of the arena, which something has written over}}
  %c = lathe.add %a, %b {arena_offsets = array<i64: 64>} : tensor<1x16xf32>
  %d = lathe.add %c, %c : tensor<1x16xf32>
  return %d : tensor<1x16xf32>
}

// -----

func.func @sees_a_value_written_over_in_part(%x: tensor<1x32xf32>, %y: tensor<1x16xf32>) -> tensor<1x32xf32> attributes {lathe.arena_bytes = 192 : i64} {
  %a = lathe.add %x, %x {arena_offsets = array<i64: 0>} : tensor<1x32xf32>
  %b = lathe.add %y, %y {arena_offsets = array<i64: 64>} : tensor<1x16xf32>
  // expected-error@+1 {{needs bytes 0 to 128 of the arena, which something has written over}}
  %c = lathe.add %a, %a : tensor<1x32xf32>
  return %c : tensor<1x32xf32>
}

// -----

func.func @sees_a_result_on_its_own_input(%x: tensor<1x16xf32>) -> tensor<1x16xf32> attributes {lathe.arena_bytes = 64 : i64} {
  %a = lathe.add %x, %x {arena_offsets = array<i64: 0>} : tensor<1x16xf32>
  // expected-error@+1 {{needs bytes 0 to 64 of the arena, which something has written over}}
  %b = lathe.add %a, %a {arena_offsets = array<i64: 0>} : tensor<1x16xf32>
  %c = lathe.add %b, %b : tensor<1x16xf32>
  return %c : tensor<1x16xf32>
}

// -----

func.func @sees_the_input_of_a_slice_written_over(%x: tensor<1x16xf32>) -> tensor<1x8xf32> attributes {lathe.arena_bytes = 64 : i64} {
  %a = lathe.add %x, %x {arena_offsets = array<i64: 0>} : tensor<1x16xf32>
  %s = lathe.slice %a offset = 0 : tensor<1x16xf32> -> tensor<1x8xf32>
  %b = lathe.add %x, %x {arena_offsets = array<i64: 0>} : tensor<1x16xf32>
  // expected-error@+1 {{needs bytes 0 to 64 of the arena, which something has written over}}
  %c = lathe.add %s, %s : tensor<1x8xf32>
  return %c : tensor<1x8xf32>
}

// -----

func.func @sees_results_of_one_op_on_each_other(%x: tensor<1x16xf32>, %w: tensor<16x16xf32>) attributes {lathe.arena_bytes = 64 : i64} {
  // expected-error@+1 {{needs bytes 0 to 64 of the arena, which something has written over}}
  %a:2 = lathe.fused_linear %x, %w, %w {arena_offsets = array<i64: 0, 0>} : (tensor<1x16xf32>, tensor<16x16xf32>, tensor<16x16xf32>) -> (tensor<1x16xf32>, tensor<1x16xf32>)
  return
}

// -----

func.func @sees_scratch_on_a_result(%x: tensor<1x16xf32>) attributes {lathe.arena_bytes = 64 : i64} {
  // expected-error@+1 {{needs bytes 0 to 64 of the arena, which something has written over}}
  %a = lathe.add %x, %x {arena_offsets = array<i64: 0>, scratch_bytes = 8 : i64, scratch_offset = 0 : i64} : tensor<1x16xf32>
  return
}

// -----

func.func @sees_a_place_that_is_not_aligned(%x: tensor<1x16xf32>) attributes {lathe.arena_bytes = 128 : i64} {
  // expected-error@+1 {{has bytes 32 to 96 of the arena; they should begin at a multiple of 64 and end within its 128}}
  %a = lathe.add %x, %x {arena_offsets = array<i64: 32>} : tensor<1x16xf32>
  return
}

// -----

func.func @sees_a_place_beyond_the_end(%x: tensor<1x16xf32>) attributes {lathe.arena_bytes = 64 : i64} {
  // expected-error@+1 {{has bytes 64 to 128 of the arena; they should begin at a multiple of 64 and end within its 64}}
  %a = lathe.add %x, %x {arena_offsets = array<i64: 64>} : tensor<1x16xf32>
  return
}

// -----

func.func @sees_a_place_before_the_begin(%x: tensor<1x16xf32>) attributes {lathe.arena_bytes = 64 : i64} {
  // expected-error@+1 {{has bytes -64 to 0 of the arena}}
  %a = lathe.add %x, %x {arena_offsets = array<i64: -64>} : tensor<1x16xf32>
  return
}

// -----

func.func @misses_offsets(%x: tensor<1x16xf32>) attributes {lathe.arena_bytes = 64 : i64} {
  // expected-error@+1 {{has no arena_offsets with one entry a result; lathe-plan-buffers sets them}}
  %a = lathe.add %x, %x : tensor<1x16xf32>
  return
}

// -----

func.func @misses_a_place_for_scratch(%x: tensor<1x16xf32>) attributes {lathe.arena_bytes = 64 : i64} {
  // expected-error@+1 {{has no scratch_offset; lathe-plan-buffers sets it}}
  %a = lathe.add %x, %x {arena_offsets = array<i64: 0>, scratch_bytes = 8 : i64} : tensor<1x16xf32>
  return
}

// -----

!kv = !lathe.kv_cache<slots = 1, max_context = 3, kv_heads = 1, key_dim = 4, value_dim = 4, element = f32>
// expected-error@+1 {{the caches of arguments 0 and 1 overlap in the state}}
func.func @sees_caches_on_each_other(%a: !kv {lathe.state_offset = 0 : i64}, %b: !kv {lathe.state_offset = 64 : i64}) attributes {lathe.state_bytes = 256 : i64} {
  return
}

// -----

!kv = !lathe.kv_cache<slots = 1, max_context = 3, kv_heads = 1, key_dim = 4, value_dim = 4, element = f32>
// expected-error@+1 {{the cache of argument 0 has bytes 0 to 96 of the state; they should begin at a multiple of 64 and end within lathe.state_bytes}}
func.func @sees_a_cache_beyond_the_end(%a: !kv {lathe.state_offset = 0 : i64}) attributes {lathe.state_bytes = 64 : i64} {
  return
}

// -----

!kv = !lathe.kv_cache<slots = 1, max_context = 3, kv_heads = 1, key_dim = 4, value_dim = 4, element = f32>
// expected-error@+1 {{the cache of argument 0 has no lathe.state_offset; lathe-plan-state sets it}}
func.func @misses_a_place_for_a_cache(%a: !kv) attributes {lathe.state_bytes = 128 : i64} {
  return
}

// -----

!kv = !lathe.kv_cache<slots = 1, max_context = 3, kv_heads = 1, key_dim = 4, value_dim = 4, element = f32>
func.func @decode(%a: !kv {lathe.state_offset = 0 : i64}) attributes {lathe.state_bytes = 256 : i64} {
  return
}
// expected-error@+1 {{has its caches elsewhere than @decode; all run on one state}}
func.func @prefill(%a: !kv {lathe.state_offset = 64 : i64}) attributes {lathe.state_bytes = 256 : i64} {
  return
}
