#include "text/tokenizer/pieces.h"

#include <algorithm>

#include "base/status.h"
#include "text/tokenizer/utf8.h"

namespace lathe::text {
namespace {

struct Part {
  Range range;
  bool is_match;
};

// Matches and what lies between them, covering the whole text.
std::vector<Part> cover(const std::vector<Range> &matches, size_t size, bool invert) {
  std::vector<Part> parts;
  parts.reserve(matches.size() * 2 + 1);
  size_t at = 0;
  for (Range match : matches) {
    if (at != match.begin)
      parts.push_back({{at, match.begin}, invert});
    parts.push_back({match, !invert});
    at = match.end;
  }
  if (at != size)
    parts.push_back({{at, size}, invert});
  return parts;
}

// Joins each part with the one before it where `joins(previous is match, this is match)`.
template <typename Joins> std::vector<Part> joined(const std::vector<Part> &parts, Joins joins) {
  std::vector<Part> out;
  bool previous = false;
  for (const Part &part : parts) {
    if (!out.empty() && joins(previous, part.is_match)) {
      out.back().range.begin = std::min(out.back().range.begin, part.range.begin);
      out.back().range.end = std::max(out.back().range.end, part.range.end);
    } else {
      out.push_back({part.range, false});
    }
    previous = part.is_match;
  }
  return out;
}

bool joinsLoneMatch(bool previous, bool current) { return current && !previous; }

// What stays, with is_match marking what is dropped.
std::vector<Part> arrange(std::vector<Part> parts, SplitBehavior behavior) {
  switch (behavior) {
  case SplitBehavior::kRemoved: return parts;
  case SplitBehavior::kIsolated:
    for (Part &part : parts)
      part.is_match = false;
    return parts;
  case SplitBehavior::kContiguous:
    return joined(parts, [](bool previous, bool current) { return previous == current; });
  case SplitBehavior::kMergedWithPrevious: return joined(parts, joinsLoneMatch);
  case SplitBehavior::kMergedWithNext:
    std::reverse(parts.begin(), parts.end());
    parts = joined(parts, joinsLoneMatch);
    std::reverse(parts.begin(), parts.end());
    return parts;
  }
  return parts;
}

} // namespace

Piece subPiece(const Piece &piece, size_t begin, size_t end) {
  Piece out{piece.begin + begin, piece.begin + end, piece.at_start && begin < piece.from_first, 0};
  if (out.at_start)
    out.from_first = std::min(piece.from_first, end) - begin;
  return out;
}

absl::Status split(Pieces &pieces, const Finder &find, SplitBehavior behavior, bool invert) {
  std::vector<Piece> out;
  out.reserve(pieces.pieces.size() * 2);
  for (const Piece &piece : pieces.pieces) {
    LATHE_ASSIGN_OR_RETURN(std::vector<Range> matches, find(pieces.view(piece)));
    for (const Part &part : arrange(cover(matches, piece.end - piece.begin, invert), behavior))
      if (!part.is_match && part.range.begin < part.range.end)
        out.push_back(subPiece(piece, part.range.begin, part.range.end));
  }
  pieces.pieces = std::move(out);
  return absl::OkStatus();
}

Finder eachCharacterThat(bool (*is)(char32_t)) {
  return [is](absl::string_view text) -> absl::StatusOr<std::vector<Range>> {
    std::vector<Range> matches;
    for (size_t at = 0; at < text.size();) {
      Decoded next = decodeAt(text, at);
      if (is(next.character))
        matches.push_back({at, at + next.length});
      at += next.length;
    }
    return matches;
  };
}

} // namespace lathe::text
