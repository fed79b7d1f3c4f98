// Global memory as all cores share it: an L2 of lines with a tag each, and three servers (L2 reads,
// L2 writes, memory behind the L2). Transfers that are under way at the same time get rates that
// are max-min fair: all grow together, until each is held by its own path or by a full server.
#pragma once

#include "device/device.h"
#include "sim/footprint.h"

#include <algorithm>
#include <vector>

namespace npu {

class L2 {
public:
  explicit L2(const GlobalSpec &spec);
  struct Outcome {
    uint64_t hits = 0, misses = 0, evictions = 0; // lines; evictions are of written lines
    uint64_t missedRows = 0;                      // rows of an access that lacked a line
    uint64_t lines() const { return hits + misses; }
  };
  // What it lacks it keeps, in place of what was used longest ago; or not, unless it is written.
  Outcome touch(const Access &access, bool write, bool keep = true);

private:
  void touchLine(uint64_t line, bool write, bool keep, Outcome &outcome);
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
    uint64_t place = 0;          // where it begins to read, and 1; 0: it writes
    double sharedRate = 0;       // of all that read this place at once; 0: no limit
    unsigned readers = 1;        // that is how many
    int leader = -1;             // owner that began with it, and is said to have missed its lines
    std::array<double, 4> use{}; // of each server, for a byte
    unsigned owner = 0;
    double most() const { return readers > 1 ? std::min(cap, sharedRate / readers) : cap; }
  };
  struct Request {
    unsigned owner;
    double bytes, rate;     // of the path
    double missedRate;      // of rows that the L2 lacks; 0: no limit
    double missedRowCycles; // of a row that the L2 lacks, at least
    bool write;
    bool rowByRow; // on its way to fractals: a row takes of the L2's time what lines take, or
                   // shortRow
    bool keep;     // in the L2
  };
  // Starts one; what it costs where is known from the lines that it touches.
  // Gives latency, which is not overlapped where the pipe was empty.
  double begin(double now, const Request &request, const Footprint &accesses);

  bool any() const { return !transfers.empty(); }
  double nextEnd() const;
  // Takes out what has ended by `now`; owners are appended in order of their start.
  void finish(double now, std::vector<unsigned> &owners);
  double memoryBytes() const { return readBytes + writtenBytes; }
  // What memory needed for them at least, given its limit for reads and the one for both ways.
  double memoryCycles() const;

private:
  // What a request does to the L2 and asks of memory, in lines and bytes.
  struct Traffic {
    L2::Outcome lines;
    double touched = 0;    // of the L2's time
    double fromMemory = 0; // with what lines have beside what is asked for
    double missed = 0;     // of rows that the L2 lacks
    double rowCycles = 0;  // of its rows one after the other, where nothing else holds them up
    uint64_t place = 0;    // as of a transfer
  };
  Traffic touch(const Request &request, const Footprint &accesses);
  void advance(double now);
  void countReaders(uint64_t place);
  void share(double now);
  bool crowded() const;
  std::array<double, 4> capacity; // L2 reads, L2 writes, memory reads, memory both ways
  const GlobalSpec &spec;
  L2 l2;
  std::vector<Transfer> transfers;
  double updated = 0, readBytes = 0, writtenBytes = 0; // of memory
};

} // namespace npu
