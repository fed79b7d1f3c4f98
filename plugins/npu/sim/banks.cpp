#include "sim/banks.h"

#include <algorithm>

namespace npu {
namespace {

constexpr int64_t blockBytes = 32;

// What a repeat takes of an operand.
struct Blocks {
  int64_t address, count;
};

int64_t groupsBetween(const VectorSpec &vector, const Blocks &a, const Blocks &b) {
  int64_t groups = vector.bankGroups;
  return ((b.address / blockBytes - a.address / blockBytes) % groups + groups) % groups;
}

bool shareGroup(const VectorSpec &vector, const Blocks &a, const Blocks &b) {
  int64_t between = groupsBetween(vector, a, b);
  return between < a.count || vector.bankGroups - between < b.count;
}

bool shareBank(const VectorSpec &vector, const Blocks &a, const Blocks &b) {
  int64_t span = static_cast<int64_t>(vector.bankBytes) * vector.bankGroups;
  return a.address / span == b.address / span && shareGroup(vector, a, b);
}

// The operands of a row's first repeat. Those that follow it move on alike.
struct Repeat {
  Blocks written, read[2];
  int reads;

  double lost(const VectorSpec &vector) const {
    if (reads == 2 && shareGroup(vector, read[0], read[1]))
      return vector.readConflictCycles;
    for (int i = 0; i < reads; ++i)
      if (shareBank(vector, written, read[i]) && groupsBetween(vector, written, read[i]) != 0)
        return vector.writeConflictCycles;
    return 0;
  }
};

Repeat firstOfRow(const Elementwise &e, Form form, int64_t row) {
  int64_t blocks =
      std::min<int64_t>(8, ceilDiv(static_cast<int64_t>(bytesOf(e.type, e.cols)), blockBytes));
  auto of = [&](const Rows &rows, int64_t count) {
    return Blocks{rows.address + row * rows.stride, count};
  };
  Repeat repeat{of(e.dst, blocks), {of(e.a, blocks), of(e.b, e.blockB ? 1 : blocks)}, 1};
  if (form == Form::Axpy) // adds to what it writes
    repeat.read[1] = repeat.written;
  if (form == Form::Axpy || form == Form::Binary)
    repeat.reads = 2;
  return repeat;
}

} // namespace

double bankConflicts(const VectorSpec &vector, const Issued &issued, int64_t repeats) {
  Form form = issued.form();
  if (form != Form::Binary && form != Form::Axpy && form != Form::WithScalar && form != Form::Unary)
    return 0;
  Elementwise e = elementwise(issued);
  if (e.rows <= 0 || e.cols <= 0)
    return 0;
  // Distances between rows come again after as many rows as there are groups.
  int64_t rows = std::min<int64_t>(e.rows, vector.bankGroups);
  double lost = 0;
  for (int64_t row = 0; row < rows; ++row)
    lost += firstOfRow(e, form, row).lost(vector);
  // A block that serves a row is read once.
  return lost / double(rows) * double(e.blockB ? e.rows : repeats);
}

} // namespace npu
