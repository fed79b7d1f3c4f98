#include "sim/global_hazards.h"

#include <algorithm>

namespace npu {
namespace {

struct Run {
  uint64_t begin, end;
  const GlobalAccess *access;
};

bool happensBefore(const GlobalAccess &a, const GlobalAccess &b) {
  uint32_t known = a.core == b.core ? b.clock.of(a.by.pipe) : b.clock.ofCore(a.core, a.by.pipe);
  return a.by.sequence <= known;
}

bool races(const GlobalAccess &a, const GlobalAccess &b) {
  if (a.core == b.core && a.by.pipe == b.by.pipe)
    return false;
  bool commute = a.access.anyOrder && b.access.anyOrder && a.access.atomic == b.access.atomic;
  return !commute && !happensBefore(a, b) && !happensBefore(b, a);
}

// Runs of all writes by their begin, and the hull of those that touch each other.
class Writes {
public:
  explicit Writes(const std::vector<const Core *> &cores) {
    for (const Core *core : cores)
      for (const GlobalAccess &each : core->globalAccesses)
        if (each.access.write)
          add(each);
    auto byBegin = [](const Run &a, const Run &b) { return a.begin < b.begin; };
    std::sort(runs.begin(), runs.end(), byBegin);
    for (const Run &run : runs) {
      if (hulls.empty() || run.begin > hulls.back().end)
        hulls.push_back(run);
      hulls.back().end = std::max(hulls.back().end, run.end);
    }
  }

  // Most reads are of weights, which nobody writes.
  bool mayTouch(const Access &access) const {
    auto after = std::upper_bound(hulls.begin(), hulls.end(), access.base,
                                  [](uint64_t place, const Run &hull) { return place < hull.end; });
    return after != hulls.end() && after->begin < access.end();
  }

  // The first run that overlaps [begin, end) and races with the access.
  const Run *racing(const GlobalAccess &with, uint64_t begin, uint64_t end) const {
    uint64_t from = begin > longest ? begin - longest : 0;
    auto run = std::lower_bound(runs.begin(), runs.end(), from,
                                [](const Run &a, uint64_t place) { return a.begin < place; });
    for (; run != runs.end() && run->begin < end; ++run)
      if (run->end > begin && run->access != &with && races(with, *run->access))
        return &*run;
    return nullptr;
  }

private:
  void add(const GlobalAccess &each) {
    for (uint64_t i = 0; i < each.access.count; ++i) {
      uint64_t begin = each.access.base + i * each.access.stride;
      runs.push_back({begin, begin + each.access.run, &each});
    }
    longest = std::max(longest, each.access.run);
  }
  std::vector<Run> runs, hulls;
  uint64_t longest = 0;
};

std::string describe(const LaunchContext &launch, const std::vector<const Core *> &cores,
                     const GlobalAccess &access) {
  for (const Core *core : cores)
    if (core->number == access.core)
      return text(core->name(), " ", name(access.by.pipe), " #", access.by.instruction, " (",
                  disassemble(launch.kernel.code(core->kind)[access.by.instruction]), ")");
  return "";
}

Error raceError(const LaunchContext &launch, const std::vector<const Core *> &cores,
                const GlobalAccess &access, const Run &write, uint64_t begin, uint64_t end) {
  const char *kind = access.access.write ? "WAW" : "RAW or WAR";
  bool atomics =
      access.access.atomic != Atomic::None && write.access->access.atomic != Atomic::None;
  return error(
      "kernel '", launch.kernel.name, "': ", kind, " hazard: gm ",
      Hex{std::max(begin, write.begin)}, "..", Hex{std::min(end, write.end)}, " is used by ",
      describe(launch, cores, access), " and by ", describe(launch, cores, *write.access),
      atomics ? ", whose sum depends on their order; " : " with nothing in between that waits; ",
      access.core == write.access->core ? "put a flag between the pipes"
                                        : "put xset and xwait, or sync_all, between the cores");
}

} // namespace

Status findGlobalHazard(const LaunchContext &launch, const std::vector<const Core *> &cores) {
  Writes writes(cores);
  for (const Core *core : cores)
    for (const GlobalAccess &each : core->globalAccesses) {
      if (!writes.mayTouch(each.access))
        continue;
      for (uint64_t i = 0; i < each.access.count; ++i) {
        uint64_t begin = each.access.base + i * each.access.stride, end = begin + each.access.run;
        if (const Run *run = writes.racing(each, begin, end))
          return raceError(launch, cores, each, *run, begin, end);
      }
    }
  return {};
}

} // namespace npu
