#include "sim/cross_flags.h"

namespace npu {

std::shared_ptr<const RemoteCounts>
joined(const std::vector<std::shared_ptr<const RemoteCounts>> &all) {
  Clock clock;
  for (const auto &counts : all)
    clock.joinRemote(counts);
  return clock.remote;
}

std::vector<Core *> CrossFlags::members(const Core &from, unsigned mode, CoreKind kind) const {
  std::vector<Core *> result;
  for (Core *core : cores)
    if (core->kind == kind && (mode == 0 || core->block == from.block))
      result.push_back(core);
  return result;
}

std::vector<Delivery> CrossFlags::post(const Core &from, const CrossEvent &event) {
  std::vector<Delivery> deliveries;
  CoreKind other = from.kind == CoreKind::Aic ? CoreKind::Aiv : CoreKind::Aic;
  if (event.mode == 2 && from.kind == CoreKind::Aic) {
    for (Core *core : members(from, 2, other))
      deliveries.push_back({core, event.id, event.counts});
    return deliveries;
  }
  // The others meet: once each member has set, all of them are counted up, or the cube core is.
  std::vector<Core *> setters = members(from, event.mode, from.kind);
  unsigned block = event.mode == 0 ? 0 : from.block;
  Meeting &meeting = meetings[{event.mode, event.id, block, from.kind}];
  meeting.waiting[from.number].push_back(event.counts);
  for (Core *core : setters)
    if (meeting.waiting[core->number].empty())
      return deliveries;
  std::vector<Counts> sent;
  for (Core *core : setters) {
    auto &queue = meeting.waiting[core->number];
    sent.push_back(queue.front());
    queue.erase(queue.begin());
  }
  Counts counts = joined(sent);
  for (Core *core : event.mode == 2 ? members(from, 2, other) : setters)
    deliveries.push_back({core, event.id, counts});
  return deliveries;
}

} // namespace npu
