// The vector unit: rows x cols elements, each computed alone, and reductions of rows.
//
// f16 and bf16 are computed in f32 and rounded once. Integers wrap. A sum of a row goes in 64
// lanes, lane i adding elements i, i + 64, i + 128, ... in that order; then lanes are added in
// pairs of distance 32, 16, 8, 4, 2, 1. Maxima take the first of equals; a NaN never replaces a
// number.
#include "sim/core.h"
#include "sim/numerics.h"

#include <cmath>
#include <cstring>

namespace npu {
namespace {

struct Scratch {
  std::vector<float> a, b, out;
  std::vector<int32_t> ia, ib, iout;
};
thread_local Scratch scratch;

float bitsToF32(int64_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits)); }
bool isInteger(DType type) { return !isFloat(type); }

// A row as f32: where it lies, or converted into `temp`.
const float *floats(DType type, const std::byte *row, int64_t n, std::vector<float> &temp) {
  if (type == DType::F32)
    return reinterpret_cast<const float *>(row);
  temp.resize(n);
  toF32(type, row, temp.data(), n);
  return temp.data();
}

const int32_t *integers(DType type, const std::byte *row, int64_t n, std::vector<int32_t> &temp) {
  if (type == DType::I32)
    return reinterpret_cast<const int32_t *>(row);
  temp.resize(n);
  for (int64_t i = 0; i < n; ++i) {
    int16_t value;
    std::memcpy(&value, row + i * 2, 2);
    temp[i] = value;
  }
  return temp.data();
}

// Calls compute(out) with room for n results, and stores them as `type`.
template <class Compute> void storeFloats(DType type, std::byte *row, int64_t n, Compute compute) {
  if (type == DType::F32)
    return compute(reinterpret_cast<float *>(row));
  scratch.out.resize(n);
  compute(scratch.out.data());
  fromF32(type, scratch.out.data(), row, n, Round::Rint, false);
}

template <class Compute>
void storeIntegers(DType type, std::byte *row, int64_t n, Compute compute) {
  if (type == DType::I32)
    return compute(reinterpret_cast<int32_t *>(row));
  scratch.iout.resize(n);
  compute(scratch.iout.data());
  for (int64_t i = 0; i < n; ++i) {
    int16_t value = static_cast<int16_t>(scratch.iout[i]);
    std::memcpy(row + i * 2, &value, 2);
  }
}

template <class T, class F> void map(T *out, const T *a, int64_t n, F f) {
  for (int64_t i = 0; i < n; ++i)
    out[i] = f(a[i]);
}
template <class T, class F> void zip(T *out, const T *a, const T *b, int64_t n, F f) {
  for (int64_t i = 0; i < n; ++i)
    out[i] = f(a[i], b[i]);
}

void binaryFloats(Op op, float *out, const float *a, const float *b, int64_t n) {
  switch (op) {
  case Op::Vadd: return zip(out, a, b, n, [](float x, float y) { return x + y; });
  case Op::Vsub: return zip(out, a, b, n, [](float x, float y) { return x - y; });
  case Op::Vmul: return zip(out, a, b, n, [](float x, float y) { return x * y; });
  case Op::Vdiv: return zip(out, a, b, n, [](float x, float y) { return x / y; });
  case Op::Vmax: return zip(out, a, b, n, [](float x, float y) { return x < y ? y : x; });
  default: return zip(out, a, b, n, [](float x, float y) { return y < x ? y : x; });
  }
}

int32_t wrapped(uint32_t value) { return static_cast<int32_t>(value); }

void binaryIntegers(Op op, int32_t *out, const int32_t *a, const int32_t *b, int64_t n) {
  auto run = [&](auto f) { zip(out, a, b, n, f); };
  switch (op) {
  case Op::Vadd:
    return run([](int32_t x, int32_t y) { return wrapped(uint32_t(x) + uint32_t(y)); });
  case Op::Vsub:
    return run([](int32_t x, int32_t y) { return wrapped(uint32_t(x) - uint32_t(y)); });
  case Op::Vmul:
    return run([](int32_t x, int32_t y) { return wrapped(uint32_t(x) * uint32_t(y)); });
  case Op::Vmax: return run([](int32_t x, int32_t y) { return x < y ? y : x; });
  case Op::Vmin: return run([](int32_t x, int32_t y) { return y < x ? y : x; });
  case Op::Vand: return run([](int32_t x, int32_t y) { return x & y; });
  case Op::Vor: return run([](int32_t x, int32_t y) { return x | y; });
  default: return run([](int32_t x, int32_t y) { return x ^ y; });
  }
}

void scalarFloats(Op op, float *out, const float *a, float s, int64_t n) {
  switch (op) {
  case Op::Vadds: return map(out, a, n, [s](float x) { return x + s; });
  case Op::Vmuls: return map(out, a, n, [s](float x) { return x * s; });
  case Op::Vmaxs: return map(out, a, n, [s](float x) { return x < s ? s : x; });
  default: return map(out, a, n, [s](float x) { return s < x ? s : x; });
  }
}

void scalarIntegers(Op op, int32_t *out, const int32_t *a, int32_t s, int64_t n) {
  switch (op) {
  case Op::Vadds:
    return map(out, a, n, [s](int32_t x) { return wrapped(uint32_t(x) + uint32_t(s)); });
  case Op::Vmuls:
    return map(out, a, n, [s](int32_t x) { return wrapped(uint32_t(x) * uint32_t(s)); });
  case Op::Vmaxs: return map(out, a, n, [s](int32_t x) { return x < s ? s : x; });
  case Op::Vmins: return map(out, a, n, [s](int32_t x) { return s < x ? s : x; });
  case Op::Vshls:
    return map(out, a, n, [s](int32_t x) { return wrapped(uint32_t(x) << (s & 31)); });
  default: return map(out, a, n, [s](int32_t x) { return x >> (s & 31); });
  }
}

void unaryFloats(Op op, float *out, const float *a, int64_t n) {
  switch (op) {
  case Op::Vexp: return map(out, a, n, expF32);
  case Op::Vln: return map(out, a, n, logF32);
  case Op::Vsqrt: return map(out, a, n, [](float x) { return std::sqrt(x); });
  case Op::Vrsqrt: return map(out, a, n, [](float x) { return 1.0f / std::sqrt(x); });
  case Op::Vrec: return map(out, a, n, [](float x) { return 1.0f / x; });
  case Op::Vabs: return map(out, a, n, [](float x) { return std::fabs(x); });
  case Op::Vneg: return map(out, a, n, [](float x) { return -x; });
  case Op::Vrelu: return map(out, a, n, [](float x) { return x < 0 ? 0.0f : x; });
  default: break;
  }
  float sum = 0; // vcumsum
  map(out, a, n, [&](float x) { return sum += x; });
}

void unaryIntegers(Op op, int32_t *out, const int32_t *a, int64_t n) {
  switch (op) {
  case Op::Vabs:
    return map(out, a, n, [](int32_t x) { return x < 0 ? wrapped(0 - uint32_t(x)) : x; });
  case Op::Vneg: return map(out, a, n, [](int32_t x) { return wrapped(0 - uint32_t(x)); });
  case Op::Vrelu: return map(out, a, n, [](int32_t x) { return x < 0 ? 0 : x; });
  case Op::Vnot: return map(out, a, n, [](int32_t x) { return ~x; });
  default: break;
  }
  uint32_t sum = 0; // vcumsum
  map(out, a, n, [&](int32_t x) { return wrapped(sum += uint32_t(x)); });
}

template <class T> bool compare(Cmp how, T x, T y) {
  switch (how) {
  case Cmp::Eq: return x == y;
  case Cmp::Ne: return x != y;
  case Cmp::Lt: return x < y;
  case Cmp::Le: return x <= y;
  case Cmp::Gt: return x > y;
  default: return x >= y;
  }
}

// `stepB` is 0 where b is one number.
template <class T>
void compareRow(Cmp how, std::byte *mask, const T *a, const T *b, int64_t stepB, int64_t n) {
  for (int64_t i = 0; i < n; i += 8) {
    unsigned bits = 0;
    for (int64_t j = i; j < std::min(i + 8, n); ++j)
      bits |= static_cast<unsigned>(compare(how, a[j], b[j * stepB])) << (j - i);
    mask[i / 8] = static_cast<std::byte>(bits);
  }
}

// Pointers to one row of each operand.
struct RowPointers {
  std::byte *dst;
  const std::byte *a, *b, *mask;
};

class Vector {
public:
  Vector(Core &core, const Issued &issued)
      : core(core), issued(issued), e(elementwise(issued)), op(issued.op()) {}

  void run() {
    for (int64_t row = 0; row < e.rows; ++row) {
      RowPointers p{at(e.dst, row), at(e.a, row), at(e.b, row), at(e.mask, row)};
      runRow(p);
    }
  }

private:
  std::byte *at(const Rows &rows, int64_t row) const {
    return core.bytesAt(Space::UB, static_cast<uint64_t>(rows.address + row * rows.stride));
  }
  const float *floatsOf(const std::byte *row, std::vector<float> &temp) const {
    return floats(e.type, row, e.cols, temp);
  }
  const int32_t *integersOf(const std::byte *row, std::vector<int32_t> &temp) const {
    return integers(e.type, row, e.cols, temp);
  }

  void runRow(const RowPointers &p) {
    switch (issued.form()) {
    case Form::Binary: return binary(p);
    case Form::WithScalar: return withScalar(p);
    case Form::Axpy: return axpy(p);
    case Form::Unary: return unary(p);
    case Form::Compare:
    case Form::CompareScalar: return compares(p);
    case Form::Select:
    case Form::SelectScalar: return selects(p);
    case Form::Reduce: return reduce(p);
    case Form::ReduceIndex: return reduceIndex(p);
    case Form::Fill: return fill(p);
    case Form::Cast: return cast(p);
    default: return;
    }
  }

  // A block of 32 bytes, read again along the row.
  void spread(const std::byte *block, std::vector<std::byte> &row) const {
    row.resize(roundUp(static_cast<int64_t>(bytesOf(e.type, e.cols)), 32));
    for (size_t i = 0; i < row.size(); i += 32)
      std::memcpy(&row[i], block, 32);
  }

  void binary(const RowPointers &p) {
    thread_local std::vector<std::byte> spreadB;
    const std::byte *b = p.b;
    if (e.blockB) {
      spread(b, spreadB);
      b = spreadB.data();
    }
    if (isInteger(e.type)) {
      const int32_t *x = integersOf(p.a, scratch.ia), *y = integersOf(b, scratch.ib);
      return storeIntegers(e.type, p.dst, e.cols,
                           [&](int32_t *out) { binaryIntegers(op, out, x, y, e.cols); });
    }
    const float *x = floatsOf(p.a, scratch.a), *y = floatsOf(b, scratch.b);
    storeFloats(e.type, p.dst, e.cols, [&](float *out) { binaryFloats(op, out, x, y, e.cols); });
  }

  void withScalar(const RowPointers &p) {
    if (isInteger(e.type)) {
      const int32_t *x = integersOf(p.a, scratch.ia);
      int32_t s = static_cast<int32_t>(e.scalar);
      return storeIntegers(e.type, p.dst, e.cols,
                           [&](int32_t *out) { scalarIntegers(op, out, x, s, e.cols); });
    }
    const float *x = floatsOf(p.a, scratch.a);
    storeFloats(e.type, p.dst, e.cols,
                [&](float *out) { scalarFloats(op, out, x, bitsToF32(e.scalar), e.cols); });
  }

  void axpy(const RowPointers &p) {
    const float *x = floatsOf(p.a, scratch.a), *y = floatsOf(p.dst, scratch.b);
    float s = bitsToF32(e.scalar);
    storeFloats(e.type, p.dst, e.cols, [&](float *out) {
      zip(out, x, y, e.cols, [s](float a, float b) { return b + s * a; });
    });
  }

  void unary(const RowPointers &p) {
    if (op == Op::Vcopy) {
      std::memmove(p.dst, p.a, bytesOf(e.type, e.cols));
    } else if (isInteger(e.type)) {
      const int32_t *x = integersOf(p.a, scratch.ia);
      storeIntegers(e.type, p.dst, e.cols,
                    [&](int32_t *out) { unaryIntegers(op, out, x, e.cols); });
    } else {
      const float *x = floatsOf(p.a, scratch.a);
      storeFloats(e.type, p.dst, e.cols, [&](float *out) { unaryFloats(op, out, x, e.cols); });
    }
  }

  void compares(const RowPointers &p) {
    bool one = issued.form() == Form::CompareScalar;
    Cmp how = static_cast<Cmp>(issued.v[3]);
    if (isInteger(e.type)) {
      int32_t s = static_cast<int32_t>(e.scalar);
      const int32_t *x = integersOf(p.a, scratch.ia), *y = one ? &s : integersOf(p.b, scratch.ib);
      return compareRow(how, p.dst, x, y, !one, e.cols);
    }
    float s = bitsToF32(e.scalar);
    const float *x = floatsOf(p.a, scratch.a), *y = one ? &s : floatsOf(p.b, scratch.b);
    compareRow(how, p.dst, x, y, !one, e.cols);
  }

  // Elements move as they are: selecting rounds nothing.
  void selects(const RowPointers &p) {
    int64_t size = bitsOf(e.type) / 8;
    std::byte scalar[4];
    if (issued.form() == Form::SelectScalar)
      scalarBytes(scalar);
    for (int64_t i = 0; i < e.cols; ++i) {
      bool first = static_cast<unsigned>(p.mask[i / 8]) >> (i % 8) & 1;
      const std::byte *other = issued.form() == Form::Select ? p.b + i * size : scalar;
      std::memmove(p.dst + i * size, first ? p.a + i * size : other, size);
    }
  }

  void scalarBytes(std::byte *out) const {
    if (isInteger(e.type)) {
      std::memcpy(out, &e.scalar, 4);
      return;
    }
    float s = bitsToF32(e.scalar);
    fromF32(e.type, &s, out, 1, Round::Rint, false);
  }

  void fill(const RowPointers &p) {
    int64_t size = bitsOf(e.type) / 8;
    std::byte scalar[4];
    scalarBytes(scalar);
    for (int64_t i = 0; i < e.cols; ++i)
      std::memcpy(p.dst + i * size, scalar, size);
  }

  static float sumOf(const float *x, int64_t n) {
    float lanes[64] = {};
    int64_t whole = n / 64 * 64;
    for (int64_t i = 0; i < whole; i += 64)
      for (int64_t j = 0; j < 64; ++j)
        lanes[j] += x[i + j];
    for (int64_t j = 0; j < n - whole; ++j)
      lanes[j] += x[whole + j];
    for (int64_t half = 32; half; half /= 2)
      for (int64_t j = 0; j < half; ++j)
        lanes[j] += lanes[j + half];
    return lanes[0];
  }

  template <class T> T extremum(const T *x) const {
    T best = x[0];
    bool most = op == Op::Vrmax;
    for (int64_t i = 1; i < e.cols; ++i)
      best = (most ? best < x[i] : x[i] < best) || best != best ? x[i] : best;
    return best;
  }

  void reduce(const RowPointers &p) {
    if (isInteger(e.type)) {
      const int32_t *x = integersOf(p.a, scratch.ia);
      uint32_t sum = 0;
      for (int64_t i = 0; i < e.cols; ++i)
        sum += static_cast<uint32_t>(x[i]);
      int32_t result = op == Op::Vrsum ? wrapped(sum) : extremum(x);
      std::memcpy(p.dst, &result, 4);
      return;
    }
    const float *x = floatsOf(p.a, scratch.a);
    float result = op == Op::Vrsum ? sumOf(x, e.cols) : extremum(x);
    fromF32(e.type, &result, p.dst, 1, Round::Rint, false);
  }

  template <class T> int32_t firstMaximum(const T *x) const {
    int32_t best = 0;
    for (int64_t i = 1; i < e.cols; ++i)
      if (x[best] < x[i] || x[best] != x[best])
        best = static_cast<int32_t>(i);
    return best;
  }

  void reduceIndex(const RowPointers &p) {
    int32_t result = isInteger(e.type) ? firstMaximum(integersOf(p.a, scratch.ia))
                                       : firstMaximum(floatsOf(p.a, scratch.a));
    std::memcpy(p.dst, &result, 4);
  }

  void cast(const RowPointers &p) {
    Round mode = static_cast<Round>(issued.v[2]);
    scratch.a.resize(e.cols);
    toF32(e.type, p.a, scratch.a.data(), e.cols);
    fromF32(e.outType, scratch.a.data(), p.dst, e.cols, mode, issued.flag("sat"));
  }

  Core &core;
  const Issued &issued;
  Elementwise e;
  Op op;
};

} // namespace

void executeVector(Core &core, const Issued &issued) { Vector(core, issued).run(); }

} // namespace npu
