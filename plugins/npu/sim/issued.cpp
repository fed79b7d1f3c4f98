#include "sim/issued.h"

namespace npu {
namespace {

Rows rowsAt(int64_t address, int64_t stride, DType type, int64_t cols) {
  int64_t dense = roundUp(static_cast<int64_t>(bytesOf(type, cols)), 32);
  return {address, stride == -1 ? dense : stride};
}

// A mask has a bit an element.
Rows maskAt(int64_t address, int64_t stride, int64_t cols) {
  return {address, stride == -1 ? roundUp(ceilDiv(cols, 8), 32) : stride};
}

} // namespace

Elementwise elementwise(const Issued &issued) {
  const auto &v = issued.v;
  DType type = issued.in->type;
  Elementwise e;
  e.type = e.outType = type;
  auto extent = [&](unsigned at) { e.rows = v[at], e.cols = v[at + 1]; };
  switch (issued.form()) {
  case Form::Binary:
    extent(3);
    e.dst = rowsAt(v[0], v[5], type, e.cols);
    e.a = rowsAt(v[1], v[6], type, e.cols);
    e.blockB = issued.in->flags & 1;
    e.b = e.blockB && v[7] == -1 ? Rows{v[2], 32} : rowsAt(v[2], v[7], type, e.cols);
    break;
  case Form::WithScalar:
  case Form::Axpy:
    extent(3);
    e.dst = rowsAt(v[0], v[5], type, e.cols);
    e.a = rowsAt(v[1], v[6], type, e.cols);
    e.scalar = v[2];
    break;
  case Form::Unary:
    extent(2);
    e.dst = rowsAt(v[0], v[4], type, e.cols);
    e.a = rowsAt(v[1], v[5], type, e.cols);
    break;
  case Form::Cast:
    extent(3);
    e.outType = issued.in->type2;
    e.dst = rowsAt(v[0], v[5], e.outType, e.cols);
    e.a = rowsAt(v[1], v[6], type, e.cols);
    break;
  case Form::Compare:
    extent(4);
    e.dst = maskAt(v[0], v[6], e.cols);
    e.a = rowsAt(v[1], v[7], type, e.cols);
    e.b = rowsAt(v[2], v[8], type, e.cols);
    break;
  case Form::CompareScalar:
    extent(4);
    e.dst = maskAt(v[0], v[6], e.cols);
    e.a = rowsAt(v[1], v[7], type, e.cols);
    e.scalar = v[2];
    break;
  case Form::Select:
    extent(4);
    e.dst = rowsAt(v[0], v[6], type, e.cols);
    e.mask = maskAt(v[1], v[7], e.cols);
    e.a = rowsAt(v[2], v[8], type, e.cols);
    e.b = rowsAt(v[3], v[9], type, e.cols);
    break;
  case Form::SelectScalar:
    extent(4);
    e.dst = rowsAt(v[0], v[6], type, e.cols);
    e.mask = maskAt(v[1], v[7], e.cols);
    e.a = rowsAt(v[2], v[8], type, e.cols);
    e.scalar = v[3];
    break;
  case Form::Reduce:
  case Form::ReduceIndex:
    extent(2);
    e.outType = issued.form() == Form::ReduceIndex ? DType::I32 : type;
    e.dst = {v[0], bitsOf(e.outType) / 8};
    e.a = rowsAt(v[1], v[4], type, e.cols);
    break;
  case Form::Fill:
    extent(2);
    e.dst = rowsAt(v[0], v[4], type, e.cols);
    e.scalar = v[1];
    break;
  default: break;
  }
  return e;
}

Product product(const Issued &issued) {
  unsigned at = issued.form() == Form::MmadMx ? 5 : 3;
  return {issued.v[at], issued.v[at + 1], issued.v[at + 2], issued.in->type, issued.in->type2};
}

} // namespace npu
