// Latent attention in one launch: a cube core and its vector cores hand blocks of keys to each
// other. Each latent is read from memory once and serves as key and as value. There are two
// kernels, for few heads and for many.
#pragma once

#include "kernels/core.h"

namespace npu::kernels {

// The cache has, for each slot, blocks of `keys` latents in zN: a block is read in one piece.
struct LatentDecodePlan {
  uint64_t heads = 0, c = 0, r = 0, max_context = 0, slots = 1;
  float scale = 1;
  uint64_t splits = 1; // parts of a token's keys that go to different cores
  uint64_t tokens = 1; // at once, most: what the kernel is chosen by
};

struct LatentTiles {
  uint64_t heads = 16, keys = 16; // at once; heads are rounded up to 16
  uint64_t k = 16, n = 16;        // of the cube: columns of latents in a tile of scores, of values
  uint64_t run = 1;               // blocks of keys whose sums leave the cube together
  uint64_t rows = 0;              // of the wide kernel: heads that a vector core works on at once
  bool wide = false;
  uint64_t work_bytes = 0; // of global memory, a block of the launch

  // A step's, of what is handed over there.
  uint64_t scores_bytes() const;
  uint64_t exponents_bytes() const;
  uint64_t sums_bytes(const LatentDecodePlan &plan) const;
};

// nullopt: the device has no vector cores beside its cube cores, or its memories are too small.
// `keys`, and so the cache, is the same for any number of tokens.
std::optional<LatentTiles> latent_tiles(const Device &device, const LatentDecodePlan &plan);

// Few conversations leave cores without work, unless the keys of each go to several. A split has
// two blocks or more of a full context, so that loading one goes on while another is computed with.
uint64_t latent_splits(const Device &device, const LatentDecodePlan &plan,
                       const LatentTiles &tiles);

// Bytes of a slot of the cache.
uint64_t latent_slot_bytes(const LatentDecodePlan &plan, const LatentTiles &tiles);

// Arguments q (f16 [T, heads * (c + r)]), cache, out (f32 [T, heads * c]), work, slots, positions,
// rows. `blocks` is of the launch, for the size of work. With splits `out` holds a sum for each,
// [T, splits, heads, c], and one more argument at the end, `stats`, what latent_merge needs of
// them: [T, heads, 2, splits], the largest score and the sum of exponents.
Result<Kernel> latent_decode(const Device &device, const LatentDecodePlan &plan, unsigned blocks);

// The splits of each token together. Arguments sums, stats, out (f32 [T, heads * c]), rows.
Result<Kernel> latent_merge(const Device &device, const LatentDecodePlan &plan);

} // namespace npu::kernels
