// Where pieces of scratch memory stand: each lives from the first launch that names it to the last,
// and takes the lowest place that is free all that time.
#include "codegen/generator.h"

#include <algorithm>

namespace npu::codegen {
namespace {

struct Piece {
  uint64_t bytes = 0, begin = 0;
  size_t first = ~size_t{0}, last = 0; // launches
};

uint64_t lowest_place(const std::vector<Piece> &placed, const Piece &piece) {
  std::vector<std::pair<uint64_t, uint64_t>> taken;
  for (const Piece &other : placed)
    if (other.first <= piece.last && piece.first <= other.last)
      taken.push_back({other.begin, other.begin + other.bytes});
  std::sort(taken.begin(), taken.end());
  uint64_t place = 0;
  for (auto [begin, end] : taken)
    if (begin < place + piece.bytes)
      place = std::max(place, end);
  return place;
}

} // namespace

void Generator::place_scratch() {
  plugin::Entry &entry = code.entries.back();
  std::vector<Piece> all(pieces.size()), placed;
  for (size_t i = 0; i < pieces.size(); ++i)
    all[i].bytes = kernels::round_up(pieces[i], 512);
  for (size_t i = 0; i < entry.launches.size(); ++i)
    for (const Source &arg : entry.launches[i].args)
      if (arg.kind == Source::Scratch) {
        all[arg.index].first = std::min(all[arg.index].first, i);
        all[arg.index].last = i;
      }
  for (Piece &piece : all) {
    if (piece.first > piece.last)
      continue; // nothing names it
    piece.begin = lowest_place(placed, piece);
    placed.push_back(piece);
    entry.scratch_bytes = std::max(entry.scratch_bytes, piece.begin + piece.bytes);
  }
  for (Launch &launch : entry.launches)
    for (Source &arg : launch.args)
      if (arg.kind == Source::Scratch) {
        arg.offset += all[arg.index].begin;
        arg.index = 0;
      }
}

} // namespace npu::codegen
