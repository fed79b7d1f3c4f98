#include "sim/servers.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace npu {

// Cores whose reads begin in the same so many bytes read one place.
constexpr uint64_t placeBytes = 4096;

L2::L2(const GlobalSpec &spec)
    : ways(spec.ways), sets(std::max<uint64_t>(1, spec.l2Bytes / spec.line / spec.ways)),
      shift(std::countr_zero(spec.line)), tags(sets * spec.ways) {}

void L2::touchLine(uint64_t line, bool write, bool keep, Outcome &outcome) {
  // Each piece of memory as long as a way begins at another set, so that equal places of long
  // buffers do not meet in one.
  uint32_t *set = &tags[(line + line / sets * 7919) % sets * ways];
  uint32_t wanted = static_cast<uint32_t>(line + 1) << 1;
  unsigned at = 0;
  while (at < ways && (set[at] & ~1u) != wanted)
    ++at;
  bool hit = at < ways;
  ++(hit ? outcome.hits : outcome.misses);
  if (!hit && !keep)
    return;
  if (!hit)
    outcome.evictions += set[--at] & 1;
  uint32_t entry = wanted | static_cast<uint32_t>(write) | (hit ? set[at] & 1 : 0);
  for (; at; --at)
    set[at] = set[at - 1];
  set[0] = entry;
}

L2::Outcome L2::touch(const Access &access, bool write, bool keep) {
  Outcome outcome;
  for (uint64_t i = 0; i < access.count; ++i) {
    uint64_t begin = access.base + i * access.stride, missed = outcome.misses;
    for (uint64_t line = begin >> shift; line <= (begin + access.run - 1) >> shift; ++line)
      touchLine(line, write, keep, outcome);
    outcome.missedRows += outcome.misses > missed;
  }
  return outcome;
}

Servers::Servers(const Device &device)
    : capacity{device.global.l2Read, device.global.l2Write, device.global.read,
               device.global.readWrite},
      spec(device.global), l2(device.global) {}

// A transfer that is off its lines shares them with its neighbours, and each fetches them for
// itself: published copies take 1.25 times as long with rows of 4 lines, twice as long with rows of
// 1 line.
static bool offLine(const GlobalSpec &spec, const Access &access) {
  return access.run >= spec.line &&
         (access.base % spec.line || (access.count > 1 && access.stride % spec.line));
}

// What an access brings from memory. A line that the L2 will keep comes whole, and so does one
// that is written; past the L2 comes what is asked for. A written line is not read first: kernels
// write whole lines, or nearly.
static double fetched(const GlobalSpec &spec, const Access &access, const L2::Outcome &one,
                      bool keep) {
  if (!keep)
    return static_cast<double>(one.missedRows * access.run);
  bool each = one.misses && offLine(spec, access);
  return static_cast<double>((each ? one.lines() : one.misses) * spec.line);
}

// What rows on their way to fractals take of the L2's time, in bytes.
static double ofRows(const GlobalSpec &spec, const Access &access, const L2::Outcome &one) {
  bool isShort = access.run < spec.line;
  return static_cast<double>(one.lines() *
                             (isShort ? std::max(access.run, spec.shortRow) : spec.line));
}

Servers::Traffic Servers::touch(const Request &request, const Footprint &accesses) {
  Traffic sum;
  for (const Access &access : accesses) {
    if (access.space != Space::GM || (request.write ? !access.write : !access.read))
      continue;
    L2::Outcome one = l2.touch(access, request.write, request.keep);
    sum.lines.hits += one.hits, sum.lines.misses += one.misses;
    sum.lines.evictions += one.evictions;
    sum.touched += request.rowByRow ? ofRows(spec, access, one)
                                    : static_cast<double>(access.run * access.count);
    if (request.write)
      continue;
    sum.fromMemory += fetched(spec, access, one, request.keep);
    sum.missed += static_cast<double>(one.missedRows * access.run);
    double row = static_cast<double>(access.run) / request.rate;
    double more = std::max(request.missedRowCycles - row, 0.0);
    sum.rowCycles += static_cast<double>(access.count) * row;
    sum.rowCycles += static_cast<double>(one.missedRows) * more;
    sum.place = sum.place ? sum.place : access.base / placeBytes + 1;
  }
  return sum;
}

double Servers::begin(double now, const Request &request, const Footprint &accesses) {
  Traffic sum = touch(request, accesses);
  double bytes = request.bytes, toMemory = static_cast<double>(sum.lines.evictions * spec.line);
  readBytes += sum.fromMemory, writtenBytes += toMemory;
  Transfer transfer;
  transfer.owner = request.owner;
  transfer.remaining = bytes;
  transfer.cap = request.rate;
  if (sum.rowCycles > 0)
    transfer.cap = std::min(transfer.cap, bytes / sum.rowCycles);
  if (request.missedRate > 0 && sum.missed > 0)
    transfer.cap = std::min(transfer.cap, request.missedRate * bytes / sum.missed);
  transfer.place = sum.place;
  transfer.sharedRate =
      spec.sharedLines * bytes / static_cast<double>(std::max<uint64_t>(sum.lines.lines(), 1));
  double touched = sum.touched / bytes, fromMemory = sum.fromMemory / bytes;
  transfer.use = {request.write ? 0 : touched, request.write ? touched : 0, fromMemory,
                  fromMemory + toMemory / bytes};
  advance(now);
  transfers.push_back(transfer);
  countReaders(sum.place);
  share(now);
  return spec.hitCycles + (sum.lines.misses ? spec.missCycles : 0);
}

void Servers::countReaders(uint64_t place) {
  if (!place || spec.sharedLines <= 0)
    return;
  auto here = [&](const Transfer &transfer) { return transfer.place == place; };
  auto readers = static_cast<unsigned>(std::ranges::count_if(transfers, here));
  for (Transfer &transfer : transfers)
    if (here(transfer))
      transfer.readers = readers;
}

double Servers::memoryCycles() const {
  return std::max(readBytes / spec.read, memoryBytes() / spec.readWrite);
}

void Servers::advance(double now) {
  for (Transfer &transfer : transfers)
    transfer.remaining -= transfer.rate * (now - updated);
  updated = now;
}

bool Servers::crowded() const {
  std::array<double, 4> wanted{};
  for (const Transfer &transfer : transfers)
    for (unsigned s = 0; s < 4; ++s)
      wanted[s] += transfer.most() * transfer.use[s];
  for (unsigned s = 0; s < 4; ++s)
    if (wanted[s] > capacity[s])
      return true;
  return false;
}

// Raises all rates together. Each round, the first limit that is met stops those it holds.
void Servers::share(double now) {
  if (!crowded()) {
    for (Transfer &transfer : transfers)
      transfer.rate = transfer.most(), transfer.end = now + transfer.remaining / transfer.rate;
    return;
  }
  std::array<double, 4> left = capacity;
  std::vector<Transfer *> open;
  for (Transfer &transfer : transfers)
    open.push_back(&transfer);
  while (!open.empty()) {
    std::array<double, 4> demand{};
    double level = std::numeric_limits<double>::infinity();
    for (Transfer *transfer : open) {
      level = std::min(level, transfer->most());
      for (unsigned s = 0; s < 4; ++s)
        demand[s] += transfer->use[s];
    }
    int full = -1;
    for (unsigned s = 0; s < 4; ++s)
      if (demand[s] > 0 && left[s] / demand[s] < level) {
        level = std::max(left[s], 0.0) / demand[s];
        full = static_cast<int>(s);
      }
    auto stops = [&](Transfer *transfer) {
      return full < 0 ? transfer->most() <= level : transfer->use[full] > 0;
    };
    for (Transfer *transfer : open) {
      if (!stops(transfer))
        continue;
      transfer->rate = std::max(level, 1e-9);
      transfer->end = now + transfer->remaining / transfer->rate;
      for (unsigned s = 0; s < 4; ++s)
        left[s] -= transfer->rate * transfer->use[s];
    }
    std::erase_if(open, stops);
  }
}

double Servers::nextEnd() const {
  double end = std::numeric_limits<double>::infinity();
  for (const Transfer &transfer : transfers)
    end = std::min(end, transfer.end);
  return end;
}

void Servers::finish(double now, std::vector<unsigned> &owners) {
  advance(now);
  // Rounding must not leave a byte behind that never ends.
  auto ended = [now](const Transfer &transfer) {
    return transfer.end <= now || transfer.remaining <= 1e-6;
  };
  std::vector<uint64_t> left;
  for (const Transfer &transfer : transfers)
    if (ended(transfer)) {
      owners.push_back(transfer.owner);
      left.push_back(transfer.place);
    }
  std::erase_if(transfers, ended);
  for (uint64_t place : left)
    countReaders(place);
  share(now);
}

} // namespace npu
