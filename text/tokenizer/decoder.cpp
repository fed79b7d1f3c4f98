#include "text/tokenizer/decoder.h"

#include <memory>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "text/tokenizer/byte_alphabet.h"
#include "text/tokenizer/normalizer.h"
#include "text/tokenizer/pattern.h"
#include "text/tokenizer/utf8.h"

namespace lathe::text {
namespace {

using Step = Decoder::Step;
using Tokens = std::vector<std::string>;
constexpr size_t kMaxSteps = 256;

absl::Status decodeByteLevel(Tokens &tokens) {
  std::string bytes;
  for (const std::string &token : tokens)
    appendFromByteAlphabet(bytes, token);
  tokens = {repairUtf8(bytes)};
  return absl::OkStatus();
}

// "<0x0A>" and the like.
std::optional<char> byteOf(absl::string_view token) {
  if (token.size() != 6 || !absl::StartsWith(token, "<0x") || token[5] != '>')
    return std::nullopt;
  int value = 0;
  // Rust's from_str_radix takes a sign, so "<0x+A>" is a byte as well.
  absl::string_view digits = token.substr(3, 2);
  absl::ConsumePrefix(&digits, "+");
  for (char digit : digits) {
    if (!absl::ascii_isxdigit(digit))
      return std::nullopt;
    value = value * 16 +
            (absl::ascii_isdigit(digit) ? digit - '0' : absl::ascii_tolower(digit) - 'a' + 10);
  }
  return static_cast<char>(value);
}

// A run of bytes that is not UTF-8 becomes one U+FFFD a byte.
void flushBytes(std::string &bytes, Tokens &out) {
  if (validPrefix(bytes) == bytes.size() && !bytes.empty())
    out.push_back(bytes);
  else
    out.insert(out.end(), bytes.size(), "\xEF\xBF\xBD");
  bytes.clear();
}

absl::Status decodeByteFallback(Tokens &tokens) {
  Tokens out;
  std::string bytes;
  for (std::string &token : tokens) {
    if (std::optional<char> byte = byteOf(token)) {
      bytes += *byte;
      continue;
    }
    flushBytes(bytes, out);
    out.push_back(std::move(token));
  }
  flushBytes(bytes, out);
  tokens = std::move(out);
  return absl::OkStatus();
}

absl::Status fuse(Tokens &tokens) {
  tokens = {absl::StrJoin(tokens, "")};
  return absl::OkStatus();
}

absl::StatusOr<Step> readMetaspace(const JsonField &field) {
  LATHE_ASSIGN_OR_RETURN(std::string mark, field.character("replacement"));
  bool prepends = true;
  if (field.has("prepend_scheme")) {
    LATHE_ASSIGN_OR_RETURN(std::string scheme, field.string("prepend_scheme"));
    prepends = scheme != "never";
  } else {
    LATHE_ASSIGN_OR_RETURN(prepends, field.boolean("add_prefix_space", true));
  }
  return [=](Tokens &tokens) {
    for (size_t i = 0; i < tokens.size(); ++i)
      absl::StrReplaceAll({{mark, i == 0 && prepends ? "" : " "}}, &tokens[i]);
    return absl::OkStatus();
  };
}

absl::StatusOr<Step> readReplace(const JsonField &field) {
  LATHE_ASSIGN_OR_RETURN(JsonField pattern_field, field.member("pattern"));
  LATHE_ASSIGN_OR_RETURN(Pattern read, Pattern::read(pattern_field));
  LATHE_ASSIGN_OR_RETURN(std::string content, field.string("content"));
  auto pattern = std::make_shared<const Pattern>(std::move(read));
  return [pattern, content](Tokens &tokens) -> absl::Status {
    for (std::string &token : tokens) {
      LATHE_ASSIGN_OR_RETURN(std::vector<Range> matches, pattern->findAll(token));
      LATHE_ASSIGN_OR_RETURN(token,
                             replaceMatches(token, matches, content, growthLimit(token.size())));
    }
    return absl::OkStatus();
  };
}

std::string strip(absl::string_view token, absl::string_view content, int64_t start, int64_t stop) {
  for (int64_t i = 0; i < start && absl::ConsumePrefix(&token, content); ++i)
    continue;
  for (int64_t i = 0; i < stop && absl::ConsumeSuffix(&token, content); ++i)
    continue;
  return std::string(token);
}

absl::StatusOr<Step> readStrip(const JsonField &field) {
  LATHE_ASSIGN_OR_RETURN(std::string content, field.character("content"));
  LATHE_ASSIGN_OR_RETURN(int64_t start, field.integer("start", 0, INT32_MAX));
  LATHE_ASSIGN_OR_RETURN(int64_t stop, field.integer("stop", 0, INT32_MAX));
  return [=](Tokens &tokens) {
    for (std::string &token : tokens)
      token = strip(token, content, start, stop);
    return absl::OkStatus();
  };
}

absl::StatusOr<Step> readBpeDecoder(const JsonField &field) {
  LATHE_ASSIGN_OR_RETURN(std::string suffix, field.string("suffix"));
  if (suffix.empty())
    return field.wrong("suffix: is empty; should be the end of a word, as '</w>'");
  return [=](Tokens &tokens) {
    for (size_t i = 0; i < tokens.size(); ++i)
      absl::StrReplaceAll({{suffix, i + 1 == tokens.size() ? "" : " "}}, &tokens[i]);
    return absl::OkStatus();
  };
}

absl::StatusOr<Step> readStep(const JsonField &field, const std::string &type) {
  if (type == "ByteLevel")
    return Step(decodeByteLevel);
  if (type == "ByteFallback")
    return Step(decodeByteFallback);
  if (type == "Fuse")
    return Step(fuse);
  if (type == "Metaspace")
    return readMetaspace(field);
  if (type == "Replace")
    return readReplace(field);
  if (type == "Strip")
    return readStrip(field);
  if (type == "BPEDecoder")
    return readBpeDecoder(field);
  return field.wrong(absl::StrCat("the decoder '", type,
                                  "' is not supported; known are ByteLevel, "
                                  "ByteFallback, Fuse, Metaspace, Replace, Strip, BPEDecoder and "
                                  "Sequence"));
}

absl::Status readInto(const JsonField &field, std::vector<Step> &steps) {
  LATHE_ASSIGN_OR_RETURN(std::string type, field.string("type"));
  if (absl::string_view(type) == "Sequence") {
    LATHE_ASSIGN_OR_RETURN(std::vector<JsonField> parts, field.list("decoders"));
    for (const JsonField &part : parts)
      LATHE_RETURN_IF_ERROR(readInto(part, steps));
    return absl::OkStatus();
  }
  if (steps.size() >= kMaxSteps)
    return field.wrong(absl::StrCat("is decoder ", steps.size() + 1, " of at most ", kMaxSteps));
  LATHE_ASSIGN_OR_RETURN(Step step, readStep(field, type));
  steps.push_back(std::move(step));
  return absl::OkStatus();
}

size_t totalSize(const Tokens &tokens) {
  size_t size = 0;
  for (const std::string &token : tokens)
    size += token.size();
  return size;
}

} // namespace

absl::StatusOr<Decoder> Decoder::read(const JsonField &field) {
  Decoder decoder;
  decoder.given_ = true;
  LATHE_RETURN_IF_ERROR(readInto(field, decoder.steps_));
  return decoder;
}

absl::StatusOr<std::string> Decoder::apply(Tokens tokens) const {
  if (!given_)
    return absl::StrJoin(tokens, " ");
  size_t limit = growthLimit(totalSize(tokens));
  for (const Step &step : steps_) {
    LATHE_RETURN_IF_ERROR(step(tokens));
    if (totalSize(tokens) > limit)
      return absl::ResourceExhaustedError(
          absl::StrCat("the decoder makes more than ", limit, " bytes of text"));
  }
  return absl::StrJoin(tokens, "");
}

} // namespace lathe::text
