#include "sim/servers.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace npu {

L2::L2(const GlobalSpec &spec)
    : ways(spec.ways), sets(std::max<uint64_t>(1, spec.l2Bytes / spec.line / spec.ways)),
      shift(std::countr_zero(spec.line)), tags(sets * spec.ways) {}

void L2::touchLine(uint64_t line, bool write, Outcome &outcome) {
  // Each piece of memory as long as a way begins at another set, so that equal places of long
  // buffers do not meet in one.
  uint32_t *set = &tags[(line + line / sets * 7919) % sets * ways];
  uint32_t wanted = static_cast<uint32_t>(line + 1) << 1;
  unsigned at = 0;
  while (at < ways && (set[at] & ~1u) != wanted)
    ++at;
  bool hit = at < ways;
  if (hit) {
    ++outcome.hits;
  } else {
    // Of the half that was used longest ago a clean line goes first: a published sum of two
    // matrices takes the time of its reads alone, so most of what it writes stays here.
    for (at = ways - 1; at > ways / 2 && set[at] & 1;)
      --at;
    if (set[at] & 1)
      at = ways - 1;
    ++outcome.misses;
    outcome.evictions += set[at] & 1;
  }
  uint32_t entry = wanted | static_cast<uint32_t>(write) | (hit ? set[at] & 1 : 0);
  for (; at; --at)
    set[at] = set[at - 1];
  set[0] = entry;
}

L2::Outcome L2::touch(const Access &access, bool write) {
  Outcome outcome;
  for (uint64_t i = 0; i < access.count; ++i) {
    uint64_t begin = access.base + i * access.stride;
    for (uint64_t line = begin >> shift; line <= (begin + access.run - 1) >> shift; ++line)
      touchLine(line, write, outcome);
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

double Servers::begin(double now, const Request &request, const Footprint &accesses) {
  L2::Outcome sum;
  double touched = 0, fromMemory = 0;
  for (const Access &access : accesses) {
    if (access.space != Space::GM || (request.write ? !access.write : !access.read))
      continue;
    L2::Outcome one = l2.touch(access, request.write);
    sum.misses += one.misses, sum.evictions += one.evictions;
    touched += request.rowByRow ? static_cast<double>(one.lines() * spec.line)
                                : static_cast<double>(access.run * access.count);
    // A written line is not read first: kernels write whole lines, or nearly.
    if (!request.write)
      fromMemory += static_cast<double>(
          (one.misses && offLine(spec, access) ? one.lines() : one.misses) * spec.line);
  }
  double toMemory = static_cast<double>(sum.evictions * spec.line);
  memoryBytes += fromMemory + toMemory;
  double bytes = request.bytes;
  Transfer transfer;
  transfer.remaining = bytes;
  transfer.cap = request.rate;
  if (request.missedRate > 0 && fromMemory > 0)
    transfer.cap = std::min(transfer.cap, request.missedRate * bytes / fromMemory);
  transfer.owner = request.owner;
  transfer.use = {request.write ? 0 : touched / bytes, request.write ? touched / bytes : 0,
                  fromMemory / bytes, (fromMemory + toMemory) / bytes};
  advance(now);
  transfers.push_back(transfer);
  share(now);
  return spec.hitCycles + (sum.misses ? spec.missCycles : 0);
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
      wanted[s] += transfer.cap * transfer.use[s];
  for (unsigned s = 0; s < 4; ++s)
    if (wanted[s] > capacity[s])
      return true;
  return false;
}

// Raises all rates together. Each round, the first limit that is met stops those it holds.
void Servers::share(double now) {
  if (!crowded()) {
    for (Transfer &transfer : transfers)
      transfer.rate = transfer.cap, transfer.end = now + transfer.remaining / transfer.cap;
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
      level = std::min(level, transfer->cap);
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
      return full < 0 ? transfer->cap <= level : transfer->use[full] > 0;
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
  for (const Transfer &transfer : transfers)
    if (ended(transfer))
      owners.push_back(transfer.owner);
  std::erase_if(transfers, ended);
  share(now);
}

} // namespace npu
