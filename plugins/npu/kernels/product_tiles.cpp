// How a product is cut for the memories of a device.
#include "kernels/kernels.h"

namespace npu::kernels {
namespace {

uint64_t floor_to(uint64_t a, uint64_t unit) { return a / unit * unit; }

} // namespace

// Two buffers in each memory. Tiles of k are 128 bytes; n is cut so that all cores have some, as
// far as tiles of 16 allow.
Result<ProductTiles> product_tiles(const Device &device, const ProductPlan &plan) {
  uint64_t size = bitsOf(plan.type) / 8;
  uint64_t l0a = device.spec(Space::L0A).bytes, l0b = device.spec(Space::L0B).bytes;
  uint64_t l0c = device.spec(Space::L0C).bytes, l1 = device.spec(Space::L1).bytes;
  if (device.spec(Space::L0A).same != Space::L0A) // one memory in several roles
    l0a = l0c = device.spec(device.spec(Space::L0A).same).bytes / 4;
  ProductTiles tiles;
  tiles.k =
      std::min<uint64_t>(128 / size, floor_to(std::min(l0a, l0b) / (2 * 16 * size), 32 / size));
  uint64_t k = std::min<uint64_t>(tiles.k, round_up(plan.k, 32 / size));
  tiles.k = k;
  tiles.m = std::min({round_up(plan.m, 16), uint64_t{128}, floor_to(l0a / (2 * k * size), 16),
                      floor_to(l0c / (2 * 16 * 4), 16)});
  uint64_t even = round_up(ceil_div(plan.n * plan.groups, cores_of(device, CoreKind::Aic)), 16);
  tiles.n = std::min({even, round_up(plan.n, 16), uint64_t{256}, floor_to(l0b / (2 * k * size), 16),
                      floor_to(l0c / (2 * tiles.m * 4), 16)});
  if (!tiles.m || !tiles.n || !tiles.k)
    return error("a product of ", name(plan.type), " does not fit the cube's memories");
  uint64_t step = 2 * (plan.parts * tiles.m + tiles.n) * k * size;
  tiles.steps = std::min({uint64_t{8}, ceil_div(plan.k, k), l1 * 9 / 10 / step});
  if (!tiles.steps)
    return error("a tile of ", tiles.m, " + ", tiles.n, " rows of ", k, " does not fit L1");
  return tiles;
}

uint64_t product_items(const ProductPlan &plan, const ProductTiles &tiles) {
  uint64_t outer = plan.form == ProductForm::Experts   ? plan.experts
                   : plan.form == ProductForm::Weights ? 1
                                                       : plan.tokens;
  return outer * plan.groups * ceil_div(plan.n, tiles.n);
}

} // namespace npu::kernels
