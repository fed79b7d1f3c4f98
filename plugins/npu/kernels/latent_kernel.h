// What the two kernels of latent attention have in common. An item is a token, a tile of its heads
// and a part of its keys. A cube core gives scores, its vector cores exponents of them relative to
// the largest score so far, the cube core their products with the latents, of which the vector
// cores keep the sum.
//
// What is handed over lies in global memory twice, for odd and even steps, and each handing over is
// a cross-core flag. A buffer is written again two steps later: by then the flags in between have
// told that it was read.
#pragma once

#include "kernels/latent_decode.h"

namespace npu::kernels {

inline constexpr uint64_t latent_narrow_heads = 32; // most, of the narrow kernel
inline constexpr unsigned latent_chunk_slots = 5;   // in L1, of the wide one

class LatentKernel {
protected:
  LatentKernel(const Device &device, const LatentDecodePlan &plan, const LatentTiles &tiles,
               unsigned blocks, std::string name);

  // Scores, exponents, sums are there.
  static constexpr unsigned flag_s = 0, flag_p = 1, flag_o = 2;

  // What both kinds of core know of an item.
  struct Item {
    Reg token, head, heads, split, begin, keys, blocks; // keys: from `begin` on
    Reg s, p, o;                                        // where steps are handed over; see turn()
  };

  uint64_t block_bytes() const { return t.keys * dim * 2; }
  void each_item(CoreBuilder &b, const std::function<void(const Item &)> &body);
  // The one of two buffers that step i has.
  Operand turn(CoreBuilder &b, Operand base, Operand i, uint64_t bytes) {
    return b.add(base, b.mul(b.rem(i, 2), bytes));
  }

  // ---- The cube core
  Operand first_latent(CoreBuilder &b, const Item &item);

  // ---- The vector cores, each with a part of an item's heads: `mine`, from `first` on

  uint64_t share() const { return t.heads / device.perGroup(CoreKind::Aiv); }
  void allocate_sums(CoreBuilder &b);
  void each_vector_item(CoreBuilder &b,
                        const std::function<void(const Item &, Reg first, Reg mine)> &body);
  // top and sum follow a step's largest scores, which are in `part` and go to `top`.
  void correct_sum(CoreBuilder &b, Operand mine);
  // Some columns of what an item gives, which nothing is added to after this: sum_o over sum, or,
  // of a split, sum_o as it is. `column` is in bytes.
  void store_sum(CoreBuilder &b, const Item &item, Operand first, Operand mine, Operand column,
                 Operand columns);

  const Device &device;
  const LatentDecodePlan &plan;
  const LatentTiles t;
  KernelBuilder kernel;
  const uint64_t dim, s_bytes, p_bytes, o_bytes;
  unsigned q, cache, out, work, slots, positions, rows, stats = 0;
  Buffer sum_o, spread, top, sum, part, factor, factor_before; // a number a head; spread: a block

private:
  uint64_t head_tiles() const { return ceil_div(plan.heads, t.heads); }
  void find(CoreBuilder &b, const Item &item, Reg number);
  void store_numbers(CoreBuilder &b, const Item &item, Reg first, Reg mine);
};

// Few heads at once, whose sums leave the cube after each block of keys.
Result<Kernel> latent_decode_narrow(const Device &device, const LatentDecodePlan &plan,
                                    const LatentTiles &tiles, unsigned blocks);
// More heads at once, whose sums stay in the cube over several blocks.
Result<Kernel> latent_decode_wide(const Device &device, const LatentDecodePlan &plan,
                                  const LatentTiles &tiles, unsigned blocks);

} // namespace npu::kernels
