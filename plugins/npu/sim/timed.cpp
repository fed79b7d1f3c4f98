#include "sim/timed.h"

#include "sim/cost.h"
#include "sim/cross_flags.h"
#include "sim/functional.h"
#include "sim/global_hazards.h"
#include "sim/servers.h"
#include "sim/timed_state.h"

#include <map>
#include <queue>
#include <set>

namespace npu {
namespace {

class Engine {
public:
  Engine(const LaunchContext &launch, std::vector<std::vector<CoreMemory>> &memories, bool trace,
         Report &report)
      : launch(launch), device(launch.device), memories(memories), trace(trace), report(report),
        flags({}), servers(device) {}

  Status run() {
    for (unsigned group = 0; group < std::min(device.groups, launch.blocks); ++group)
      startBlock(group, group * device.startSkew);
    while (!events.empty()) {
      Event event = events.top();
      events.pop();
      now = event.time;
      handle(event);
      NPU_RETURN_IF_ERROR(failure);
    }
    return finish();
  }

private:
  void schedule(double time, EventKind kind, unsigned slot, Pipe pipe = Pipe::S) {
    events.push({time, kind, static_cast<uint8_t>(pipe), slot, ++sequence});
  }

  void startBlock(unsigned block, double time) {
    unsigned group = block % device.groups;
    for (auto &core : makeCores(launch, block, memories[group])) {
      Slot &slot = slots.emplace_back();
      slot.core = std::move(core);
      slot.report = static_cast<unsigned>(report.cores.size());
      slot.scalarTime = time;
      CoreTime &times = report.cores.emplace_back();
      times.block = block, times.sub = slot.core->sub, times.kind = slot.core->kind;
      times.begin = times.end = time;
      flags.add(slot.core.get());
      byNumber[slot.core->number] = static_cast<unsigned>(slots.size()) - 1;
      wakeFront(static_cast<unsigned>(slots.size()) - 1, time);
    }
  }

  void handle(const Event &event) {
    Pipe pipe = static_cast<Pipe>(event.pipe);
    switch (event.kind) {
    case EventKind::Front:
      slots[event.slot].frontPending = false;
      runFront(event.slot);
      break;
    case EventKind::PipeEnd: endOf(event.slot, pipe); break;
    case EventKind::PipeLook: look(event.slot, pipe); break;
    case EventKind::Servers: serversEnd(event.sequence); break;
    case EventKind::Deliver: deliver(event.sequence); break;
    }
    settle();
  }

  void wakeFront(unsigned index, double time) {
    Slot &slot = slots[index];
    if (slot.frontPending)
      return;
    slot.frontPending = true;
    schedule(std::max(time, slot.scalarTime), EventKind::Front, index);
  }

  // Lets the scalar unit run ahead until it must wait for a time, for room or for others.
  void runFront(unsigned index) {
    Slot &slot = slots[index];
    Core &core = *slot.core;
    if (slot.frontBlocked) {
      slot.frontBlocked = false;
      if (core.next().pipe != Pipe::S)
        report.cores[slot.report].queueFull += std::max(0.0, now - slot.blockedSince);
      slot.scalarTime = std::max(slot.scalarTime, now);
    }
    PipeTime &scalar = report.cores[slot.report].pipes[0];
    while (core.fault().empty()) {
      if (slot.scalarTime > now && Core::scalarTouchesOthers(core.next())) {
        wakeFront(index, slot.scalarTime);
        return;
      }
      Form form = infoOf(core.next().op).form;
      size_t marks = core.marks.size();
      Core::Step step = core.step();
      if (step == Core::Step::Done)
        break;
      if (step == Core::Step::Blocked) {
        slot.frontBlocked = true;
        slot.blockedSince = slot.scalarTime;
        checkGrid();
        return;
      }
      if (core.marks.size() > marks)
        report.marks.push_back({slot.report, core.marks.back().second, slot.scalarTime});
      double cycles = form == Form::ScalarLoad ? device.scalarLoadCycles : 1;
      slot.scalarTime += cycles;
      scalar.busy += cycles;
      ++scalar.instructions;
      if (step == Core::Step::Issued)
        handOver(index, core.lastPipe());
      else if (form == Form::Sync)
        touched.push_back(index);
    }
    end(index);
  }

  void handOver(unsigned index, Pipe pipe) {
    Slot &slot = slots[index];
    slot.core->tail(pipe).time = slot.scalarTime;
    Slot::PipeTimes &times = slot.pipes[static_cast<unsigned>(pipe)];
    if (times.running || &slot.core->tail(pipe) != &slot.core->head(pipe))
      return;
    times.lookAt = slot.scalarTime;
    schedule(slot.scalarTime, EventKind::PipeLook, index, pipe);
  }

  // Starts the head of a pipe if it may start; flags take no time and are done on the way.
  void look(unsigned index, Pipe pipe) {
    Slot &slot = slots[index];
    Core &core = *slot.core;
    Slot::PipeTimes &times = slot.pipes[static_cast<unsigned>(pipe)];
    while (!times.running && !core.empty(pipe) && core.fault().empty()) {
      const Issued &head = core.head(pipe);
      if (head.time > now) {
        if (times.lookAt != head.time)
          schedule(head.time, EventKind::PipeLook, index, pipe);
        times.lookAt = head.time;
        return;
      }
      if (!core.ready(head, pipe)) {
        if (times.heldSince < 0)
          times.heldSince = now;
        return;
      }
      if (times.heldSince >= 0) {
        report.cores[slot.report].pipes[static_cast<unsigned>(pipe)].waitFlag +=
            now - times.heldSince;
        times.heldSince = -1;
      }
      if (head.form() != Form::Sync) {
        start(index, pipe);
        return;
      }
      if (head.op() == Op::PipeBarrier)
        times.drained = true;
      core.apply(head, pipe);
      core.pop(pipe);
      touched.push_back(index);
    }
  }

  void start(unsigned index, Pipe pipe) {
    Slot &slot = slots[index];
    Core &core = *slot.core;
    const Issued &head = core.head(pipe);
    if (Status status = core.validate(head, accesses); !status.ok()) {
      failure = error("kernel '", launch.kernel.name, "' ", core.describe(head, pipe), ": ",
                      status.message());
      return;
    }
    Slot::PipeTimes &times = slot.pipes[static_cast<unsigned>(pipe)];
    bool warm = !times.drained && times.lastEnd == now;
    Cost cost = costOf(device, head, accesses);
    times.running = true;
    times.fixed = !cost.global || cost.bytes <= 0;
    times.begin = now;
    times.drained = false;
    times.plain = cost.cycles + (cost.global && cost.bytes > 0 ? cost.bytes / cost.rate : 0);
    PipeTime &pipeTime = report.cores[slot.report].pipes[static_cast<unsigned>(pipe)];
    pipeTime.waitBank += cost.conflict;
    report.cubeOperations += cost.operations;
    notePeak(head, pipe);
    core.setBusy(pipe, true);
    if (pipe == Pipe::FIX && head.flag("unit")) {
      // It drains behind the cube, which may go on: what it takes out is what is there now.
      core.apply(head, pipe);
      touched.push_back(index);
    }
    if (times.fixed) {
      schedule(now + cost.cycles, EventKind::PipeEnd, index, pipe);
      return;
    }
    Servers::Request request{index * numPipes + static_cast<unsigned>(pipe),
                             cost.bytes,
                             cost.rate,
                             cost.missedRate,
                             cost.missedRowCycles,
                             cost.writes,
                             head.form() == Form::NdToNz,
                             !head.flag("nocache")};
    double latency = servers.begin(now, request, accesses);
    times.extra = cost.cycles + (warm ? 0 : latency);
    times.plain += warm ? 0 : latency;
    watchServers();
  }

  void notePeak(const Issued &head, Pipe pipe) {
    if (pipe != Pipe::M)
      return;
    const CubeTile *tile = device.cube.find(head.in->type, head.in->type2);
    double peak =
        2.0 * tile->m * tile->n * tile->k / tile->cycles * device.groups * device.aicPerGroup;
    report.peakOperationsPerCycle = std::max(report.peakOperationsPerCycle, peak);
  }

  // One event stands for the next transfer that ends; an older one that comes late does nothing.
  void watchServers() {
    if (!servers.any())
      return;
    schedule(std::max(now, servers.nextEnd()), EventKind::Servers, 0);
    serversEvent = sequence;
  }

  void serversEnd(uint64_t event) {
    if (event != serversEvent)
      return;
    owners.clear();
    servers.finish(now, owners);
    for (unsigned owner : owners) {
      Slot::PipeTimes &times = slots[owner / numPipes].pipes[owner % numPipes];
      times.fixed = true;
      schedule(now + times.extra, EventKind::PipeEnd, owner / numPipes,
               static_cast<Pipe>(owner % numPipes));
    }
    watchServers();
  }

  void endOf(unsigned index, Pipe pipe) {
    Slot &slot = slots[index];
    Core &core = *slot.core;
    Slot::PipeTimes &times = slot.pipes[static_cast<unsigned>(pipe)];
    const Issued &head = core.head(pipe);
    PipeTime &pipeTime = report.cores[slot.report].pipes[static_cast<unsigned>(pipe)];
    pipeTime.busy += now - times.begin;
    pipeTime.waitMemory += std::max(0.0, now - times.begin - times.plain);
    ++pipeTime.instructions;
    if (trace)
      report.spans.push_back({slot.report, pipe, head.index, times.begin, now});
    times.running = false;
    times.lastEnd = now;
    if (!(pipe == Pipe::FIX && head.flag("unit")))
      core.apply(head, pipe);
    core.setBusy(pipe, false);
    core.pop(pipe);
    CoreTime &coreTime = report.cores[slot.report];
    coreTime.end = std::max(coreTime.end, now);
    touched.push_back(index);
  }

  // After anything has changed on a core: its pipes, its scalar unit and others may go on.
  void settle() {
    for (size_t i = 0; i < touched.size(); ++i) {
      unsigned index = touched[i];
      postOutbox(index);
      for (unsigned p = 1; p < numPipes; ++p)
        if (!slots[index].pipes[p].running && !slots[index].core->empty(static_cast<Pipe>(p)))
          look(index, static_cast<Pipe>(p));
      postOutbox(index);
      if (slots[index].frontBlocked)
        wakeFront(index, now);
      if (!slots[index].core->fault().empty() && failure.ok())
        failure = Error{slots[index].core->fault()};
      end(index);
    }
    touched.clear();
  }

  void postOutbox(unsigned index) {
    Core &core = *slots[index].core;
    for (CrossEvent &event : std::exchange(core.outbox, {}))
      for (Delivery &delivery : flags.post(core, event)) {
        schedule(now + device.sync.crossCycles, EventKind::Deliver, 0);
        deliveries.emplace_back(sequence, std::move(delivery));
      }
  }

  void deliver(uint64_t event) {
    for (size_t i = 0; i < deliveries.size(); ++i)
      if (deliveries[i].first == event) {
        Delivery delivery = std::move(deliveries[i].second);
        deliveries.erase(deliveries.begin() + static_cast<ptrdiff_t>(i));
        delivery.to->deliver(delivery.id, delivery.counts);
        touched.push_back(byNumber[delivery.to->number]);
        return;
      }
  }

  void checkGrid() {
    std::vector<std::shared_ptr<const RemoteCounts>> sent;
    for (Slot &slot : slots)
      if (!slot.core->atGridBarrier())
        return;
    std::vector<const Core *> cores;
    for (Slot &slot : slots) {
      cores.push_back(slot.core.get());
      if (launch.checks)
        sent.push_back(slot.core->gridClock().sent(slot.core->number));
    }
    if (launch.checks && failure.ok())
      failure = findGlobalHazard(launch, cores);
    auto counts = joined(sent);
    for (unsigned i = 0; i < slots.size(); ++i) {
      slots[i].core->globalAccesses.clear();
      slots[i].core->releaseGrid(counts);
      slots[i].scalarTime = std::max(slots[i].scalarTime, now + device.sync.crossCycles);
      if (slots[i].frontBlocked)
        wakeFront(i, slots[i].scalarTime);
    }
  }

  // Where a block is done its group takes the next one.
  void end(unsigned index) {
    Slot &slot = slots[index];
    if (!slot.core->done() || ended.contains(slot.core->number))
      return;
    ended.insert(slot.core->number);
    CoreTime &times = report.cores[slot.report];
    times.end = std::max({times.end, now, slot.scalarTime});
    unsigned block = slot.core->block, next = block + device.groups;
    unsigned perGroup = device.aicPerGroup + device.aivPerGroup;
    for (unsigned i = 0; i < perGroup; ++i)
      if (!ended.contains(block * perGroup + i))
        return;
    if (next < launch.blocks)
      startNext.emplace_back(next, times.end);
    // Cores of the old block stay for the report; their memories go to the next.
    for (auto [number, time] : std::exchange(startNext, {}))
      startBlock(number, time);
  }

  Status finish() {
    std::vector<const Core *> cores;
    bool all = true;
    for (Slot &slot : slots) {
      cores.push_back(slot.core.get());
      all &= slot.core->done();
      if (slot.core->done())
        slot.core->checkLeaks();
      if (!slot.core->fault().empty())
        return Error{slot.core->fault()};
    }
    if (!all)
      return deadlock(launch, cores);
    for (const CoreTime &core : report.cores)
      report.cycles = std::max(report.cycles, core.end);
    report.memoryBytes = servers.memoryBytes();
    report.memoryCycles = servers.memoryCycles();
    return launch.checks ? findGlobalHazard(launch, cores) : Status();
  }

  const LaunchContext &launch;
  const Device &device;
  std::vector<std::vector<CoreMemory>> &memories;
  bool trace;
  Report &report;
  CrossFlags flags;
  Servers servers;
  std::deque<Slot> slots;
  std::map<unsigned, unsigned> byNumber;
  std::set<unsigned> ended;
  std::vector<std::pair<unsigned, double>> startNext;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events;
  std::vector<std::pair<uint64_t, Delivery>> deliveries;
  std::vector<unsigned> touched, owners;
  Footprint accesses;
  Status failure;
  double now = 0;
  uint64_t sequence = 0, serversEvent = 0;
};

} // namespace

Status runTimed(const LaunchContext &launch, std::vector<std::vector<CoreMemory>> &memories,
                bool trace, Report &report) {
  report.timed = true;
  report.clockMhz = launch.device.clockMhz;
  report.launchMicroseconds =
      launch.device.launchMicroseconds +
      launch.device.launchPerGroup * std::min(launch.blocks, launch.device.groups);
  return Engine(launch, memories, trace, report).run();
}

} // namespace npu
