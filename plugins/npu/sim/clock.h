// What a pipe knows to be complete: vector clocks over the pipes of its core and, once cores have
// met, over the pipes of all cores. Flags carry clocks; an access that no chain of flags orders is
// a hazard.
#pragma once

#include "isa/op.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace npu {

// Counts of finished instructions, for each agent (pipe of a core): index core * 8 + pipe.
using RemoteCounts = std::vector<uint32_t>;

struct Clock {
  std::array<uint32_t, 8> local{};            // of the pipes of this core
  std::shared_ptr<const RemoteCounts> remote; // of other cores; null where nothing is known

  uint32_t of(Pipe pipe) const { return local[static_cast<unsigned>(pipe)]; }

  void join(const Clock &other) {
    for (unsigned i = 0; i < local.size(); ++i)
      local[i] = std::max(local[i], other.local[i]);
    joinRemote(other.remote);
  }

  void joinRemote(const std::shared_ptr<const RemoteCounts> &other) {
    if (!other || other == remote)
      return;
    if (!remote) {
      remote = other;
      return;
    }
    auto both = std::make_shared<RemoteCounts>(*remote);
    both->resize(std::max(both->size(), other->size()));
    for (size_t i = 0; i < other->size(); ++i)
      (*both)[i] = std::max((*both)[i], (*other)[i]);
    remote = std::move(both);
  }

  // What a flag to another core carries: the remote part with this core's own counts in it.
  std::shared_ptr<const RemoteCounts> sent(uint32_t core) const {
    auto counts =
        remote ? std::make_shared<RemoteCounts>(*remote) : std::make_shared<RemoteCounts>();
    counts->resize(std::max<size_t>(counts->size(), (core + 1) * 8));
    for (unsigned i = 0; i < 8; ++i)
      (*counts)[core * 8 + i] = std::max((*counts)[core * 8 + i], local[i]);
    return counts;
  }

  // Takes in what another core sent: its counts of this core's own pipes are local knowledge.
  void receive(const std::shared_ptr<const RemoteCounts> &counts, uint32_t core) {
    joinRemote(counts);
    for (unsigned i = 0; i < 8 && core * 8 + i < counts->size(); ++i)
      local[i] = std::max(local[i], (*counts)[core * 8 + i]);
  }

  uint32_t ofCore(uint32_t core, Pipe pipe) const {
    size_t index = core * 8 + static_cast<unsigned>(pipe);
    return remote && index < remote->size() ? (*remote)[index] : 0;
  }
};

} // namespace npu
