#include "sim/cost.h"
#include "sim/banks.h"

#include <algorithm>
#include <cmath>

namespace npu {
namespace {

uint64_t bytesOf(const Access &access) { return access.run * access.count; }

// Bytes of the accesses of one direction in one memory.
double total(const Footprint &accesses, Space space, bool write) {
  double sum = 0;
  for (const Access &access : accesses)
    if (access.space == space && (write ? access.write : access.read))
      sum += static_cast<double>(bytesOf(access));
  return sum;
}

// Whether a transfer begins, or steps, off the lines of the L2.
bool misaligned(const Device &device, const Footprint &accesses) {
  for (const Access &access : accesses)
    if (access.space == Space::GM && access.run >= device.global.line &&
        (access.base % device.global.line ||
         (access.count > 1 && access.stride % device.global.line)))
      return true;
  return false;
}

Cost transferCost(const Device &device, const Issued &issued, const Footprint &accesses) {
  const PathSpec *path = device.pathOf(*issued.in);
  if (!path)
    return {};
  Cost cost;
  cost.cycles = path->headCycles;
  cost.writes = path->to == Space::GM;
  cost.global = cost.writes || path->from == Space::GM;
  // Bytes are counted at the source; L0C holds four bytes an element whatever goes out.
  cost.bytes = total(accesses, path->from, false);
  cost.rate = path->bytesPerCycle;
  cost.missedRate = path->missedBytesPerCycle;
  cost.missedRowCycles = path->missedRowCycles;
  if (issued.form() == Form::NdToNz && path->rowCycles > 0)
    cost.rate = std::min(cost.rate, cost.bytes / (double(issued.v[2]) * path->rowCycles));
  if (cost.global && misaligned(device, accesses))
    cost.rate *= device.global.misaligned;
  if (!cost.global)
    cost.cycles += cost.bytes / cost.rate;
  return cost;
}

Cost cubeCost(const Device &device, const Issued &issued) {
  Product p = product(issued);
  const CubeTile *tile = device.cube.find(p.a, p.b);
  if (!tile)
    return {};
  Cost cost;
  cost.cycles =
      device.cube.headCycles +
      double(ceilDiv(p.m, tile->m) * ceilDiv(p.n, tile->n) * ceilDiv(p.k, tile->k)) * tile->cycles;
  cost.operations = 2.0 * double(p.m) * double(p.n) * double(p.k);
  return cost;
}

struct Repeats {
  int64_t count;
  bool whole; // rows are whole repeats
};

Repeats repeatsOf(const Device &device, const Issued &issued, const Footprint &accesses) {
  Elementwise e = elementwise(issued);
  int64_t repeat = device.vector.bytesPerCycle;
  if (e.rows || e.cols) {
    int64_t row = static_cast<int64_t>(
        std::max(npu::bytesOf(e.type, e.cols), npu::bytesOf(e.outType, e.cols)));
    bool dense = e.dst.stride == row || e.rows == 1;
    bool joined = dense && issued.form() != Form::Reduce && issued.form() != Form::ReduceIndex;
    return {joined ? ceilDiv(row * e.rows, repeat) : e.rows * ceilDiv(row, repeat),
            row % repeat == 0};
  }
  double most = 0;
  for (bool write : {false, true})
    most = std::max(most, total(accesses, Space::UB, write));
  return {static_cast<int64_t>(std::ceil(most / double(repeat))), true};
}

Cost vectorCost(const Device &device, const Issued &issued, const Footprint &accesses) {
  const VectorSpec &vector = device.vector;
  auto listed = vector.costs.find(issued.op());
  VectorCost rates = listed == vector.costs.end() ? vector.cost : listed->second;
  Repeats repeats = repeatsOf(device, issued, accesses);
  Cost cost;
  cost.conflict = bankConflicts(vector, issued, repeats.count);
  cost.cycles = rates.head + rates.slope * double(repeats.count) + cost.conflict +
                (repeats.whole ? 0 : vector.countModeCycles);
  return cost;
}

} // namespace

Cost costOf(const Device &device, const Issued &issued, const Footprint &accesses) {
  switch (issued.in->pipe) {
  case Pipe::M: return cubeCost(device, issued);
  case Pipe::V: return vectorCost(device, issued, accesses);
  default: return transferCost(device, issued, accesses);
  }
}

} // namespace npu
