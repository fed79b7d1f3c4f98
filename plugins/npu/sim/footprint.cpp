#include "sim/footprint_collector.h"

#include <unordered_set>

namespace npu {

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
