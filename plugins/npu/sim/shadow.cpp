#include "sim/shadow.h"

namespace npu {

// Cuts the cell at `index` in two where `place` lies inside of it; gives the index behind the cut.
size_t Shadow::splitAt(size_t index, uint64_t place) {
  if (index == cells.size() || cells[index].begin >= place)
    return index;
  Cell tail = cells[index];
  tail.begin = place;
  cells[index].end = place;
  cells.insert(cells.begin() + static_cast<ptrdiff_t>(index) + 1, tail);
  return index + 1;
}

size_t Shadow::cover(uint64_t begin, uint64_t end) {
  auto found = std::upper_bound(cells.begin(), cells.end(), begin,
                                [](uint64_t place, const Cell &cell) { return place < cell.end; });
  size_t first = static_cast<size_t>(found - cells.begin());
  if (first < cells.size() && cells[first].begin == begin && cells[first].end == end)
    return first;
  first = splitAt(first, begin);
  size_t at = first;
  for (uint64_t place = begin; place < end;) {
    if (at == cells.size() || cells[at].begin > place) {
      uint64_t stop = at == cells.size() ? end : std::min(end, cells[at].begin);
      cells.insert(cells.begin() + static_cast<ptrdiff_t>(at), Cell{place, stop, {}, {}, {}});
    } else if (cells[at].end > end) {
      splitAt(at, end);
    }
    place = cells[at++].end;
  }
  return first;
}

std::optional<Conflict> Shadow::read(uint64_t begin, uint64_t end, const Toucher &by,
                                     const Clock &clock, bool samePipeRaw) {
  std::optional<Conflict> conflict;
  for (size_t i = cover(begin, end); i < cells.size() && cells[i].begin < end; ++i) {
    Cell &cell = cells[i];
    bool other = cell.writer.pipe != by.pipe || samePipeRaw;
    if (!conflict && other && cell.writer.sequence > clock.of(cell.writer.pipe))
      conflict = Conflict{"RAW", cell.writer, cell.begin, cell.end};
    cell.readSequence[static_cast<unsigned>(by.pipe)] = by.sequence;
    cell.readInstruction[static_cast<unsigned>(by.pipe)] = by.instruction;
  }
  return conflict;
}

std::optional<Conflict> Shadow::write(uint64_t begin, uint64_t end, const Toucher &by,
                                      const Clock &clock) {
  std::optional<Conflict> conflict;
  size_t first = cover(begin, end), last = first;
  for (; last < cells.size() && cells[last].begin < end && !conflict; ++last) {
    const Cell &cell = cells[last];
    if (cell.writer.pipe != by.pipe && cell.writer.sequence > clock.of(cell.writer.pipe))
      conflict = Conflict{"WAW", cell.writer, cell.begin, cell.end};
    for (unsigned p = 0; p < numPipes; ++p) {
      Toucher reader{static_cast<Pipe>(p), cell.readSequence[p], cell.readInstruction[p]};
      if (reader.pipe != by.pipe && reader.sequence > clock.of(reader.pipe))
        conflict = Conflict{"WAR", reader, cell.begin, cell.end};
    }
  }
  if (conflict)
    return conflict;
  // What was written is one history again, so the number of cells stays that of the buffers.
  cells[first] = Cell{begin, end, by, {}, {}};
  cells.erase(cells.begin() + static_cast<ptrdiff_t>(first) + 1,
              cells.begin() + static_cast<ptrdiff_t>(last));
  return conflict;
}

} // namespace npu
