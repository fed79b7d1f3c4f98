// A text that is being cut into pieces, each of which the model will take for itself.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "text/tokenizer/regex.h"

namespace lathe::text {

// A piece: bytes [begin, end) of Pieces::text, never empty.
struct Piece {
  size_t begin, end;
  // The piece begins with what the user's text begins with, and so many of its bytes come from the
  // first character of that text (see SourcedText).
  bool at_start;
  size_t from_first;
};

// What becomes of the matches when a piece is cut (Hugging Face's SplitDelimiterBehavior).
enum class SplitBehavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

// The pieces stand in `text` in order and do not overlap.
struct Pieces {
  std::string text;
  std::vector<Piece> pieces;

  absl::string_view view(const Piece &piece) const {
    return absl::string_view(text).substr(piece.begin, piece.end - piece.begin);
  }
};

// Bytes [begin, end) of a piece as a piece. Offsets count from the piece's own beginning.
Piece subPiece(const Piece &piece, size_t begin, size_t end);

// Finds the matches in one piece, as ranges that do not overlap, in order.
using Finder = std::function<absl::StatusOr<std::vector<Range>>(absl::string_view)>;

// Cuts every piece at its matches. `invert` swaps matches and what lies between them.
absl::Status split(Pieces &pieces, const Finder &find, SplitBehavior behavior, bool invert = false);

// Each character of one kind as a match of its own.
Finder eachCharacterThat(bool (*is)(char32_t));

// Writes every piece anew: `rewrite(piece's text, piece, out)` appends its text to `out` and
// corrects piece.from_first.
template <typename Rewrite> void rewriteEach(Pieces &pieces, Rewrite rewrite) {
  std::string out;
  out.reserve(pieces.text.size() * 2);
  for (Piece &piece : pieces.pieces) {
    size_t begin = out.size();
    rewrite(pieces.view(piece), piece, out);
    piece.begin = begin;
    piece.end = out.size();
  }
  pieces.text = std::move(out);
}

} // namespace lathe::text
