// The vector unit's part of footprints.
#include "sim/footprint_collector.h"

namespace npu {

void Collector::elementwiseRows() {
  Elementwise e = elementwise(issued);
  within(e.rows, maxCount, "rows");
  within(e.cols, maxCount, "cols");
  if (!failure.empty())
    return;
  uint64_t in = bytesOf(e.type, e.cols), outBytes = bytesOf(e.outType, e.cols);
  uint64_t mask = static_cast<uint64_t>(ceilDiv(e.cols, 8));
  Form form = issued.form();
  bool compares = form == Form::Compare || form == Form::CompareScalar;
  bool selects = form == Form::Select || form == Form::SelectScalar;
  touchRows(0, e.dst, compares ? mask : outBytes, e.rows);
  if (form == Form::Fill)
    return;
  if (selects)
    touchRows(1, e.mask, mask, e.rows);
  touchRows(selects ? 2 : 1, e.a, in, e.rows);
  if (form == Form::Binary || form == Form::Compare || form == Form::Select)
    touchRows(selects ? 3 : 2, e.b, e.blockB ? 32 : in, e.rows);
}

void Collector::reduce() {
  Elementwise e = elementwise(issued);
  within(e.rows, maxCount, "rows");
  if (e.cols < 1 || e.cols > maxCount)
    refuse("cols is ", e.cols, ", a row must have an element to reduce");
  if (!failure.empty())
    return;
  touch(0, bytesOf(e.outType, e.rows)).align = static_cast<uint16_t>(bitsOf(e.outType) / 8);
  touchRows(1, e.a, bytesOf(e.type, e.cols), e.rows);
}

// vgather dst a off n span; vscatter dst a off n span
void Collector::gatherLocal() {
  int64_t n = count(3), span = bytes(4), size = bitsOf(issued.in->type) / 8;
  bool scatter = issued.form() == Form::ScatterLocal;
  touch(scatter ? 1 : 0, static_cast<uint64_t>(n * size));
  touch(2, static_cast<uint64_t>(n * 4));
  touch(scatter ? 0 : 1, 0); // checks the address
  for (int64_t i = 0; i < n && indices && failure.empty(); ++i) {
    int64_t offset = indices->indexAt(static_cast<uint64_t>(v[2] + i * 4));
    if (offset < 0 || offset % size || offset + size > span)
      refuse("offset ", i, " is ", offset, ", it must be a multiple of ", size, " inside of ", span,
             " bytes");
    else
      touchAt(scatter ? 0 : 1, v[scatter ? 0 : 1] + offset, size, 1, 0).align =
          static_cast<uint16_t>(size);
  }
}

// dst a mask count n
void Collector::compress() {
  int64_t n = count(4), size = bitsOf(issued.in->type) / 8;
  touch(0, static_cast<uint64_t>(n * size));
  touch(1, static_cast<uint64_t>(n * size));
  touch(2, static_cast<uint64_t>(ceilDiv(n, 8)));
  touch(3, 4).align = 4;
}

void Collector::interleave() {
  uint64_t size = bytesOf(issued.in->type, static_cast<uint64_t>(count(3)));
  bool apart = issued.form() == Form::Deinterleave;
  touch(0, apart ? size : 2 * size);
  touch(1, size);
  touch(2, apart ? 2 * size : size);
}

void Collector::sorts() {
  if (issued.form() == Form::Sort32) {
    uint64_t rows = static_cast<uint64_t>(count(3));
    touch(0, rows * 256);
    touch(1, rows * 128);
    touch(2, rows * 128);
    return;
  }
  int64_t lists = v[2], length = count(3), stride = bytes(4);
  if (lists < 2 || lists > 4)
    return refuse("lists is ", lists, ", it must be 2 to 4");
  multiple(stride, 32, "stride");
  touch(0, static_cast<uint64_t>(lists * length * 8));
  touch(1, static_cast<uint64_t>(length * 8), static_cast<uint64_t>(lists),
        static_cast<uint64_t>(stride));
}

void Collector::histogram() {
  touch(0, static_cast<uint64_t>(count(3) * 4));
  touch(1, static_cast<uint64_t>(count(2) * 4));
}

} // namespace npu
