#include "text/tokenizer/bpe.h"

#include <queue>

#include "absl/container/inlined_vector.h"
#include "absl/strings/match.h"
#include "base/status.h"
#include "text/tokenizer/utf8.h"

namespace lathe::text {

// The piece as a linked list, in the order of the text.
struct Bpe::Symbols {
  absl::InlinedVector<Symbol, 32> list;

  void add(int32_t id) {
    int32_t place = int32_t(list.size());
    if (place > 0)
      list.back().next = place;
    list.push_back({id, place - 1, -1, false});
  }
};

namespace {

struct Candidate {
  uint32_t rank;
  int32_t place; // of the left symbol
  int32_t id;    // of the result
};

// std::priority_queue has the largest on top: the lowest rank, then the leftmost.
struct Later {
  bool operator()(const Candidate &a, const Candidate &b) const {
    return a.rank != b.rank ? a.rank > b.rank : a.place > b.place;
  }
};

uint64_t pairKey(int32_t left, int32_t right) {
  return uint64_t(uint32_t(left)) << 32 | uint32_t(right);
}

// "a b", with exactly one space.
bool splitLegacy(absl::string_view text, absl::string_view &left, absl::string_view &right) {
  size_t space = text.find(' ');
  if (space == text.npos || text.find(' ', space + 1) != text.npos)
    return false;
  left = text.substr(0, space);
  right = text.substr(space + 1);
  return true;
}

absl::Status refuseAffix(const JsonField &field, absl::string_view key) {
  if (!field.has(key))
    return absl::OkStatus();
  LATHE_ASSIGN_OR_RETURN(std::string affix, field.string(key));
  if (affix.empty())
    return absl::OkStatus();
  LATHE_ASSIGN_OR_RETURN(JsonField place, field.member(key));
  return place.wrong(absl::StrCat("is '", affix, "'; only null is supported"));
}

absl::Status refuseDropout(const JsonField &field) {
  if (!field.has("dropout"))
    return absl::OkStatus();
  LATHE_ASSIGN_OR_RETURN(JsonField dropout, field.member("dropout"));
  if (dropout.value().is_number() && dropout.value().get<double>() == 0)
    return absl::OkStatus();
  return dropout.wrong("is set; only null or 0 is supported, since dropout makes ids a matter of "
                       "chance");
}

} // namespace

absl::StatusOr<std::unique_ptr<Bpe>> Bpe::build(const JsonField &field, const Document &document,
                                                const Vocabulary &vocabulary) {
  if (document.shape != VocabularyShape::kObject)
    return field.wrong("vocab: should be an object of ids for a BPE model");
  if (!document.has_merges)
    return field.wrong("merges: is missing or no list");
  std::unique_ptr<Bpe> bpe(new Bpe(vocabulary));
  LATHE_RETURN_IF_ERROR(bpe->readOptions(field));
  LATHE_RETURN_IF_ERROR(bpe->readMerges(field, document.merges));
  return bpe;
}

absl::Status Bpe::readOptions(const JsonField &field) {
  LATHE_RETURN_IF_ERROR(refuseDropout(field));
  LATHE_RETURN_IF_ERROR(refuseAffix(field, "continuing_subword_prefix"));
  LATHE_RETURN_IF_ERROR(refuseAffix(field, "end_of_word_suffix"));
  LATHE_ASSIGN_OR_RETURN(fuse_unknown_, field.boolean("fuse_unk", false));
  LATHE_ASSIGN_OR_RETURN(ignore_merges_, field.boolean("ignore_merges", false));
  LATHE_ASSIGN_OR_RETURN(bool byte_fallback, field.boolean("byte_fallback", false));
  if (byte_fallback)
    bytes_ = byteTokens(vocabulary_);
  if (!field.has("unk_token"))
    return absl::OkStatus();
  LATHE_ASSIGN_OR_RETURN(std::string unknown, field.string("unk_token"));
  unknown_ = vocabulary_.find(unknown);
  if (unknown_)
    return absl::OkStatus();
  LATHE_ASSIGN_OR_RETURN(JsonField place, field.member("unk_token"));
  return place.wrong(absl::StrCat("is '", unknown, "', which is not in the vocabulary"));
}

// The token `left` + `right`. Lists of merges are mostly in the order of their results, so the
// token after the last one is tried before the hash table.
std::optional<int32_t> Bpe::joined(absl::string_view left, absl::string_view right,
                                   int64_t last) const {
  for (int64_t guess : {last, last + 1}) {
    std::optional<absl::string_view> token = vocabulary_.token(guess);
    if (token && token->size() == left.size() + right.size() && absl::StartsWith(*token, left) &&
        absl::EndsWith(*token, right))
      return int32_t(guess);
  }
  return vocabulary_.find(absl::StrCat(left, right));
}

absl::Status Bpe::readMerges(const JsonField &field, const std::vector<MergeEntry> &merges) {
  merges_.reserve(merges.size());
  int64_t last = -1;
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    absl::string_view left = merges[rank].left, right = merges[rank].right;
    auto where = [&](absl::string_view what) {
      return field.wrong(absl::StrCat("merges[", rank, "]: ", what));
    };
    if (merges[rank].legacy && absl::StartsWith(left, "#version"))
      return where("is a '#version' line, which belongs into merges.txt only");
    if (merges[rank].legacy && !splitLegacy(merges[rank].left, left, right))
      return where(absl::StrCat("is '", merges[rank].left,
                                "'; should be two tokens with one space "
                                "between them"));
    std::optional<int32_t> ids[3] = {vocabulary_.find(left), vocabulary_.find(right),
                                     joined(left, right, last)};
    for (int i = 0; i < 3; ++i)
      if (!ids[i])
        return where(absl::StrCat("names '", i == 1 ? "" : left, i == 0 ? "" : right,
                                  "', which is not in the vocabulary"));
    merges_.insert_or_assign(pairKey(*ids[0], *ids[1]), Merge{uint32_t(rank), *ids[2]});
    last = *ids[2];
  }
  return absl::OkStatus();
}

const Bpe::Merge *Bpe::mergeOf(int32_t left, int32_t right) const {
  auto found = merges_.find(pairKey(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

bool Bpe::addBytes(absl::string_view character, Symbols &symbols) const {
  if (bytes_.empty())
    return false;
  for (char byte : character)
    if (bytes_[static_cast<uint8_t>(byte)] < 0)
      return false;
  for (char byte : character)
    symbols.add(bytes_[static_cast<uint8_t>(byte)]);
  return true;
}

// An unknown token waits until the next known character: bytes in between overtake it, as they do
// in Hugging Face's merge_word.
void Bpe::firstSymbols(absl::string_view piece, Symbols &symbols) const {
  bool pending = false;
  for (size_t at = 0; at < piece.size();) {
    absl::string_view character = piece.substr(at, decodeAt(piece, at).length);
    at += character.size();
    std::optional<int32_t> id = vocabulary_.find(character);
    if (id) {
      if (std::exchange(pending, false))
        symbols.add(*unknown_);
      symbols.add(*id);
    } else if (!addBytes(character, symbols) && unknown_) {
      if (pending && !fuse_unknown_)
        symbols.add(*unknown_);
      pending = true;
    }
  }
  if (pending)
    symbols.add(*unknown_);
}

void Bpe::mergeAll(Symbols &symbols) const {
  auto &list = symbols.list;
  std::priority_queue<Candidate, absl::InlinedVector<Candidate, 32>, Later> queue;
  auto consider = [&](int32_t place) {
    if (place < 0 || list[place].next < 0)
      return;
    if (const Merge *merge = mergeOf(list[place].id, list[list[place].next].id))
      queue.push({merge->rank, place, merge->id});
  };
  for (size_t place = 0; place + 1 < list.size(); ++place)
    consider(int32_t(place));
  while (!queue.empty()) {
    Candidate best = queue.top();
    queue.pop();
    Symbol &left = list[best.place];
    if (left.merged_away || left.next < 0)
      continue;
    Symbol &right = list[left.next];
    const Merge *merge = mergeOf(left.id, right.id);
    if (!merge || merge->id != best.id)
      continue; // a neighbour has changed since
    left.id = best.id;
    left.next = right.next;
    right.merged_away = true;
    if (right.next >= 0)
      list[right.next].previous = best.place;
    consider(left.previous);
    consider(best.place);
  }
}

absl::Status Bpe::encode(absl::string_view piece, std::vector<int32_t> &ids) const {
  if (ignore_merges_) {
    if (std::optional<int32_t> whole = vocabulary_.find(piece)) {
      ids.push_back(*whole);
      return absl::OkStatus();
    }
  }
  Symbols symbols;
  firstSymbols(piece, symbols);
  mergeAll(symbols);
  for (const Symbol &symbol : symbols.list)
    if (!symbol.merged_away)
      ids.push_back(symbol.id);
  return absl::OkStatus();
}

} // namespace lathe::text
