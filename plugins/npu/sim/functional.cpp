#include "sim/functional.h"
#include "sim/cross_flags.h"
#include "sim/global_hazards.h"

namespace npu {
namespace {

// Applies heads of queues until none is ready. Says whether any was.
bool drain(Core &core) {
  bool any = false, again = true;
  while (again) {
    again = false;
    for (unsigned p = 1; p < numPipes; ++p) {
      Pipe pipe = static_cast<Pipe>(p);
      while (!core.empty(pipe) && core.ready(core.head(pipe), pipe) && core.fault().empty()) {
        core.apply(core.head(pipe), pipe);
        core.pop(pipe);
        any = again = true;
      }
    }
  }
  return any;
}

// Most instructions find their pipe empty and are applied at once; only a flag can wake others.
bool applyLast(Core &core) {
  Pipe pipe = core.lastPipe();
  Form form = core.tail(pipe).form();
  if (&core.tail(pipe) != &core.head(pipe) || !core.ready(core.head(pipe), pipe))
    return false;
  core.apply(core.head(pipe), pipe);
  core.pop(pipe);
  return form == Form::Sync;
}

// Runs a core until it is done or blocked. Says whether it came on.
bool advance(Core &core) {
  bool any = drain(core);
  while (core.fault().empty()) {
    Core::Step step = core.step();
    if (step == Core::Step::Issued) {
      if (applyLast(core) || !core.allIdle())
        drain(core);
    } else if (step == Core::Step::Done || (step == Core::Step::Blocked && !drain(core))) {
      return any;
    }
    any = true;
  }
  return any;
}

class Block {
public:
  Block(const LaunchContext &launch, unsigned number, std::vector<CoreMemory> &memories)
      : cores(makeCores(launch, number, memories)), flags({}) {
    for (auto &core : cores)
      flags.add(core.get());
  }

  // Runs all cores until none comes on; flags between them are delivered on the way.
  void run() {
    bool again = true;
    while (again) {
      again = false;
      for (auto &core : cores) {
        bool advanced = advance(*core), delivered = deliverLocal(*core);
        again = again || advanced || delivered;
      }
    }
  }

  bool done() const {
    for (auto &core : cores)
      if (!core->done())
        return false;
    return true;
  }

  std::vector<std::unique_ptr<Core>> cores;

private:
  bool deliverLocal(Core &core) {
    bool any = false;
    std::vector<CrossEvent> global;
    for (CrossEvent &event : core.outbox) {
      if (CrossFlags::isGlobal(event)) {
        global.push_back(std::move(event));
        continue;
      }
      for (Delivery &delivery : flags.post(core, event)) {
        delivery.to->deliver(delivery.id, delivery.counts);
        any = true;
      }
    }
    core.outbox = std::move(global);
    return any;
  }

  CrossFlags flags;
};

// Blocks that run at the same time, one a group.
class Wave {
public:
  Wave(const LaunchContext &launch, unsigned first, unsigned count,
       std::vector<std::vector<CoreMemory>> &memories)
      : launch(launch), flags({}) {
    for (unsigned i = 0; i < count; ++i)
      blocks.push_back(std::make_unique<Block>(launch, first + i, memories[i]));
    for (auto &block : blocks)
      for (auto &core : block->cores) {
        cores.push_back(core.get());
        flags.add(core.get());
      }
  }

  Status run(const ParallelFor &parallelFor) {
    while (true) {
      parallelFor(static_cast<unsigned>(blocks.size()), [&](unsigned i) { blocks[i]->run(); });
      NPU_RETURN_IF_ERROR(firstFault());
      if (allDone())
        return leaks();
      NPU_ASSIGN_OR_RETURN(bool met, meet());
      if (!met)
        return deadlock(launch, {cores.begin(), cores.end()});
    }
  }

  const std::vector<Core *> &allCores() const { return cores; }

private:
  bool allDone() const {
    for (auto &block : blocks)
      if (!block->done())
        return false;
    return true;
  }

  // The same fault whatever the number of threads: blocks do not see each other between meetings.
  Status firstFault() const {
    for (Core *core : cores)
      if (!core->fault().empty())
        return Error{core->fault()};
    return {};
  }

  Status leaks() const {
    for (Core *core : cores)
      core->checkLeaks();
    return firstFault();
  }

  Result<bool> meet() {
    bool any = false;
    for (Core *core : cores) {
      for (CrossEvent &event : std::exchange(core->outbox, {}))
        for (Delivery &delivery : flags.post(*core, event)) {
          delivery.to->deliver(delivery.id, delivery.counts);
          any = true;
        }
    }
    for (Core *core : cores)
      if (!core->atGridBarrier())
        return any;
    if (launch.checks)
      NPU_RETURN_IF_ERROR(findGlobalHazard(launch, {cores.begin(), cores.end()}));
    release();
    return true;
  }

  // All that was done before is known to all, so earlier accesses need no more watching.
  void release() {
    std::vector<std::shared_ptr<const RemoteCounts>> sent;
    if (launch.checks)
      for (Core *core : cores)
        sent.push_back(core->gridClock().sent(core->number));
    auto counts = joined(sent);
    for (Core *core : cores) {
      core->globalAccesses.clear();
      core->releaseGrid(counts);
    }
  }

  const LaunchContext &launch;
  std::vector<std::unique_ptr<Block>> blocks;
  std::vector<Core *> cores;
  CrossFlags flags;
};

} // namespace

std::vector<std::unique_ptr<Core>> makeCores(const LaunchContext &launch, unsigned block,
                                             std::vector<CoreMemory> &memories) {
  std::vector<std::unique_ptr<Core>> cores;
  const Device &device = launch.device;
  for (unsigned i = 0; i < memories.size(); ++i) {
    CoreKind kind = i < device.aicPerGroup ? CoreKind::Aic : CoreKind::Aiv;
    unsigned sub = kind == CoreKind::Aic ? i : i - device.aicPerGroup;
    memories[i].reset();
    cores.push_back(std::make_unique<Core>(
        launch, memories[i], kind, block * static_cast<unsigned>(memories.size()) + i, block, sub));
  }
  return cores;
}

Error deadlock(const LaunchContext &launch, const std::vector<const Core *> &cores) {
  std::string report;
  unsigned shown = 0;
  for (const Core *core : cores)
    if (!core->done() && ++shown <= 8)
      report += core->waitReport();
  return error("kernel '", launch.kernel.name,
               "': deadlock: nothing can go on; who waits for what:", report,
               shown > 8 ? text("\n  and ", shown - 8, " cores more") : "");
}

Status runFunctional(const LaunchContext &launch, std::vector<std::vector<CoreMemory>> &memories,
                     const ParallelFor &parallelFor) {
  std::vector<std::unique_ptr<Wave>> waves;
  unsigned groups = launch.device.groups;
  for (unsigned first = 0; first < launch.blocks; first += groups) {
    unsigned count = std::min(groups, launch.blocks - first);
    waves.push_back(std::make_unique<Wave>(launch, first, count, memories));
    NPU_RETURN_IF_ERROR(waves.back()->run(parallelFor));
  }
  if (!launch.checks)
    return {};
  std::vector<const Core *> cores;
  for (auto &wave : waves)
    cores.insert(cores.end(), wave->allCores().begin(), wave->allCores().end());
  return findGlobalHazard(launch, cores);
}

} // namespace npu
