#include "text/tokenizer/unigram.h"

#include <algorithm>
#include <limits>

#include "base/status.h"
#include "text/tokenizer/utf8.h"

namespace lathe::text {
namespace {

constexpr double kUnknownPenalty = 10; // below the worst token

// The best way to cut the text up to some byte.
struct Best {
  double score = 0;
  int64_t begin = -1; // of its last token; -1: none ends here
  int32_t id = -1;

  void offer(double other, size_t from, int32_t token) {
    if (begin < 0 || other > score)
      *this = {other, int64_t(from), token};
  }
};

absl::Status noTokenFor(absl::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat("the text holds '", text, "', which no token has, and model.unk_id is null"));
}

} // namespace

absl::StatusOr<std::unique_ptr<Unigram>>
Unigram::build(const JsonField &field, const Document &document, const Vocabulary &vocabulary) {
  if (document.shape != VocabularyShape::kList)
    return field.wrong("vocab: should be a list of [token, score] for a Unigram model");
  std::unique_ptr<Unigram> unigram(new Unigram(vocabulary));
  std::vector<PrefixIndex::Entry> entries;
  double worst = std::numeric_limits<double>::infinity();
  for (const VocabularyEntry &entry : document.vocabulary) {
    entries.push_back({entry.token, int32_t(entry.id)});
    unigram->scores_.push_back(entry.score);
    worst = std::min(worst, entry.score);
  }
  unigram->tokens_ = PrefixIndex(std::move(entries));
  unigram->unknown_score_ = worst - kUnknownPenalty;
  if (field.has("unk_id")) {
    LATHE_ASSIGN_OR_RETURN(int64_t unknown,
                           field.integer("unk_id", 0, int64_t(document.vocabulary.size()) - 1));
    unigram->unknown_ = int32_t(unknown);
  }
  LATHE_ASSIGN_OR_RETURN(bool byte_fallback, field.boolean("byte_fallback", false));
  if (byte_fallback)
    unigram->bytes_ = byteTokens(vocabulary);
  return unigram;
}

absl::Status Unigram::addToken(absl::string_view text, std::vector<int32_t> &ids) const {
  if (std::optional<int32_t> id = vocabulary_.find(text)) {
    ids.push_back(*id);
    return absl::OkStatus();
  }
  auto isKnown = [&](char byte) { return bytes_[static_cast<uint8_t>(byte)] >= 0; };
  if (!bytes_.empty() && std::all_of(text.begin(), text.end(), isKnown)) {
    for (char byte : text)
      ids.push_back(bytes_[static_cast<uint8_t>(byte)]);
    return absl::OkStatus();
  }
  if (!unknown_)
    return noTokenFor(text);
  ids.push_back(*unknown_);
  return absl::OkStatus();
}

absl::Status Unigram::encode(absl::string_view piece, std::vector<int32_t> &ids) const {
  std::vector<Best> best(piece.size() + 1); // by the byte where the cut ends
  for (size_t at = 0; at < piece.size();) {
    size_t one = decodeAt(piece, at).length;
    bool single = false;
    tokens_.forEachPrefix(piece.substr(at), [&](size_t length, int32_t id) {
      best[at + length].offer(best[at].score + scores_[id], at, id);
      single |= length == one;
    });
    if (!single) {
      if (!unknown_)
        return noTokenFor(piece.substr(at, one));
      best[at + one].offer(best[at].score + unknown_score_, at, *unknown_);
    }
    at += one;
  }
  std::vector<absl::string_view> cut; // from the end of the piece to its beginning
  bool fusing = false;
  for (size_t end = piece.size(); end > 0;) {
    size_t begin = best[end].begin;
    bool unknown = unknown_ && best[end].id == *unknown_;
    if (unknown && fusing)
      cut.back() = piece.substr(begin, end - begin + cut.back().size());
    else
      cut.push_back(piece.substr(begin, end - begin));
    fusing = unknown;
    end = begin;
  }
  for (auto token = cut.rbegin(); token != cut.rend(); ++token)
    LATHE_RETURN_IF_ERROR(addToken(*token, ids));
  return absl::OkStatus();
}

} // namespace lathe::text
