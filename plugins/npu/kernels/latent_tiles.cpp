#include "kernels/latent_decode.h"

namespace npu::kernels {
namespace {

struct Room {
  uint64_t l1, l0a, l0b, l0c, ub;
};

// What latent_decode allocates.
Room room_for(const LatentDecodePlan &plan, const LatentTiles &t) {
  uint64_t dim = plan.c + plan.r, half = t.heads / 2;
  return {.l1 = t.heads * dim * 2 + 3 * t.keys * dim * 2 + 2 * t.heads * t.keys * 2,
          .l0a = t.heads * dim * 2 + 2 * t.heads * t.keys * 2,
          .l0b = 2 * t.keys * std::max(t.k, t.n) * 2,
          .l0c = t.heads * t.keys * 4 + 2 * t.heads * t.n * 4,
          .ub = half * (t.keys * 16 + plan.c * 12 + 32) + 8 * round_up(half * 4, 32)};
}

bool has_room(const Device &device, const Room &room) {
  return room.l1 <= device.spec(Space::L1).bytes && room.l0a <= device.spec(Space::L0A).bytes &&
         room.l0b <= device.spec(Space::L0B).bytes && room.l0c <= device.spec(Space::L0C).bytes &&
         room.ub <= device.spec(Space::UB).bytes;
}

} // namespace

std::optional<LatentTiles> latent_tiles(const Device &device, const LatentDecodePlan &plan) {
  uint64_t dim = plan.c + plan.r;
  bool split = device.perGroup(CoreKind::Aic) == 1 && device.perGroup(CoreKind::Aiv) > 0 &&
               has_flags(device) && device.sync.crossFlags >= 3;
  if (!split || device.perGroup(CoreKind::Aiv) > 2 || plan.c % 16 || dim % 16)
    return std::nullopt;
  for (uint64_t keys : {128, 64, 32, 16})
    for (uint64_t heads = std::min<uint64_t>(round_up(plan.heads, 16), 32); heads >= 16;
         heads -= 16)
      for (uint64_t tile : {128, 64, 32, 16}) {
        LatentTiles t{heads, keys, std::min(tile, dim), std::min(tile, plan.c), 0};
        t.work_bytes = 2 * (round_up(heads * keys * 4, 512) + round_up(heads * keys * 2, 512) +
                            round_up(heads * plan.c * 4, 512));
        if (has_room(device, room_for(plan, t)))
          return t;
      }
  return std::nullopt;
}

uint64_t latent_slot_bytes(const LatentDecodePlan &plan, const LatentTiles &tiles) {
  return round_up(plan.max_context, tiles.keys) * (plan.c + plan.r) * 2;
}

} // namespace npu::kernels
