#include "text/tokenizer/pre_tokenizer.h"

#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "base/status.h"
#include "text/tokenizer/byte_alphabet.h"
#include "text/tokenizer/pattern.h"
#include "text/tokenizer/unicode.h"
#include "text/tokenizer/utf8.h"

namespace lathe::text {
namespace {

using Step = PreTokenizer::Step;
constexpr size_t kMaxSteps = 256;

constexpr absl::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

absl::StatusOr<SplitBehavior> readBehavior(const JsonField &field) {
  LATHE_ASSIGN_OR_RETURN(std::string name, field.string("behavior"));
  if (name == "Removed")
    return SplitBehavior::kRemoved;
  if (name == "Isolated")
    return SplitBehavior::kIsolated;
  if (name == "MergedWithPrevious")
    return SplitBehavior::kMergedWithPrevious;
  if (name == "MergedWithNext")
    return SplitBehavior::kMergedWithNext;
  if (name == "Contiguous")
    return SplitBehavior::kContiguous;
  LATHE_ASSIGN_OR_RETURN(JsonField place, field.member("behavior"));
  return place.wrong(absl::StrCat("is '", name,
                                  "'; should be Removed, Isolated, "
                                  "MergedWithPrevious, MergedWithNext or Contiguous"));
}

Step splitting(Finder find, SplitBehavior behavior, bool invert = false) {
  return [=](Pieces &pieces) { return split(pieces, find, behavior, invert); };
}

Finder finderOf(Regex regex) {
  return [regex](absl::string_view text) { return regex.findAll(text); };
}

absl::StatusOr<Step> readSplit(const JsonField &field) {
  LATHE_ASSIGN_OR_RETURN(JsonField pattern_field, field.member("pattern"));
  LATHE_ASSIGN_OR_RETURN(Pattern read, Pattern::read(pattern_field));
  LATHE_ASSIGN_OR_RETURN(SplitBehavior behavior, readBehavior(field));
  LATHE_ASSIGN_OR_RETURN(bool invert, field.boolean("invert"));
  auto pattern = std::make_shared<const Pattern>(std::move(read));
  return splitting([pattern](absl::string_view text) { return pattern->findAll(text); }, behavior,
                   invert);
}

void prepend(Pieces &pieces, absl::string_view prefix, bool only_first) {
  rewriteEach(pieces, [&](absl::string_view text, Piece &piece, std::string &out) {
    if (!absl::StartsWith(text, prefix) && (!only_first || piece.at_start)) {
      absl::StrAppend(&out, prefix);
      if (piece.from_first > 0)
        piece.from_first += prefix.size();
    }
    absl::StrAppend(&out, text);
  });
}

void spellBytes(Pieces &pieces) {
  rewriteEach(pieces, [](absl::string_view text, Piece &piece, std::string &out) {
    piece.from_first = toByteAlphabet(text.substr(0, piece.from_first)).size();
    out += toByteAlphabet(text);
  });
}

absl::StatusOr<Step> readByteLevel(const JsonField &field) {
  LATHE_ASSIGN_OR_RETURN(bool add_prefix_space, field.boolean("add_prefix_space"));
  LATHE_ASSIGN_OR_RETURN(bool use_regex, field.boolean("use_regex", true));
  Finder words;
  if (use_regex) {
    LATHE_ASSIGN_OR_RETURN(Regex regex, Regex::compile(kGpt2Pattern));
    words = finderOf(std::move(regex));
  }
  return [=](Pieces &pieces) -> absl::Status {
    if (add_prefix_space)
      prepend(pieces, " ", false);
    if (words)
      LATHE_RETURN_IF_ERROR(split(pieces, words, SplitBehavior::kIsolated));
    spellBytes(pieces);
    return absl::OkStatus();
  };
}

enum class PrependScheme { kAlways, kFirst, kNever };

absl::StatusOr<PrependScheme> readPrependScheme(const JsonField &field) {
  std::string scheme = "always";
  if (field.has("prepend_scheme")) {
    LATHE_ASSIGN_OR_RETURN(scheme, field.string("prepend_scheme"));
  }
  LATHE_ASSIGN_OR_RETURN(bool add_prefix_space, field.boolean("add_prefix_space", true));
  if (scheme == "never" || (!add_prefix_space && !field.has("prepend_scheme")))
    return PrependScheme::kNever;
  if (!add_prefix_space)
    return field.wrong(absl::StrCat("has add_prefix_space false but prepend_scheme '", scheme,
                                    "'; they should agree"));
  if (scheme == "always")
    return PrependScheme::kAlways;
  if (scheme == "first")
    return PrependScheme::kFirst;
  LATHE_ASSIGN_OR_RETURN(JsonField place, field.member("prepend_scheme"));
  return place.wrong(absl::StrCat("is '", scheme, "'; should be always, first or never"));
}

void replaceSpaces(Pieces &pieces, absl::string_view replacement) {
  auto replaced = [&](absl::string_view text) {
    return absl::StrReplaceAll(text, {{" ", replacement}});
  };
  rewriteEach(pieces, [&](absl::string_view text, Piece &piece, std::string &out) {
    piece.from_first = replaced(text.substr(0, piece.from_first)).size();
    out += replaced(text);
  });
}

absl::StatusOr<Step> readMetaspace(const JsonField &field) {
  LATHE_ASSIGN_OR_RETURN(std::string replacement, field.character("replacement"));
  LATHE_ASSIGN_OR_RETURN(PrependScheme scheme, readPrependScheme(field));
  LATHE_ASSIGN_OR_RETURN(bool cut, field.boolean("split", true));
  Finder marks = [replacement](absl::string_view text) -> absl::StatusOr<std::vector<Range>> {
    std::vector<Range> matches;
    for (size_t at = 0; (at = text.find(replacement, at)) != text.npos; at += replacement.size())
      matches.push_back({at, at + replacement.size()});
    return matches;
  };
  return [=](Pieces &pieces) -> absl::Status {
    replaceSpaces(pieces, replacement);
    if (scheme != PrependScheme::kNever)
      prepend(pieces, replacement, scheme == PrependScheme::kFirst);
    return cut ? split(pieces, marks, SplitBehavior::kMergedWithNext) : absl::OkStatus();
  };
}

absl::StatusOr<Step> readPunctuation(const JsonField &field) {
  SplitBehavior behavior = SplitBehavior::kIsolated;
  if (field.has("behavior")) {
    LATHE_ASSIGN_OR_RETURN(behavior, readBehavior(field));
  }
  return splitting(eachCharacterThat(isPunctuation), behavior);
}

absl::StatusOr<Step> readDigits(const JsonField &field) {
  LATHE_ASSIGN_OR_RETURN(bool individual, field.boolean("individual_digits"));
  return splitting(eachCharacterThat(isNumeric),
                   individual ? SplitBehavior::kIsolated : SplitBehavior::kContiguous);
}

// \w+|[^\w\s]+ as Rust's regex reads it: runs of word characters, runs of neither word nor space.
absl::StatusOr<std::vector<Range>> findWords(absl::string_view text) {
  auto kindAt = [&](Decoded next) {
    return isWord(next.character) ? 1 : isWhitespace(next.character) ? 0 : 2;
  };
  std::vector<Range> matches;
  int previous = 0;
  for (size_t at = 0; at < text.size();) {
    Decoded next = decodeAt(text, at);
    int kind = kindAt(next);
    if (kind != 0 && kind == previous)
      matches.back().end = at + next.length;
    else if (kind != 0)
      matches.push_back({at, at + next.length});
    previous = kind;
    at += next.length;
  }
  return matches;
}

absl::StatusOr<Step> readStep(const JsonField &field, const std::string &type) {
  if (type == "Split")
    return readSplit(field);
  if (type == "ByteLevel")
    return readByteLevel(field);
  if (type == "Metaspace")
    return readMetaspace(field);
  if (type == "Digits")
    return readDigits(field);
  if (type == "Punctuation")
    return readPunctuation(field);
  if (type == "Whitespace")
    return splitting(findWords, SplitBehavior::kRemoved, /*invert=*/true);
  if (type == "WhitespaceSplit")
    return splitting(eachCharacterThat(isWhitespace), SplitBehavior::kRemoved);
  return field.wrong(absl::StrCat(
      "the pre-tokenizer '", type,
      "' is not supported; known are Split, ByteLevel, Metaspace, "
      "Digits, Punctuation, Whitespace, WhitespaceSplit, BertPreTokenizer and Sequence"));
}

absl::Status readInto(const JsonField &field, std::vector<Step> &steps) {
  LATHE_ASSIGN_OR_RETURN(std::string type, field.string("type"));
  if (absl::string_view(type) == "Sequence") {
    LATHE_ASSIGN_OR_RETURN(std::vector<JsonField> parts, field.list("pretokenizers"));
    for (const JsonField &part : parts)
      LATHE_RETURN_IF_ERROR(readInto(part, steps));
    return absl::OkStatus();
  }
  if (steps.size() >= kMaxSteps)
    return field.wrong(
        absl::StrCat("is pre-tokenizer ", steps.size() + 1, " of at most ", kMaxSteps));
  if (type == "BertPreTokenizer") {
    steps.push_back(splitting(eachCharacterThat(isWhitespace), SplitBehavior::kRemoved));
    steps.push_back(splitting(eachCharacterThat(isPunctuation), SplitBehavior::kIsolated));
    return absl::OkStatus();
  }
  LATHE_ASSIGN_OR_RETURN(Step step, readStep(field, type));
  steps.push_back(std::move(step));
  return absl::OkStatus();
}

} // namespace

absl::StatusOr<PreTokenizer> PreTokenizer::read(const JsonField &field) {
  PreTokenizer pre_tokenizer;
  LATHE_RETURN_IF_ERROR(readInto(field, pre_tokenizer.steps_));
  return pre_tokenizer;
}

absl::Status PreTokenizer::apply(Pieces &pieces) const {
  size_t size = pieces.text.size();
  for (const Step &step : steps_) {
    LATHE_RETURN_IF_ERROR(step(pieces));
    if (pieces.text.size() > (size_t(16) << 20) + 32 * size)
      return absl::ResourceExhaustedError(absl::StrCat("the pre-tokenizer makes ", size,
                                                       " bytes of text into ", pieces.text.size()));
  }
  return absl::OkStatus();
}

} // namespace lathe::text
