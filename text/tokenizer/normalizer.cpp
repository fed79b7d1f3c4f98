#include "text/tokenizer/normalizer.h"

#include <memory>

#include "base/status.h"
#include "text/tokenizer/byte_alphabet.h"
#include "text/tokenizer/charsmap.h"
#include "text/tokenizer/pattern.h"
#include "text/tokenizer/unicode.h"
#include "text/tokenizer/utf8.h"

namespace lathe::text {
namespace {

using Step = Normalizer::Step;
constexpr size_t kMaxSteps = 256;

// A step that treats every part of the text alike: what the beginning becomes tells how far it
// goes. Composition may add the next character's marks to it, hence the rounding up.
template <typename Map> Step mapping(Map map) {
  return [map](SourcedText &text) {
    absl::string_view whole = text.text;
    size_t begun = text.from_first == 0 ? 0 : map(whole.substr(0, text.from_first)).size();
    text.text = map(whole);
    text.from_first = nextBoundary(text.text, std::min(begun, text.text.size()));
    return absl::OkStatus();
  };
}

Step normalForming(NormalForm form) {
  return mapping([form](absl::string_view text) { return normalForm(text, form); });
}

template <typename Each> std::string eachCharacter(absl::string_view text, Each each) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    Decoded next = decodeAt(text, at);
    at += next.length;
    each(out, next.character);
  }
  return out;
}

std::string withoutMarks(absl::string_view text) {
  return eachCharacter(text, [](std::string &out, char32_t c) {
    if (!isMark(c))
      appendUtf8(out, c);
  });
}

// sentencepiece's nmt rules: control characters go, odd spaces become spaces.
std::string nmt(absl::string_view text) {
  return eachCharacter(text, [](std::string &out, char32_t c) {
    bool control = (c >= 0x1 && c <= 0x8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F ||
                   c == 0x8F || c == 0x9F;
    bool space = c == 0x9 || c == 0xA || c == 0xC || c == 0xD || c == 0x1680 ||
                 (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x2581 ||
                 c == 0xFEFF || c == 0xFFFD;
    if (!control)
      appendUtf8(out, space ? U' ' : c);
  });
}

absl::Status strip(SourcedText &text, bool left, bool right) {
  size_t begin = 0, end = 0; // of what stays
  bool seen = false;
  for (size_t at = 0; at < text.text.size();) {
    Decoded next = decodeAt(text.text, at);
    bool space = isWhitespace(next.character);
    if (!space && !seen)
      begin = at, seen = true;
    at += next.length;
    if (!space)
      end = at;
  }
  if (!seen)
    begin = left ? text.text.size() : 0, end = begin;
  begin = left ? begin : 0;
  end = right ? end : text.text.size();
  text.text = text.text.substr(begin, end - begin);
  text.from_first = std::min(text.from_first > begin ? text.from_first - begin : 0, end - begin);
  return absl::OkStatus();
}

absl::StatusOr<Step> readPrepend(const JsonField &field) {
  LATHE_ASSIGN_OR_RETURN(std::string prefix, field.string("prepend"));
  return [prefix](SourcedText &text) {
    if (!text.text.empty())
      text.text.insert(0, prefix);
    if (text.from_first > 0)
      text.from_first += prefix.size();
    return absl::OkStatus();
  };
}

// What replaces a match counts as coming from the last character of the match.
size_t fromFirstAfter(const std::vector<Range> &matches, size_t content, size_t from_first) {
  if (from_first == 0)
    return 0;
  size_t out = 0, at = 0;
  for (Range match : matches) {
    if (match.begin > from_first)
      break;
    out += match.begin - at;
    if (match.end > from_first)
      return out;
    out += content;
    at = match.end;
  }
  return out + from_first - at;
}

absl::StatusOr<Step> readReplace(const JsonField &field) {
  LATHE_ASSIGN_OR_RETURN(JsonField pattern_field, field.member("pattern"));
  LATHE_ASSIGN_OR_RETURN(Pattern read, Pattern::read(pattern_field));
  LATHE_ASSIGN_OR_RETURN(std::string content, field.string("content"));
  auto pattern = std::make_shared<const Pattern>(std::move(read));
  return [pattern, content](SourcedText &text) -> absl::Status {
    LATHE_ASSIGN_OR_RETURN(std::vector<Range> matches, pattern->findAll(text.text));
    text.from_first = fromFirstAfter(matches, content.size(), text.from_first);
    size_t limit = growthLimit(text.text.size());
    LATHE_ASSIGN_OR_RETURN(text.text, replaceMatches(text.text, matches, content, limit));
    return absl::OkStatus();
  };
}

absl::StatusOr<Step> readStrip(const JsonField &field) {
  LATHE_ASSIGN_OR_RETURN(bool left, field.boolean("strip_left"));
  LATHE_ASSIGN_OR_RETURN(bool right, field.boolean("strip_right"));
  return [left, right](SourcedText &text) { return strip(text, left, right); };
}

absl::StatusOr<Step> readPrecompiled(const JsonField &field) {
  LATHE_ASSIGN_OR_RETURN(std::string base64, field.string("precompiled_charsmap"));
  absl::StatusOr<CharsMap> decoded = CharsMap::decode(base64);
  if (!decoded.ok()) {
    LATHE_ASSIGN_OR_RETURN(JsonField place, field.member("precompiled_charsmap"));
    return place.wrong(decoded.status().message());
  }
  auto map = std::make_shared<const CharsMap>(*std::move(decoded));
  return mapping([map](absl::string_view text) { return map->apply(text); });
}

absl::StatusOr<Step> readStep(const JsonField &field, const std::string &type) {
  if (type == "NFC")
    return normalForming(NormalForm::kNfc);
  if (type == "NFD")
    return normalForming(NormalForm::kNfd);
  if (type == "NFKC")
    return normalForming(NormalForm::kNfkc);
  if (type == "NFKD")
    return normalForming(NormalForm::kNfkd);
  if (type == "Lowercase")
    return mapping(lowercase);
  if (type == "StripAccents")
    return mapping(withoutMarks);
  if (type == "Nmt")
    return mapping(nmt);
  if (type == "ByteLevel")
    return mapping(toByteAlphabet);
  if (type == "Prepend")
    return readPrepend(field);
  if (type == "Replace")
    return readReplace(field);
  if (type == "Strip")
    return readStrip(field);
  if (type == "Precompiled")
    return readPrecompiled(field);
  return field.wrong(absl::StrCat(
      "the normalizer '", type,
      "' is not supported; known are NFC, NFD, NFKC, NFKD, Lowercase, "
      "StripAccents, Nmt, ByteLevel, Prepend, Replace, Strip, Precompiled and Sequence"));
}

absl::Status readInto(const JsonField &field, std::vector<Step> &steps) {
  LATHE_ASSIGN_OR_RETURN(std::string type, field.string("type"));
  if (absl::string_view(type) == "Sequence") {
    LATHE_ASSIGN_OR_RETURN(std::vector<JsonField> parts, field.list("normalizers"));
    for (const JsonField &part : parts)
      LATHE_RETURN_IF_ERROR(readInto(part, steps));
    return absl::OkStatus();
  }
  if (steps.size() >= kMaxSteps)
    return field.wrong(absl::StrCat("is normalizer ", steps.size() + 1, " of at most ", kMaxSteps));
  LATHE_ASSIGN_OR_RETURN(Step step, readStep(field, type));
  steps.push_back(std::move(step));
  return absl::OkStatus();
}

} // namespace

size_t growthLimit(size_t size) { return (size_t(16) << 20) + 32 * size; }

absl::StatusOr<Normalizer> Normalizer::read(const JsonField &field) {
  Normalizer normalizer;
  LATHE_RETURN_IF_ERROR(readInto(field, normalizer.steps_));
  return normalizer;
}

absl::Status Normalizer::apply(SourcedText &text) const {
  size_t size = text.text.size(), limit = growthLimit(size);
  for (const Step &step : steps_) {
    LATHE_RETURN_IF_ERROR(step(text));
    if (text.text.size() > limit)
      return absl::ResourceExhaustedError(absl::StrCat("the normalizer makes ", size,
                                                       " bytes of text into ", text.text.size(),
                                                       ", more than the allowed ", limit));
  }
  return absl::OkStatus();
}

} // namespace lathe::text
