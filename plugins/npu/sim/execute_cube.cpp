// The cube and the way out of it.
//
// A sum goes up in k, one product at a time: c = c + a * b with the product rounded to f32 (it is
// exact for types of 16 bits and fewer) and the sum rounded to f32. The order of the chip is not
// public; this one is easy to repeat anywhere. Integers add modulo 2^32. With block scales, a
// partial sum of 32 k is made in the same way from 0, and c = c + partial * (scale a * scale b).
#include "sim/core.h"
#include "sim/numerics.h"

#include <cmath>
#include <cstring>

namespace npu {
namespace {

constexpr int64_t lanes = 16; // n is worked on in blocks of a fractal's width

// Reused by all instructions of a host thread.
struct Scratch {
  std::vector<float> a, b, c, block;
  std::vector<int32_t> ia, ib;
};
thread_local Scratch scratch;

struct Operands {
  const std::byte *a, *b, *bias;
  std::byte *c;
  Layout layoutA, layoutB;
  bool rowsC;
  Product p;
  bool accumulate, withBias;
};

Operands operandsOf(Core &core, const Issued &issued) {
  auto at = [&](unsigned i) {
    return core.bytesAt(issued.info->operands[i].space, static_cast<uint64_t>(issued.v[i]));
  };
  const Device &device = core.launch.device;
  bool plain = issued.form() == Form::Mmad;
  bool withBias = plain && issued.flag("bias");
  return {at(1),
          at(2),
          withBias ? at(6) : nullptr,
          at(0),
          device.spec(Space::L0A).layout,
          device.spec(Space::L0B).layout,
          device.spec(Space::L0C).layout == Layout::Rows,
          product(issued),
          issued.flag("acc"),
          withBias};
}

// Where k elements of row r begin, block by block of 32 bytes.
const std::byte *blockOfA(const Operands &o, int64_t r, int64_t block) {
  if (o.layoutA == Layout::Rows)
    return o.a + r * static_cast<int64_t>(bytesOf(o.p.a, o.p.k)) + block * 32;
  return o.a + (o.layoutA == Layout::Zz ? (r / 16 * o.p.blocksA() + block) * 512 + r % 16 * 32
                                        : (block * o.p.rows16() + r) * 32);
}

// A as [m][k].
void unpackA(const Operands &o, std::vector<float> &a) {
  int64_t step = elementsPerBlock(o.p.a);
  a.resize(o.p.m * o.p.k);
  for (int64_t r = 0; r < o.p.m; ++r)
    for (int64_t k = 0; k < o.p.k; k += step)
      toF32(o.p.a, blockOfA(o, r, k / step), &a[r * o.p.k + k], std::min(step, o.p.k - k));
}

// 16 rows of `step` numbers to `width` rows of 16.
void turnBlock(const float *from, int64_t step, int64_t width, float *to) {
  for (int64_t i = 0; i < width; ++i)
    for (int64_t n = 0; n < lanes; ++n)
      to[i * lanes + n] = from[n * step + i];
}

// B as [n / 16][k][16]; what lies beyond n is zero, because loads fill their fractals up.
void unpackB(const Operands &o, std::vector<float> &b) {
  int64_t step = elementsPerBlock(o.p.b), columns = o.p.columns16();
  b.resize(columns * o.p.k);
  std::vector<float> &block = scratch.block;
  if (o.layoutB == Layout::Lt) {
    b.assign(columns * o.p.k, 0.0f);
    int64_t size = bitsOf(o.p.b) / 8;
    for (int64_t n = 0; n < o.p.n; ++n)
      for (int64_t k = 0; k < o.p.k; ++k)
        toF32(o.p.b, o.b + ((n / 64 * o.p.k + k) * 64 + n % 64) * size,
              &b[(n / lanes * o.p.k + k) * lanes + n % lanes], 1);
    return;
  }
  // A column block is one piece of memory: all of it becomes f32 at once, then it is turned.
  block.resize(columns * step);
  for (int64_t k = 0; k < o.p.k; k += step) {
    int64_t width = std::min(step, o.p.k - k);
    toF32(o.p.b, o.b + k / step * columns * 32, block.data(), columns * step);
    for (int64_t n = 0; n < o.p.n; n += lanes)
      turnBlock(&block[n * step], step, width, &b[(n / lanes * o.p.k + k) * lanes]);
  }
}

// A row of 16 results in L0C.
std::byte *tileOfC(const Operands &o, int64_t r, int64_t block) {
  return o.rowsC ? o.c + (r * o.p.n + block * lanes) * 4
                 : o.c + (block * o.p.rows16() + r) * lanes * 4;
}

int64_t widthOfC(const Operands &o, int64_t block) {
  return o.rowsC ? std::min(lanes, o.p.n - block * lanes) : lanes;
}

template <class T> void beginRow(const Operands &o, int64_t r, int64_t block, T *sum) {
  std::memset(sum, 0, lanes * sizeof *sum);
  if (o.accumulate)
    std::memcpy(sum, tileOfC(o, r, block), widthOfC(o, block) * 4);
  else if (o.withBias)
    std::memcpy(sum, o.bias + block * lanes * 4, std::min(lanes, o.p.n - block * lanes) * 4);
}

template <class T> void endRow(const Operands &o, int64_t r, int64_t block, const T *sum) {
  std::memcpy(tileOfC(o, r, block), sum, widthOfC(o, block) * 4);
}

// Rows of C beyond m in the last fractal are zero.
void clearPadding(const Operands &o) {
  if (o.rowsC || o.p.m == o.p.rows16())
    return;
  for (int64_t block = 0; block < o.p.columns16() / lanes; ++block)
    std::memset(tileOfC(o, o.p.m, block), 0, (o.p.rows16() - o.p.m) * lanes * 4);
}

// 16 sums side by side: compilers without wide registers take several narrow ones.
using Lanes = float __attribute__((vector_size(64)));

// The inner loop of everything: 16 sums a row, k products each, in order of k. Rows are `stepA` and
// `stepSum` floats apart; several go together because each sum waits for the one before it.
template <int rows>
void multiplyAddRows(const float *a, int64_t stepA, const float *b, int64_t k, float *sum,
                     int64_t stepSum) {
  Lanes local[rows];
  for (int r = 0; r < rows; ++r)
    std::memcpy(&local[r], sum + r * stepSum, sizeof local[r]);
  for (int64_t i = 0; i < k; ++i) {
    Lanes column;
    std::memcpy(&column, b + i * lanes, sizeof column);
    for (int r = 0; r < rows; ++r)
      local[r] += a[r * stepA + i] * column;
  }
  for (int r = 0; r < rows; ++r)
    std::memcpy(sum + r * stepSum, &local[r], sizeof local[r]);
}

void multiplyAdd(const float *a, const float *b, int64_t k, float *sum) {
  multiplyAddRows<1>(a, 0, b, k, sum, 0);
}

void mmadF32(const Operands &o) {
  unpackA(o, scratch.a);
  unpackB(o, scratch.b);
  for (int64_t block = 0; block < o.p.columns16() / lanes; ++block)
    for (int64_t r = 0; r < o.p.m; r += 2) {
      int64_t rows = std::min<int64_t>(2, o.p.m - r);
      float sum[2 * lanes];
      for (int64_t i = 0; i < rows; ++i)
        beginRow(o, r + i, block, sum + i * lanes);
      const float *a = &scratch.a[r * o.p.k], *b = &scratch.b[block * o.p.k * lanes];
      if (rows == 2)
        multiplyAddRows<2>(a, o.p.k, b, o.p.k, sum, lanes);
      else
        multiplyAdd(a, b, o.p.k, sum);
      for (int64_t i = 0; i < rows; ++i)
        endRow(o, r + i, block, sum + i * lanes);
    }
}

void mmadI32(const Operands &o) {
  unpackA(o, scratch.a);
  unpackB(o, scratch.b);
  scratch.ia.assign(scratch.a.begin(), scratch.a.end());
  scratch.ib.assign(scratch.b.begin(), scratch.b.end());
  for (int64_t block = 0; block < o.p.columns16() / lanes; ++block)
    for (int64_t r = 0; r < o.p.m; ++r) {
      uint32_t sum[lanes];
      beginRow(o, r, block, sum);
      const int32_t *a = &scratch.ia[r * o.p.k], *b = &scratch.ib[block * o.p.k * lanes];
      for (int64_t k = 0; k < o.p.k; ++k)
        for (int64_t n = 0; n < lanes; ++n)
          sum[n] += static_cast<uint32_t>(a[k] * b[k * lanes + n]);
      endRow(o, r, block, sum);
    }
}

// Scales: [m][k / 32] of A, [n][k / 32] of B.
void mmadMx(const Operands &o, const std::byte *scalesA, const std::byte *scalesB) {
  unpackA(o, scratch.a);
  unpackB(o, scratch.b);
  int64_t groups = ceilDiv(o.p.k, 32);
  for (int64_t block = 0; block < o.p.columns16() / lanes; ++block)
    for (int64_t r = 0; r < o.p.m; ++r) {
      float sum[lanes];
      beginRow(o, r, block, sum);
      for (int64_t g = 0; g < groups; ++g) {
        float partial[lanes] = {};
        int64_t k = g * 32;
        multiplyAdd(&scratch.a[r * o.p.k + k], &scratch.b[(block * o.p.k + k) * lanes],
                    std::min<int64_t>(32, o.p.k - k), partial);
        float scaleA = e8m0ToF32(static_cast<uint8_t>(scalesA[r * groups + g]));
        for (int64_t n = 0; n < std::min(lanes, o.p.n - block * lanes); ++n)
          sum[n] +=
              partial[n] *
              (scaleA * e8m0ToF32(static_cast<uint8_t>(scalesB[(block * lanes + n) * groups + g])));
      }
      endRow(o, r, block, sum);
    }
}

// Row r of C, as f32 (i32 sums round to it), scaled and clipped.
void fixRow(const Core &core, const Issued &issued, int64_t r, float *row) {
  int64_t m = issued.v[2], n = issued.v[3], pitch = issued.v[7] ? issued.v[7] : roundUp(m, 16);
  const std::byte *c = core.bytesAt(Space::L0C, static_cast<uint64_t>(issued.v[1]));
  bool rows = core.launch.device.spec(Space::L0C).layout == Layout::Rows;
  for (int64_t j = 0; j < n; j += lanes)
    toF32(issued.in->type, rows ? c + (r * n + j) * 4 : c + (j / lanes * pitch + r) * lanes * 4,
          row + j, std::min(lanes, n - j));
  if (issued.flag("fb")) {
    const std::byte *scales = core.bytesAt(Space::FB, static_cast<uint64_t>(issued.v[6]));
    for (int64_t j = 0; j < n; ++j) {
      float scale;
      std::memcpy(&scale, scales + j * 4, 4);
      row[j] *= scale;
    }
  } else if (float scale = std::bit_cast<float>(static_cast<uint32_t>(issued.v[5]));
             scale != 1.0f) {
    for (int64_t j = 0; j < n; ++j)
      row[j] *= scale;
  }
  if (issued.flag("relu"))
    for (int64_t j = 0; j < n; ++j)
      row[j] = row[j] < 0 ? 0 : row[j];
}

// i32 to i32 stays exact.
void fixIntegers(const Core &core, const Issued &issued, int64_t r, float *row) {
  int64_t m = issued.v[2], n = issued.v[3], pitch = issued.v[7] ? issued.v[7] : roundUp(m, 16);
  const std::byte *c = core.bytesAt(Space::L0C, static_cast<uint64_t>(issued.v[1]));
  bool rows = core.launch.device.spec(Space::L0C).layout == Layout::Rows;
  for (int64_t j = 0; j < n; j += lanes)
    std::memcpy(row + j, rows ? c + (r * n + j) * 4 : c + (j / lanes * pitch + r) * lanes * 4,
                std::min(lanes, n - j) * 4);
}

} // namespace

void executeCube(Core &core, const Issued &issued) {
  Operands o = operandsOf(core, issued);
  auto at = [&](unsigned i) {
    return core.bytesAt(issued.info->operands[i].space, static_cast<uint64_t>(issued.v[i]));
  };
  clearPadding(o);
  const CubeTile *tile = core.launch.device.cube.find(o.p.a, o.p.b);
  if (issued.form() == Form::MmadMx)
    mmadMx(o, at(3), at(4));
  else if (tile && tile->c == DType::I32)
    mmadI32(o);
  else
    mmadF32(o);
}

void executeFix(Core &core, const Issued &issued) {
  int64_t m = issued.v[2], n = issued.v[3], ldd = issued.v[4];
  DType out = issued.in->type2;
  bool exact = issued.in->type == DType::I32 && out == DType::I32;
  bool zn = issued.form() == Form::FixL1 || issued.flag("nz");
  int64_t step = issued.form() == Form::FixL1 ? ldd * 32 : ldd;
  int64_t perBlock = elementsPerBlock(out);
  std::byte *target =
      core.bytesAt(issued.info->operands[0].space, static_cast<uint64_t>(issued.v[0]));
  scratch.c.assign(roundUp(n, 64), 0.0f);
  DType stored = exact ? DType::F32 : out; // integers travel as their bits
  for (int64_t r = 0; r < m; ++r) {
    if (exact)
      fixIntegers(core, issued, r, scratch.c.data());
    else
      fixRow(core, issued, r, scratch.c.data());
    if (!zn) {
      fromF32(stored, scratch.c.data(), target + r * ldd, n, Round::Rint, true);
      continue;
    }
    for (int64_t j = 0; j < n; j += perBlock)
      fromF32(stored, &scratch.c[j], target + j / perBlock * step + r * 32, perBlock, Round::Rint,
              true);
  }
}

} // namespace npu
