#include "text/tokenizer/added_tokens.h"

#include <algorithm>

#include "base/status.h"
#include "text/tokenizer/unicode.h"
#include "text/tokenizer/utf8.h"

namespace lathe::text {
namespace {

constexpr size_t kMaxContent = 1024;

// The last character that ends at byte `end`; `end` > 0.
Decoded characterBefore(absl::string_view text, size_t end) {
  size_t begin = end - 1;
  while (begin > 0 && (static_cast<uint8_t>(text[begin]) & 0xC0) == 0x80)
    --begin;
  return decodeAt(text, begin);
}

bool standsAlone(absl::string_view text, Range range) {
  bool word_before = range.begin > 0 && isWord(characterBefore(text, range.begin).character);
  bool word_behind = range.end < text.size() && isWord(decodeAt(text, range.end).character);
  return !word_before && !word_behind;
}

size_t withoutSpaceBefore(absl::string_view text, size_t begin) {
  while (begin > 0) {
    Decoded last = characterBefore(text, begin);
    if (!isWhitespace(last.character))
      break;
    begin -= last.length;
  }
  return begin;
}

size_t withoutSpaceBehind(absl::string_view text, size_t end) {
  while (end < text.size() && isWhitespace(decodeAt(text, end).character))
    end += decodeAt(text, end).length;
  return end;
}

absl::StatusOr<AddedToken> readToken(const JsonField &field) {
  AddedToken token;
  LATHE_ASSIGN_OR_RETURN(token.content, field.string("content"));
  LATHE_ASSIGN_OR_RETURN(token.special, field.boolean("special"));
  LATHE_ASSIGN_OR_RETURN(token.single_word, field.boolean("single_word"));
  LATHE_ASSIGN_OR_RETURN(token.lstrip, field.boolean("lstrip"));
  LATHE_ASSIGN_OR_RETURN(token.rstrip, field.boolean("rstrip"));
  LATHE_ASSIGN_OR_RETURN(token.normalized, field.boolean("normalized"));
  LATHE_ASSIGN_OR_RETURN(int64_t id, field.integer("id", 0, kMaxVocabulary - 1));
  token.id = int32_t(id);
  if (token.content.empty() || token.content.size() > kMaxContent) {
    LATHE_ASSIGN_OR_RETURN(JsonField place, field.member("content"));
    return place.wrong(
        absl::StrCat("has ", token.content.size(), " bytes; should have 1 to ", kMaxContent));
  }
  return token;
}

} // namespace

absl::StatusOr<AddedTokens> AddedTokens::read(const JsonField &list, const Vocabulary &vocabulary,
                                              const Normalizer &normalizer) {
  AddedTokens added;
  added.next_id_ = int64_t(vocabulary.count());
  LATHE_ASSIGN_OR_RETURN(std::vector<JsonField> fields, list.elements());
  for (const JsonField &field : fields)
    LATHE_RETURN_IF_ERROR(added.add(field, vocabulary, normalizer));
  absl::Status indexed = added.index();
  return indexed.ok() ? absl::StatusOr<AddedTokens>(std::move(added))
                      : list.wrong(indexed.message());
}

absl::Status AddedTokens::add(const JsonField &field, const Vocabulary &vocabulary,
                              const Normalizer &normalizer) {
  LATHE_ASSIGN_OR_RETURN(AddedToken token, readToken(field));
  if (by_content_.contains(token.content))
    return field.wrong(absl::StrCat("the token '", token.content, "' stands twice"));
  std::optional<int32_t> of_model = vocabulary.find(token.content);
  int64_t id = of_model ? *of_model : next_id_++;
  if (id != token.id)
    return field.wrong(absl::StrCat("id: is ", token.id, " for '", token.content, "'; ",
                                    of_model ? "the vocabulary says " : "the next free id is ",
                                    id));
  SourcedText searched{token.content, 0};
  if (token.normalized)
    LATHE_RETURN_IF_ERROR(normalizer.apply(searched));
  token.searched = std::move(searched.text);
  by_content_.emplace(token.content, tokens_.size());
  by_id_.emplace(token.id, tokens_.size());
  if (token.special)
    special_.insert(token.content);
  tokens_.push_back(std::move(token));
  return absl::OkStatus();
}

absl::Status AddedTokens::index() {
  std::vector<PrefixIndex::Entry> raw, normalized;
  for (size_t i = 0; i < tokens_.size(); ++i) {
    if (tokens_[i].searched.empty() || tokens_[i].searched.size() > kMaxContent)
      return absl::InvalidArgumentError(absl::StrCat("the normalizer makes '", tokens_[i].content,
                                                     "' into ", tokens_[i].searched.size(),
                                                     " bytes; should be 1 to ", kMaxContent));
    (tokens_[i].normalized ? normalized : raw).push_back({tokens_[i].searched, int32_t(i)});
  }
  raw_ = PrefixIndex(std::move(raw));
  normalized_ = PrefixIndex(std::move(normalized));
  const auto &sorted = normalized_.entries();
  for (size_t i = 1; i < sorted.size(); ++i)
    if (sorted[i].key == sorted[i - 1].key)
      return absl::InvalidArgumentError(
          absl::StrCat("the normalizer makes '", tokens_[sorted[i - 1].value].content, "' and '",
                       tokens_[sorted[i].value].content, "' the same text"));
  return absl::OkStatus();
}

std::vector<AddedTokens::Part> AddedTokens::cut(absl::string_view text, bool normalized) const {
  const PrefixIndex &index = normalized ? normalized_ : raw_;
  std::vector<Part> parts;
  size_t done = 0; // up to here the parts cover the text
  for (size_t at = 0; at < text.size();) {
    size_t length = 0;
    int32_t place = -1;
    if (!index.none(text[at]))
      index.forEachPrefix(text.substr(at),
                          [&](size_t size, int32_t value) { length = size, place = value; });
    if (place < 0) {
      ++at;
      continue;
    }
    const AddedToken &token = tokens_[place];
    Range range{at, at + length};
    at += length;
    if (token.single_word && !standsAlone(text, range))
      continue;
    // White space that the token before has taken is not taken again.
    if (token.lstrip)
      range.begin = std::max(withoutSpaceBefore(text, range.begin), done);
    if (token.rstrip)
      range.end = withoutSpaceBehind(text, range.end);
    if (done < range.begin)
      parts.push_back({{done, range.begin}, std::nullopt});
    parts.push_back({range, token.id});
    done = range.end;
  }
  if (done < text.size())
    parts.push_back({{done, text.size()}, std::nullopt});
  return parts;
}

std::optional<int32_t> AddedTokens::find(absl::string_view content) const {
  auto found = by_content_.find(content);
  if (found == by_content_.end())
    return std::nullopt;
  return tokens_[found->second].id;
}

const AddedToken *AddedTokens::token(int32_t id) const {
  auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &tokens_[found->second];
}

} // namespace lathe::text
