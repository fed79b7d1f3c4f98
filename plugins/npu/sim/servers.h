// Global memory as all cores share it: an L2 of lines with a tag each, and three servers (L2 reads,
// L2 writes, memory behind the L2). Transfers that are under way at the same time get rates that
// are max-min fair: all grow together, until each is held by its own path or by a full server.
#pragma once

#include "device/device.h"
#include "sim/footprint.h"

#include <vector>

namespace npu {

class L2 {
public:
  explicit L2(const GlobalSpec &spec);
  struct Outcome {
    uint64_t hits = 0, misses = 0, evictions = 0; // lines; evictions are of written lines
    uint64_t lines() const { return hits + misses; }
  };
  Outcome touch(const Access &access, bool write);

private:
  void touchLine(uint64_t line, bool write, Outcome &outcome);
  unsigned ways;
  uint64_t sets;
  unsigned shift;
  std::vector<uint32_t> tags; // a set's lines, the last used first: number * 2 + written; 0 is none
};

class Servers {
public:
  explicit Servers(const Device &device);

  struct Transfer {
    double remaining = 0; // bytes, as the path counts them
    double cap = 0;       // bytes a cycle of the path
    double rate = 0, end = 0;
    std::array<double, 4> use{}; // of each server, for a byte
    unsigned owner = 0;
    bool held = false; // by a server; otherwise by its own path
  };
  struct Request {
    unsigned owner;
    double bytes, rate; // of the path
    double missedRate;  // of what the L2 does not have; 0: no limit
    bool write;
    bool rowByRow; // each row takes whole lines of the L2's time, however short it is
  };
  // Starts one; what it costs where is known from the lines that it touches.
  // Gives latency, which is not overlapped where the pipe was empty.
  double begin(double now, const Request &request, const Footprint &accesses);

  bool any() const { return !transfers.empty(); }
  double nextEnd() const;
  // Takes out what has ended by `now`; owners are appended in order of their start.
  void finish(double now, std::vector<unsigned> &owners);
  double bytesFromMemory() const { return memoryBytes; }

private:
  void advance(double now);
  void share(double now);
  bool crowded() const;
  std::array<double, 4> capacity; // L2 reads, L2 writes, memory reads, memory both ways
  const GlobalSpec &spec;
  L2 l2;
  std::vector<Transfer> transfers;
  double updated = 0, memoryBytes = 0;
};

} // namespace npu
