#include "sim/footprint.h"

#include <unordered_set>

namespace npu {
namespace {

// Counts are far above what memories hold, and low enough that no loop over nothing takes long.
constexpr int64_t maxCount = 1ll << 20, maxBytes = 1ll << 40, maxAddress = 1ll << 48;

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

void Collector::scalarAccess() {
  unsigned i = issued.form() == Form::ScalarLoad ? 1 : 0;
  uint16_t size = static_cast<uint16_t>(bitsOf(issued.in->type) / 8);
  touch(i, size).align = size;
}

// dst src bursts bytes src_stride dst_stride, or dst src bytes. Memories of a core move whole
// blocks, except that ld.ub with pad and st.gm take any number of bytes.
void Collector::bursts() {
  bool one = issued.info->operands.size() == 3;
  int64_t n = one ? 1 : count(2), size = bytes(one ? 2 : 3);
  int64_t sourceStride = one ? 0 : bytes(4), targetStride = one ? 0 : bytes(5);
  bool anyBytes = issued.form() == Form::Store || issued.flag("pad");
  int64_t block = roundUp(size, 32);
  if (!anyBytes)
    multiple(size, 32, "bytes");
  int64_t inCore = issued.flag("pad") ? block : size;
  bool store = issued.form() == Form::Store;
  int64_t target = targetStride ? targetStride : store ? size : block;
  int64_t source = sourceStride ? sourceStride : store ? block : size;
  if (n > 1) {
    if (operand(0).space != Space::GM)
      multiple(target, 32, "dst_stride");
    if (operand(1).space != Space::GM)
      multiple(source, 32, "src_stride");
    if (target < inCore)
      refuse("bursts of ", inCore, " bytes are written ", target,
             " bytes apart, so they overlap; make dst_stride longer");
  }
  Access &to = touch(0, inCore, n, target);
  if (store)
    to.atomic = static_cast<Atomic>(v[6]);
  if (to.atomic != Atomic::None) {
    to.align = static_cast<uint16_t>(bitsOf(issued.in->type) / 8);
    to.anyOrder = to.atomic == Atomic::Max || issued.in->type == DType::I32;
  }
  touch(1, size, n, source);
}

// dst src rows cols ld pitch
void Collector::ndToNz() {
  int64_t rows = count(2), cols = count(3), ld = bytes(4);
  int64_t pitch = v[5] ? count(5) : roundUp(rows, 16);
  int64_t row = static_cast<int64_t>(bytesOf(issued.in->type, cols));
  if (pitch < rows)
    refuse("pitch is ", pitch, ", it must be at least the ", rows, " rows");
  if (rows > 1 && ld < row)
    refuse("ld is ", ld, " bytes, a row is ", row);
  touch(0, rows * 32, ceilDiv(row, 32), pitch * 32);
  touch(1, row, rows, ld);
}

void Collector::indexed(unsigned base, unsigned index, int64_t n, int64_t rowBytes,
                        int64_t rowStride, int64_t tableRows) {
  touch(index, n * 4);
  within(v[base], maxAddress, operand(base).name);
  std::unordered_set<int64_t> seen;
  for (int64_t i = 0; i < n && failure.empty(); ++i) {
    int64_t row = indices ? indices->indexAt(static_cast<uint64_t>(v[index] + i * 4))
                          : i % std::max<int64_t>(tableRows, 1);
    if (row < 0 || row >= tableRows)
      return refuse("index ", i, " is ", row, ", the table has ", tableRows, " rows");
    if (operand(base).writes && indices && !seen.insert(row).second)
      refuse("index ", i, " is row ", row, " again; rows that are scattered must differ");
    touchAt(base, v[base] + row * rowStride, rowBytes, 1, 0);
  }
}

// dst base idx n row_bytes row_stride table_rows dst_stride
void Collector::gatherRows() {
  int64_t n = within(v[3], 1 << 20, "n"), row = bytes(4),
          stride = v[7] ? bytes(7) : roundUp(row, 32);
  multiple(stride, 32, "dst_stride");
  if (stride < row)
    refuse("rows of ", row, " bytes are written ", stride, " bytes apart, so they overlap");
  touch(0, roundUp(row, 32), n, stride);
  indexed(1, 2, n, row, bytes(5), count(6));
}

// base src idx n row_bytes row_stride table_rows src_stride
void Collector::scatterRows() {
  int64_t n = within(v[3], 1 << 20, "n"), row = bytes(4),
          stride = v[7] ? bytes(7) : roundUp(row, 32);
  multiple(stride, 32, "src_stride");
  if (bytes(5) < row)
    refuse("rows of ", row, " bytes lie ", v[5], " bytes apart in the table, so they overlap");
  touch(1, row, n, stride);
  indexed(0, 2, n, row, bytes(5), count(6));
}

// Target: whole fractals. Source: m x k of a matrix with `pitch` rows a column block, or k x m.
void Collector::loadFractals(bool isA) {
  int64_t outer = count(isA ? 2 : 3), k = count(isA ? 3 : 2), pitch = count(4);
  DType type = issued.in->type;
  bool transposed = issued.in->flags & 1;
  int64_t blocks = ceilDiv(k, elementsPerBlock(type));
  if (transposed && bitsOf(type) < 8)
    refuse("four-bit types cannot be transposed; store the matrix the other way round");
  const MemorySpec &target = device.spec(operand(0).space);
  if (target.layout == Layout::Rows || target.layout == Layout::Lt) {
    int64_t row = static_cast<int64_t>(bytesOf(type, k));
    int64_t padded = target.layout == Layout::Lt ? roundUp(outer, 64) : outer;
    touch(0, static_cast<uint64_t>(padded * row));
    int64_t run = transposed ? static_cast<int64_t>(bytesOf(type, outer)) : row;
    touch(1, run, transposed ? k : outer, pitch);
    return;
  }
  touch(0, static_cast<uint64_t>(roundUp(outer, 16) * blocks * 32));
  int64_t rows = transposed ? k : outer;
  int64_t columnBlocks = transposed ? ceilDiv(outer, elementsPerBlock(type)) : blocks;
  if (pitch < rows)
    refuse("pitch is ", pitch, ", it must be at least the ", rows, " rows that are read");
  touch(1, rows * 32, columnBlocks, pitch * 32);
}

// dst src rows blocks ld
void Collector::loadScale() {
  int64_t rows = count(2), blocks = count(3), ld = bytes(4);
  touch(0, static_cast<uint64_t>(rows * blocks));
  touch(1, blocks, rows, ld).align = 1;
}

void Collector::mmad() {
  Product p = product(issued);
  int64_t limit = device.cube.maxExtent;
  for (auto [value, what] : {std::pair{p.m, "m"}, {p.n, "n"}, {p.k, "k"}})
    if (value < 1 || value > limit)
      refuse(what, " is ", value, ", it must be 1 to ", limit);
  if (!failure.empty())
    return;
  bool rows = device.spec(Space::L0A).layout == Layout::Rows;
  Access &c =
      touch(0, static_cast<uint64_t>(rows ? p.m * p.n * 4 : p.rows16() * p.columns16() * 4));
  c.read = issued.flag("acc");
  touch(1, rows ? bytesOf(p.a, p.k) * p.m : static_cast<uint64_t>(p.rows16() * p.blocksA() * 32));
  touch(2, rows ? bytesOf(p.b, p.k) * roundUp(p.n, 64)
                : static_cast<uint64_t>(p.columns16() * p.blocksB() * 32));
  if (issued.form() == Form::MmadMx) {
    touch(3, static_cast<uint64_t>(p.m * ceilDiv(p.k, 32)));
    touch(4, static_cast<uint64_t>(p.n * ceilDiv(p.k, 32)));
  } else if (issued.flag("bias")) {
    touch(6, static_cast<uint64_t>(p.n * 4));
  }
}

// dst c m n ldd scale table pitch
void Collector::fix() {
  int64_t m = count(2), n = count(3), ldd = bytes(4);
  int64_t pitch = v[7] ? count(7) : roundUp(m, 16);
  DType type = issued.in->type2;
  bool zn = issued.form() == Form::FixL1 || issued.flag("nz");
  if (pitch < m)
    refuse("pitch is ", pitch, ", it must be at least the ", m, " rows");
  if (type == DType::I32 && (issued.in->type != DType::I32 || v[5] != 0x3f800000 ||
                             issued.flag("relu") || issued.flag("fb")))
    refuse("i32 goes out as it is: from i32, scale 1, neither relu nor fb");
  if (zn) {
    int64_t step = issued.form() == Form::FixL1 ? within(ldd, maxCount, "ldd") * 32 : ldd;
    if (step < m * 32)
      refuse("column blocks of ", m, " rows are written ", step, " bytes apart, so they overlap");
    touch(0, m * 32, ceilDiv(n, elementsPerBlock(type)), step);
  } else {
    int64_t row = static_cast<int64_t>(bytesOf(type, n));
    if (m > 1 && ldd < row)
      refuse("rows of ", row, " bytes are written ", ldd, " bytes apart, so they overlap");
    Access &to = touch(0, row, m, ldd);
    to.align = static_cast<uint16_t>(issued.form() == Form::FixUb ? 32 : bitsOf(type) / 8);
  }
  if (device.spec(Space::L0C).layout == Layout::Rows)
    touch(1, static_cast<uint64_t>(m * n * 4));
  else
    touch(1, m * 64, ceilDiv(n, 16), pitch * 64);
  if (issued.flag("fb"))
    touch(6, static_cast<uint64_t>(n * 4));
}

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

Status Collector::run() {
  switch (issued.form()) {
  case Form::ScalarLoad:
  case Form::ScalarStore: scalarAccess(); break;
  case Form::Bursts:
  case Form::Store: bursts(); break;
  case Form::NdToNz: ndToNz(); break;
  case Form::Gather: gatherRows(); break;
  case Form::Scatter: scatterRows(); break;
  case Form::LoadA: loadFractals(true); break;
  case Form::LoadB: loadFractals(false); break;
  case Form::LoadScale: loadScale(); break;
  case Form::Mmad:
  case Form::MmadMx: mmad(); break;
  case Form::FixGm:
  case Form::FixL1:
  case Form::FixUb: fix(); break;
  case Form::Reduce:
  case Form::ReduceIndex: reduce(); break;
  case Form::BroadcastBlock:
    touch(0, static_cast<uint64_t>(count(2) * 32));
    touch(1, bytesOf(issued.in->type, static_cast<uint64_t>(count(2))));
    break;
  case Form::Iota: touch(0, static_cast<uint64_t>(count(3) * 4)); break;
  case Form::GatherLocal:
  case Form::ScatterLocal: gatherLocal(); break;
  case Form::Compress: compress(); break;
  case Form::Interleave:
  case Form::Deinterleave: interleave(); break;
  case Form::Sort32:
  case Form::MergeSort: sorts(); break;
  case Form::Histogram: histogram(); break;
  case Form::Scalar:
  case Form::Control:
  case Form::Sync: break;
  default: elementwiseRows(); break;
  }
  return failure.empty() ? Status() : Status(Error{std::move(failure)});
}

} // namespace

Status footprint(const Device &device, const Issued &issued, const IndexReader *indices,
                 Footprint &out) {
  out.clear();
  return Collector(device, issued, indices, out).run();
}

bool worksInPlace(Form form) {
  switch (form) {
  case Form::Binary:
  case Form::WithScalar:
  case Form::Axpy:
  case Form::Unary:
  case Form::Cast:
  case Form::Select:
  case Form::SelectScalar: return true;
  default: return false;
  }
}

} // namespace npu
