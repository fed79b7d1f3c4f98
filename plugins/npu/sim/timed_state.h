// What the event loop of the timed modes keeps: events that are to come, cores at work.
#pragma once

#include "sim/core.h"

namespace npu {

enum class EventKind : uint8_t { Front, PipeEnd, PipeLook, Servers, Deliver };

struct Event {
  double time;
  EventKind kind;
  uint8_t pipe;
  uint32_t slot;
  uint64_t sequence; // the order in which events were made breaks ties
  bool operator>(const Event &other) const {
    return time != other.time ? time > other.time : sequence > other.sequence;
  }
};

// A core at work and what time it is for its parts.
struct Slot {
  std::unique_ptr<Core> core;
  unsigned report = 0; // in Report::cores
  double scalarTime = 0;
  bool frontPending = false, frontBlocked = false;
  double blockedSince = 0;
  struct PipeTimes {
    bool running = false, fixed = false; // fixed: its transfer is over, the rest is latency
    double begin = 0, lastEnd = -1, heldSince = -1, extra = 0, plain = 0, lookAt = -1;
    bool drained = true; // a barrier or a pause: the head is to be paid
  };
  std::array<PipeTimes, numPipes> pipes;
};

} // namespace npu
