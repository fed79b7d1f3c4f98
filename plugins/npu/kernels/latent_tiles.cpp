// How latent attention is cut for the memories of a device, and which kernel it takes.
#include "kernels/latent_kernel.h"

namespace npu::kernels {
namespace {

struct Room {
  uint64_t l1, l0a, l0b, l0c, ub;
};

// What each of the kernels allocates.
Room room_for_narrow(const LatentDecodePlan &plan, const LatentTiles &t, uint64_t share) {
  uint64_t dim = plan.c + plan.r;
  return {.l1 = t.heads * dim * 2 + 3 * t.keys * dim * 2 + 2 * t.heads * t.keys * 2,
          .l0a = t.heads * dim * 2 + 2 * t.heads * t.keys * 2,
          .l0b = 2 * t.keys * std::max(t.k, t.n) * 2,
          .l0c = t.heads * t.keys * 4 + 2 * t.heads * t.n * 4,
          .ub = share * (t.keys * 16 + plan.c * 12 + 32) + 8 * round_up(share * 4, 32)};
}

Room room_for_wide(const LatentDecodePlan &plan, const LatentTiles &t, uint64_t share) {
  uint64_t dim = plan.c + plan.r, longest = std::max(t.keys, t.n);
  uint64_t chunk = t.keys * t.n * 2;
  return {.l1 = t.heads * dim * 2 + latent_chunk_slots * chunk +
                2 * ceil_div(t.run, 2) * t.heads * t.keys * 2,
          .l0a = 2 * t.heads * longest * 2,
          .l0b = 2 * chunk,
          .l0c = t.heads * (t.keys + t.n) * 4,
          .ub = t.rows * (2 * longest * 4 + 3 * t.keys * 2) + t.keys * 4 + 32 +
                share * (plan.c * 4 + 32) + 8 * round_up(share * 4, 32)};
}

bool has_room(const Device &device, const Room &room) {
  return room.l1 <= device.spec(Space::L1).bytes && room.l0a <= device.spec(Space::L0A).bytes &&
         room.l0b <= device.spec(Space::L0B).bytes && room.l0c <= device.spec(Space::L0C).bytes &&
         room.ub <= device.spec(Space::UB).bytes;
}

// The wide kernel asks for chunks a step before it uses them: a wait, a load, a flag each, and
// seven for a run's exponents. Those that have no slot yet stay in the queue, which would wait for
// itself if they were more than it holds.
bool has_queue(const Device &device, const LatentDecodePlan &plan, const LatentTiles &t) {
  uint64_t step = ceil_div(plan.c + plan.r, t.n) + ceil_div(plan.c, t.n);
  return 3 * (step + 1) + 7 <= device.queueDepth + 3 * latent_chunk_slots;
}

LatentTiles with_work(const LatentDecodePlan &plan, LatentTiles t) {
  t.work_bytes = 2 * (t.scores_bytes() + t.exponents_bytes() + t.sums_bytes(plan));
  return t;
}

std::optional<LatentTiles> narrow_tiles(const Device &device, const LatentDecodePlan &plan) {
  uint64_t dim = plan.c + plan.r, vectors = device.perGroup(CoreKind::Aiv);
  for (uint64_t keys : {128, 64, 32, 16})
    for (uint64_t heads = std::min(round_up(plan.heads, 16), latent_narrow_heads); heads >= 16;
         heads -= 16)
      for (uint64_t tile : {128, 64, 32, 16}) {
        LatentTiles t{
            .heads = heads, .keys = keys, .k = std::min(tile, dim), .n = std::min(tile, plan.c)};
        if (has_room(device, room_for_narrow(plan, t, heads / vectors)))
          return with_work(plan, t);
      }
  return std::nullopt;
}

// Sums stay in the cube for four blocks or more, by when they are a small part of what leaves it.
uint64_t run_of(uint64_t tiles) { return tiles * ceil_div(4, tiles); }

// All heads at once, or an even part of them, of more than the narrow kernel takes.
std::optional<LatentTiles> wide_tiles(const Device &device, const LatentDecodePlan &plan,
                                      uint64_t keys) {
  uint64_t vectors = device.perGroup(CoreKind::Aiv);
  for (uint64_t parts = ceil_div(plan.heads, 128);; ++parts) {
    uint64_t heads = round_up(ceil_div(plan.heads, parts), 16);
    if (heads <= latent_narrow_heads)
      return std::nullopt;
    for (uint64_t tile : {128, 64, 32, 16})
      for (uint64_t rows : {heads / vectors, uint64_t{32}, uint64_t{16}, uint64_t{8}}) {
        LatentTiles t{.heads = heads,
                      .keys = keys,
                      .k = tile,
                      .n = tile,
                      .run = run_of(ceil_div(plan.c, tile)),
                      .rows = std::min(rows, heads / vectors),
                      .wide = true};
        if (has_queue(device, plan, t) && has_room(device, room_for_wide(plan, t, heads / vectors)))
          return with_work(plan, t);
      }
  }
}

// A core that has less to do is done before the wide kernel's stages are all at work.
bool fills_a_run(const Device &device, const LatentDecodePlan &plan, const LatentTiles &t) {
  return ceil_div(plan.max_context, t.keys) >= latent_splits(device, plan, t) * t.run;
}

} // namespace

uint64_t latent_splits(const Device &device, const LatentDecodePlan &plan,
                       const LatentTiles &tiles) {
  uint64_t items = plan.tokens * ceil_div(plan.heads, tiles.heads);
  uint64_t blocks = ceil_div(plan.max_context, tiles.keys);
  return std::max<uint64_t>(1, std::min(device.groups / items, blocks / 2));
}

uint64_t LatentTiles::scores_bytes() const { return round_up(run * heads * keys * 4, 512); }
uint64_t LatentTiles::exponents_bytes() const { return round_up(run * heads * keys * 2, 512); }
uint64_t LatentTiles::sums_bytes(const LatentDecodePlan &plan) const {
  return round_up(heads * plan.c * 4, 512);
}

std::optional<LatentTiles> latent_tiles(const Device &device, const LatentDecodePlan &plan) {
  uint64_t vectors = device.perGroup(CoreKind::Aiv);
  bool split = device.perGroup(CoreKind::Aic) == 1 && vectors > 0 && vectors <= 2 &&
               has_flags(device) && device.sync.crossFlags >= 3;
  if (!split || plan.c % 16 || (plan.c + plan.r) % 16)
    return std::nullopt;
  std::optional<LatentTiles> narrow = narrow_tiles(device, plan);
  if (!narrow)
    return std::nullopt;
  std::optional<LatentTiles> wide = wide_tiles(device, plan, narrow->keys);
  return wide && fills_a_run(device, plan, *wide) ? wide : narrow;
}

uint64_t latent_slot_bytes(const LatentDecodePlan &plan, const LatentTiles &tiles) {
  return round_up(plan.max_context, tiles.keys) * (plan.c + plan.r) * 2;
}

Result<Kernel> latent_decode(const Device &device, const LatentDecodePlan &plan, unsigned blocks) {
  std::optional<LatentTiles> tiles = latent_tiles(device, plan);
  if (!tiles)
    return error("latents of ", plan.c, " + ", plan.r, " do not fit ", device.name, "'s memories");
  return tiles->wide ? latent_decode_wide(device, plan, *tiles, blocks)
                     : latent_decode_narrow(device, plan, *tiles, blocks);
}

} // namespace npu::kernels
