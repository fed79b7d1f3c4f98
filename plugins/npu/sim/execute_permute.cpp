// The vector unit where elements change places: gathers, masks, sorting, counting.
#include "sim/core.h"
#include "sim/numerics.h"

#include <algorithm>
#include <cstring>

namespace npu {
namespace {

struct Operands {
  Core &core;
  const Issued &issued;
  int64_t size; // bytes of an element
  std::byte *at(unsigned operand) const {
    return core.bytesAt(issued.info->operands[operand].space,
                        static_cast<uint64_t>(issued.v[operand]));
  }
  int64_t value(unsigned operand) const { return issued.v[operand]; }
};

int32_t int32At(const std::byte *base, int64_t i) {
  int32_t value;
  std::memcpy(&value, base + i * 4, 4);
  return value;
}

void gather(const Operands &o) {
  for (int64_t i = 0; i < o.value(3); ++i)
    std::memcpy(o.at(0) + i * o.size, o.at(1) + int32At(o.at(2), i), o.size);
}

void scatter(const Operands &o) {
  for (int64_t i = 0; i < o.value(3); ++i)
    std::memcpy(o.at(0) + int32At(o.at(2), i), o.at(1) + i * o.size, o.size);
}

// What is left of the n elements is zero.
void compress(const Operands &o) {
  int32_t count = 0;
  for (int64_t i = 0; i < o.value(4); ++i)
    if (static_cast<unsigned>(o.at(2)[i / 8]) >> (i % 8) & 1)
      std::memcpy(o.at(0) + count++ * o.size, o.at(1) + i * o.size, o.size);
  std::memset(o.at(0) + count * o.size, 0, (o.value(4) - count) * o.size);
  std::memcpy(o.at(3), &count, 4);
}

void interleave(const Operands &o) {
  for (int64_t i = 0; i < o.value(3); ++i) {
    std::memcpy(o.at(0) + 2 * i * o.size, o.at(1) + i * o.size, o.size);
    std::memcpy(o.at(0) + (2 * i + 1) * o.size, o.at(2) + i * o.size, o.size);
  }
}

void deinterleave(const Operands &o) {
  for (int64_t i = 0; i < o.value(3); ++i) {
    std::memcpy(o.at(0) + i * o.size, o.at(2) + 2 * i * o.size, o.size);
    std::memcpy(o.at(1) + i * o.size, o.at(2) + (2 * i + 1) * o.size, o.size);
  }
}

struct Pair {
  float score;
  int32_t index;
};

// Highest score first, equal ones by index. Bits decide where numbers cannot (NaN comes first), so
// that this is an order in any case.
bool before(const Pair &a, const Pair &b) {
  auto key = [](float score) {
    uint32_t bits = std::bit_cast<uint32_t>(score == 0 ? 0.0f : score);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
  };
  uint32_t x = key(a.score), y = key(b.score);
  return x != y ? x > y : a.index < b.index;
}

void sort32(const Operands &o) {
  for (int64_t row = 0; row < o.value(3); ++row) {
    Pair pairs[32];
    for (int64_t i = 0; i < 32; ++i)
      pairs[i] = {std::bit_cast<float>(int32At(o.at(1), row * 32 + i)),
                  int32At(o.at(2), row * 32 + i)};
    std::sort(pairs, pairs + 32, before);
    std::memcpy(o.at(0) + row * 256, pairs, 256);
  }
}

// Lists that are not sorted merge to what heads give, not to something else each time.
void mergeSort(const Operands &o) {
  int64_t lists = o.value(2), length = o.value(3), stride = o.value(4);
  int64_t at[4] = {};
  auto head = [&](int64_t list) {
    Pair pair;
    std::memcpy(&pair, o.at(1) + list * stride + at[list] * 8, 8);
    return pair;
  };
  for (int64_t i = 0; i < lists * length; ++i) {
    int64_t best = -1;
    for (int64_t list = 0; list < lists; ++list)
      if (at[list] < length && (best < 0 || before(head(list), head(best))))
        best = list;
    Pair pair = head(best);
    ++at[best];
    std::memcpy(o.at(0) + i * 8, &pair, 8);
  }
}

void histogram(const Operands &o) {
  int64_t bins = o.value(3);
  std::memset(o.at(0), 0, bins * 4);
  for (int64_t i = 0; i < o.value(2); ++i)
    if (int32_t bin = int32At(o.at(1), i); bin >= 0 && bin < bins) {
      int32_t count = int32At(o.at(0), bin) + 1;
      std::memcpy(o.at(0) + bin * 4, &count, 4);
    }
}

void broadcastBlocks(const Operands &o) {
  for (int64_t i = 0; i < o.value(2); ++i)
    for (int64_t at = 0; at < 32; at += o.size)
      std::memcpy(o.at(0) + i * 32 + at, o.at(1) + i * o.size, o.size);
}

void iota(const Operands &o) {
  for (int64_t i = 0; i < o.value(3); ++i) {
    uint32_t value = static_cast<uint32_t>(o.value(1)) +
                     static_cast<uint32_t>(i) * static_cast<uint32_t>(o.value(2));
    std::memcpy(o.at(0) + i * 4, &value, 4);
  }
}

} // namespace

void executePermute(Core &core, const Issued &issued) {
  Operands o{core, issued, bitsOf(issued.in->type) / 8};
  switch (issued.form()) {
  case Form::GatherLocal: return gather(o);
  case Form::ScatterLocal: return scatter(o);
  case Form::Compress: return compress(o);
  case Form::Interleave: return interleave(o);
  case Form::Deinterleave: return deinterleave(o);
  case Form::Sort32: return sort32(o);
  case Form::MergeSort: return mergeSort(o);
  case Form::Histogram: return histogram(o);
  case Form::BroadcastBlock: return broadcastBlocks(o);
  default: return iota(o);
  }
}

} // namespace npu
