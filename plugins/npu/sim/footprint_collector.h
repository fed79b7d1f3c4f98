// How the bytes of an instruction are found, form by form: footprint.cpp has scalar, transfers and
// the cube, footprint_vector.cpp the vector unit.
#pragma once

#include "sim/footprint.h"

namespace npu {

// Counts are far above what memories hold, and low enough that no loop over nothing takes long.
inline constexpr int64_t maxCount = 1ll << 20, maxBytes = 1ll << 40, maxAddress = 1ll << 48;

// Collects accesses of one instruction; the first thing wrong is kept.
class Collector {
public:
  Collector(const Device &device, const Issued &issued, const IndexReader *indices, Footprint &out)
      : device(device), issued(issued), indices(indices), v(issued.v), out(out) {}

  Status run();

private:
  const OperandInfo &operand(unsigned i) const { return issued.info->operands[i]; }

  template <class... Parts> void refuse(const Parts &...parts) {
    if (failure.empty())
      failure = text(parts...);
  }

  int64_t within(int64_t value, int64_t high, std::string_view what) {
    if (value >= 0 && value <= high)
      return value;
    refuse(what, " is ", value, ", it must be 0 to ", high);
    return 0;
  }
  int64_t count(unsigned i) { return within(v[i], maxCount, operand(i).name); }
  int64_t bytes(unsigned i) { return within(v[i], maxBytes, operand(i).name); }
  void multiple(int64_t value, int64_t unit, std::string_view what) {
    if (value % unit)
      refuse(what, " is ", value, ", it must be a multiple of ", unit);
  }

  // Adds what operand i reads or writes.
  Access &touch(unsigned i, uint64_t run, uint64_t count = 1, uint64_t stride = 0) {
    within(v[i], maxAddress, operand(i).name);
    return touchAt(i, v[i], run, count, stride);
  }
  Access &touchAt(unsigned i, int64_t base, uint64_t run, uint64_t count, uint64_t stride) {
    Access access;
    access.operand = static_cast<uint8_t>(i);
    access.space = operand(i).space;
    access.read = operand(i).reads;
    access.write = operand(i).writes;
    access.base = static_cast<uint64_t>(base);
    access.run = run;
    access.count = stride == run && count ? 1 : count;
    if (access.count == 1 && count > 1)
      access.run = run * count;
    access.stride = stride;
    out.push_back(access);
    return out.back();
  }

  // Rows of a vector operand. Stride 0 reads one row again and again.
  Access &touchRows(unsigned i, const Rows &rows, uint64_t run, int64_t count) {
    int64_t stride = within(rows.stride, maxBytes, text("the row stride of ", operand(i).name));
    if (count > 1)
      multiple(stride, 32, text("the row stride of ", operand(i).name));
    if (operand(i).writes && count > 1 && stride < static_cast<int64_t>(run))
      refuse("rows of ", operand(i).name, " are ", run, " bytes and ", stride,
             " apart, so they overlap; make the stride at least as long as a row");
    return touch(i, run, stride ? count : std::min<int64_t>(count, 1), stride);
  }

  void scalarAccess();
  void bursts();
  void ndToNz();
  void gatherRows();
  void scatterRows();
  void loadFractals(bool isA);
  void loadScale();
  void mmad();
  void fix();
  void elementwiseRows();
  void reduce();
  void gatherLocal();
  void compress();
  void interleave();
  void sorts();
  void histogram();
  void indexed(unsigned base, unsigned index, int64_t n, int64_t rowBytes, int64_t rowStride,
               int64_t tableRows);

  const Device &device;
  const Issued &issued;
  const IndexReader *indices;
  const std::array<int64_t, maxOperands> &v;
  Footprint &out;
  std::string failure;
};

} // namespace npu
