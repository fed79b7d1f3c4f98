// Who touched the bytes of one core memory last, and whether the next access is ordered behind
// that.
#pragma once

#include "sim/clock.h"

#include <optional>
#include <vector>

namespace npu {

struct Toucher {
  Pipe pipe = Pipe::S;
  uint32_t sequence = 0; // place in its pipe, from 1; 0 is nobody
  uint32_t instruction = 0;
};

struct Conflict {
  const char *kind; // "RAW", "WAR", "WAW"
  Toucher earlier;
  uint64_t begin, end;
};

class Shadow {
public:
  // Notes an access and gives the first earlier one it races with. `samePipeRaw`: a pipe must not
  // read what it wrote itself before it has seen a barrier.
  std::optional<Conflict> read(uint64_t begin, uint64_t end, const Toucher &by, const Clock &clock,
                               bool samePipeRaw);
  std::optional<Conflict> write(uint64_t begin, uint64_t end, const Toucher &by,
                                const Clock &clock);
  void clear() { cells.clear(); }

private:
  // Cells are sorted, do not overlap, and hold bytes with one history.
  struct Cell {
    uint64_t begin, end;
    Toucher writer;
    std::array<uint32_t, 8> readSequence{}, readInstruction{};
  };
  // Splits cells so that [begin, end) is covered by whole ones, and gives the first.
  size_t cover(uint64_t begin, uint64_t end);
  size_t splitAt(size_t index, uint64_t place);
  std::vector<Cell> cells;
};

} // namespace npu
