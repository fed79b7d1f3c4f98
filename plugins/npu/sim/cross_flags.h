// Who gets a cross-core flag: mode 0 meets all cores of the setter's kind, mode 1 the vector cores
// of its block, mode 2 goes from a cube core to its vector cores, or to it once each of them has
// set.
#pragma once

#include "sim/core.h"

#include <map>

namespace npu {

struct Delivery {
  Core *to;
  unsigned id;
  std::shared_ptr<const RemoteCounts> counts;
};

class CrossFlags {
public:
  // The cores that a set can concern. They outlive this.
  explicit CrossFlags(std::vector<Core *> cores) : cores(std::move(cores)) {}
  void add(Core *core) { cores.push_back(core); }

  // Whether a set concerns more than its block.
  static bool isGlobal(const CrossEvent &event) { return event.mode == 0; }
  std::vector<Delivery> post(const Core &from, const CrossEvent &event);

private:
  using Counts = std::shared_ptr<const RemoteCounts>;
  struct Meeting {
    std::map<unsigned, std::vector<Counts>> waiting; // by core number
  };
  std::vector<Core *> members(const Core &from, unsigned mode, CoreKind kind) const;
  std::vector<Core *> cores;
  std::map<std::tuple<unsigned, unsigned, unsigned, CoreKind>, Meeting> meetings;
};

// The join of what several cores sent; null if none sent anything.
std::shared_ptr<const RemoteCounts>
joined(const std::vector<std::shared_ptr<const RemoteCounts>> &all);

} // namespace npu
