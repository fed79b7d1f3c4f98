// Copies: bursts, layouts, gathers.
#include "sim/core.h"
#include "sim/numerics.h"

#include <cstring>

namespace npu {
namespace {

// Base of an operand. Footprints were validated, so all that is reached from it is there.
std::byte *at(Core &core, const Issued &issued, unsigned operand) {
  return core.bytesAt(issued.info->operands[operand].space,
                      static_cast<uint64_t>(issued.v[operand]));
}

struct BurstPlan {
  int64_t n, bytes, from, to, padded;
};

BurstPlan burstPlan(const Issued &issued) {
  if (issued.info->operands.size() == 3)
    return {1, issued.v[2], 0, 0, issued.v[2]};
  bool store = issued.form() == Form::Store;
  int64_t bytes = issued.v[3], block = roundUp(bytes, 32);
  return {issued.v[2], bytes,
          issued.v[4] ? issued.v[4]
          : store     ? block
                      : bytes,
          issued.v[5] ? issued.v[5]
          : store     ? bytes
                      : block,
          issued.flag("pad") ? block : bytes};
}

void bursts(Core &core, const Issued &issued) {
  BurstPlan plan = burstPlan(issued);
  std::byte *target = at(core, issued, 0);
  const std::byte *source = at(core, issued, 1);
  for (int64_t i = 0; i < plan.n; ++i, target += plan.to, source += plan.from) {
    std::memmove(target, source, plan.bytes);
    std::memset(target + plan.bytes, 0, plan.padded - plan.bytes);
  }
}

void combine(DType type, Atomic how, std::byte *target, const std::byte *source) {
  if (type == DType::I32) {
    int32_t a, b;
    std::memcpy(&a, target, 4);
    std::memcpy(&b, source, 4);
    a = how == Atomic::Max ? std::max(a, b) : static_cast<int32_t>(uint32_t(a) + uint32_t(b));
    std::memcpy(target, &a, 4);
    return;
  }
  float a, b;
  toF32(type, target, &a, 1);
  toF32(type, source, &b, 1);
  a = how == Atomic::Max ? (a < b ? b : a) : a + b;
  fromF32(type, &a, target, 1, Round::Rint, false);
}

void store(Core &core, const Issued &issued) {
  Atomic how = static_cast<Atomic>(issued.v[6]);
  if (how == Atomic::None)
    return bursts(core, issued);
  BurstPlan plan = burstPlan(issued);
  int64_t size = bitsOf(issued.in->type) / 8;
  std::byte *target = at(core, issued, 0);
  const std::byte *source = at(core, issued, 1);
  for (int64_t i = 0; i < plan.n; ++i, target += plan.to, source += plan.from)
    for (int64_t j = 0; j + size <= plan.bytes; j += size)
      combine(issued.in->type, how, target + j, source + j);
}

void ndToNz(Core &core, const Issued &issued) {
  int64_t rows = issued.v[2], cols = issued.v[3], ld = issued.v[4];
  int64_t pitch = issued.v[5] ? issued.v[5] : roundUp(rows, 16);
  int64_t row = static_cast<int64_t>(bytesOf(issued.in->type, cols));
  std::byte *target = at(core, issued, 0);
  const std::byte *source = at(core, issued, 1);
  for (int64_t begin = 0; begin < row; begin += 32, target += pitch * 32) {
    int64_t width = std::min<int64_t>(32, row - begin);
    for (int64_t r = 0; r < rows; ++r) {
      std::memcpy(target + r * 32, source + r * ld + begin, width);
      std::memset(target + r * 32 + width, 0, 32 - width);
    }
  }
}

void gather(Core &core, const Issued &issued) {
  const auto &v = issued.v;
  int64_t bytes = v[4], step = v[7] ? v[7] : roundUp(bytes, 32);
  std::byte *target = at(core, issued, 0);
  for (int64_t i = 0; i < v[3]; ++i, target += step) {
    int64_t row = core.indexAt(static_cast<uint64_t>(v[2] + i * 4));
    std::memcpy(target, core.bytesAt(Space::GM, static_cast<uint64_t>(v[1] + row * v[5])), bytes);
    std::memset(target + bytes, 0, roundUp(bytes, 32) - bytes);
  }
}

void scatter(Core &core, const Issued &issued) {
  const auto &v = issued.v;
  int64_t bytes = v[4], step = v[7] ? v[7] : roundUp(bytes, 32);
  const std::byte *source = at(core, issued, 1);
  for (int64_t i = 0; i < v[3]; ++i, source += step) {
    int64_t row = core.indexAt(static_cast<uint64_t>(v[2] + i * 4));
    std::memcpy(core.bytesAt(Space::GM, static_cast<uint64_t>(v[0] + row * v[5])), source, bytes);
  }
}

// The place of row r, column block c in the fractals of L0A or L0B.
int64_t fractalPlace(Layout layout, int64_t rows16, int64_t blocks, int64_t r, int64_t c) {
  return layout == Layout::Zz ? (r / 16 * blocks + c) * 512 + r % 16 * 32 : (c * rows16 + r) * 32;
}

// nZ of K x N and zN of N x K are the same bytes, so L0B is zN seen from n.
Layout layoutOf(const Core &core, Space space) {
  Layout layout = core.launch.device.spec(space).layout;
  return layout == Layout::Nz ? Layout::Zn : layout;
}

void copyFractals(std::byte *target, const std::byte *source, Layout layout, int64_t outer,
                  int64_t blocks, int64_t pitch) {
  int64_t rows16 = roundUp(outer, 16);
  for (int64_t c = 0; c < blocks; ++c)
    for (int64_t r = 0; r < rows16; r += 16) {
      std::byte *to = target + fractalPlace(layout, rows16, blocks, r, c);
      int64_t rows = std::min<int64_t>(16, outer - r);
      std::memcpy(to, source + (c * pitch + r) * 32, rows * 32);
      std::memset(to + rows * 32, 0, (16 - rows) * 32);
    }
}

void transposeFractals(std::byte *target, const std::byte *source, Layout layout, int64_t outer,
                       int64_t k, int64_t pitch, DType type) {
  int64_t size = bitsOf(type) / 8, lanes = elementsPerBlock(type);
  int64_t rows16 = roundUp(outer, 16), blocks = ceilDiv(k, lanes);
  std::memset(target, 0, rows16 * blocks * 32);
  for (int64_t r = 0; r < outer; ++r)
    for (int64_t j = 0; j < k; ++j)
      std::memcpy(target + fractalPlace(layout, rows16, blocks, r, j / lanes) + j % lanes * size,
                  source + (r / lanes * pitch + j) * 32 + r % lanes * size, size);
}

// Devices without fractals: the source is rows, `pitch` bytes apart.
void loadRows(std::byte *target, const std::byte *source, Layout layout, int64_t outer, int64_t k,
              int64_t pitch, DType type, bool transposed) {
  int64_t size = bitsOf(type) / 8;
  for (int64_t r = 0; r < outer; ++r)
    for (int64_t j = 0; j < k; ++j) {
      int64_t to = layout == Layout::Lt ? (r / 64 * k + j) * 64 + r % 64 : r * k + j;
      const std::byte *from = source + (transposed ? j * pitch + r * size : r * pitch + j * size);
      std::memcpy(target + to * size, from, size);
    }
}

void loadFractals(Core &core, const Issued &issued, bool isA) {
  int64_t outer = issued.v[isA ? 2 : 3], k = issued.v[isA ? 3 : 2], pitch = issued.v[4];
  DType type = issued.in->type;
  Layout layout = layoutOf(core, issued.info->operands[0].space);
  bool transposed = issued.in->flags & 1;
  std::byte *target = at(core, issued, 0);
  const std::byte *source = at(core, issued, 1);
  if (layout == Layout::Rows || layout == Layout::Lt)
    loadRows(target, source, layout, outer, k, pitch, type, transposed);
  else if (transposed)
    transposeFractals(target, source, layout, outer, k, pitch, type);
  else
    copyFractals(target, source, layout, outer, ceilDiv(k, elementsPerBlock(type)), pitch);
}

void loadScale(Core &core, const Issued &issued) {
  std::byte *target = at(core, issued, 0);
  const std::byte *source = at(core, issued, 1);
  for (int64_t r = 0; r < issued.v[2]; ++r)
    std::memcpy(target + r * issued.v[3], source + r * issued.v[4], issued.v[3]);
}

} // namespace

void executeTransfer(Core &core, const Issued &issued) {
  switch (issued.form()) {
  case Form::Bursts: return bursts(core, issued);
  case Form::Store: return store(core, issued);
  case Form::NdToNz: return ndToNz(core, issued);
  case Form::Gather: return gather(core, issued);
  case Form::Scatter: return scatter(core, issued);
  case Form::LoadA: return loadFractals(core, issued, true);
  case Form::LoadB: return loadFractals(core, issued, false);
  default: return loadScale(core, issued);
  }
}

} // namespace npu
