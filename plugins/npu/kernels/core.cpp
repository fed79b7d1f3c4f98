#include "kernels/core.h"

namespace npu::kernels {

CoreKind vector_kind(const Device &device) {
  return device.perGroup(CoreKind::Aiv) ? CoreKind::Aiv : CoreKind::Aic;
}

CoreBuilder &vector_core(KernelBuilder &kernel) {
  return vector_kind(kernel.device) == CoreKind::Aiv ? kernel.aiv() : kernel.aic();
}

unsigned cores_of(const Device &device, CoreKind kind) {
  return device.groups * device.perGroup(kind);
}

bool has_flags(const Device &device) { return device.sync.eventsPerPair > 0; }

void order(const Device &device, CoreBuilder &b, Pipe source, Pipe target) {
  if (has_flags(device))
    b.sync(source, target);
  else
    b.barrierAll();
}

Ring::Ring(const Device &device, CoreBuilder &b, Space space, uint64_t bytes, Pipe producer,
           Pipe consumer, std::string_view name, unsigned slots)
    : b(b) {
  if (has_flags(device))
    channel = std::make_unique<Channel>(b, space, bytes, producer, consumer, slots, name);
  else
    single = b.allocate(space, bytes, name);
}

Operand Ring::produce() {
  if (channel)
    return channel->produce();
  b.barrierAll();
  return single;
}

void Ring::filled() {
  if (channel)
    channel->filled();
}

Operand Ring::consume() {
  if (channel)
    return channel->consume();
  b.barrierAll();
  return single;
}

void Ring::release() {
  if (channel)
    channel->release();
}

void Ring::close() {
  if (channel)
    channel->close();
}

void share_out(CoreBuilder &b, Operand count, const std::function<void(Reg)> &body) {
  b.scope([&] {
    Operand subs = b.id(Id::Subs);
    Operand first = b.add(b.mul(b.id(Id::Block), subs), b.id(Id::Sub));
    Operand step = b.mul(b.id(Id::Blocks), subs);
    b.loop(first, count, step, body);
  });
}

RoundToBf16::RoundToBf16(CoreBuilder &b)
    : b(b), one(b.allocate(Space::UB, 64, "one")), upper(b.allocate(Space::UB, 64, "upper")) {
  b.fill(i32, one, 1, {.cols = 8});
  b.fill(i32, upper, -0x10000, {.cols = 8});
}

// To nearest, ties to even: half of the last place that stays, less one where that place is even.
void RoundToBf16::apply(Operand to, Operand from, const Tile &tile) {
  Tile inside = tile, blocks = tile;
  inside.lda = blocks.lda = tile.ldd, inside.ldb = tile.lda;
  blocks.ldb = 0;
  b.withScalar(Op::Vshrs, i32, to, from, 16, tile);
  b.binary(Op::Vand, i32, to, to, one, blocks, true);
  b.binary(Op::Vadd, i32, to, to, from, inside);
  b.withScalar(Op::Vadds, i32, to, to, 0x7fff, inside);
  b.binary(Op::Vand, i32, to, to, upper, blocks, true);
}

Operand row_at(CoreBuilder &b, Operand base, Operand row, Operand stride) {
  return b.add(base, b.mul(row, stride));
}

} // namespace npu::kernels
