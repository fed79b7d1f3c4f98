#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/tokenizer/regex.h"

#include <chrono>
#include <optional>

#include <pcre2.h>

#include "base/status.h"
#include "text/tokenizer/oniguruma.h"
#include "text/tokenizer/utf8.h"

namespace lathe::text {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMaxPattern = 1 << 16;
constexpr uint32_t kHeapKibibytes = 1 << 17;
// A call tries so many starting places before the clock is looked at.
constexpr size_t kWindow = 256;

template <auto Free> struct Deleter {
  template <typename T> void operator()(T *pointer) const { Free(pointer); }
};
using MatchData = std::unique_ptr<pcre2_match_data, Deleter<pcre2_match_data_free>>;
using MatchContext = std::unique_ptr<pcre2_match_context, Deleter<pcre2_match_context_free>>;
using CompileContext = std::unique_ptr<pcre2_compile_context, Deleter<pcre2_compile_context_free>>;

std::string errorText(int code) {
  PCRE2_UCHAR buffer[256] = {};
  pcre2_get_error_message(code, buffer, sizeof buffer);
  return reinterpret_cast<const char *>(buffer);
}

// One pass over one text.
class Search {
public:
  Search(const pcre2_code *code, const std::string &pattern, absl::string_view text)
      : code_(code), pattern_(pattern), text_(text),
        data_(pcre2_match_data_create_from_pattern(code, nullptr)),
        context_(pcre2_match_context_create(nullptr)) {
    // A sound pattern takes at most a few steps for each byte that it looks at.
    pcre2_set_match_limit(context_.get(),
                          uint32_t(std::min<size_t>(10'000 + 8 * text.size(), 1u << 30)));
    pcre2_set_heap_limit(context_.get(), kHeapKibibytes);
  }

  // The first match at or behind `from`.
  absl::StatusOr<std::optional<Range>> next(size_t from) {
    while (true) {
      size_t limit = nextBoundary(text_, std::min(from + kWindow, text_.size()));
      pcre2_set_offset_limit(context_.get(), limit);
      int result = match(from);
      if (result >= 0) {
        const PCRE2_SIZE *found = pcre2_get_ovector_pointer(data_.get());
        if (found[0] > found[1] || found[0] < from) // \K in a lookaround
          return absl::InvalidArgumentError(
              absl::StrCat("the regex '", pattern_, "' gives matches that overlap"));
        return Range{found[0], found[1]};
      }
      if (result != PCRE2_ERROR_NOMATCH)
        return exhausted(errorText(result));
      if (limit == text_.size())
        return std::nullopt;
      from = limit;
      LATHE_RETURN_IF_ERROR(checkClock());
    }
  }

  absl::Status checkClock() const {
    auto allowed = std::chrono::seconds(5) + std::chrono::microseconds(10 * text_.size());
    if (Clock::now() - begin_ < allowed)
      return absl::OkStatus();
    return exhausted("it takes too long");
  }

private:
  int match(size_t from) {
    auto subject = reinterpret_cast<PCRE2_SPTR>(text_.data());
    int result = pcre2_match(code_, subject, text_.size(), from, PCRE2_NO_UTF_CHECK, data_.get(),
                             context_.get());
    if (result == PCRE2_ERROR_JIT_STACKLIMIT) // the interpreter keeps its frames on the heap
      result = pcre2_match(code_, subject, text_.size(), from, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT,
                           data_.get(), context_.get());
    return result;
  }

  absl::Status exhausted(absl::string_view why) const {
    return absl::ResourceExhaustedError(absl::StrCat("the regex '", pattern_, "' gives up on ",
                                                     text_.size(), " bytes of text: ", why,
                                                     "; it backtracks without end"));
  }

  const pcre2_code *code_;
  const std::string &pattern_;
  absl::string_view text_;
  MatchData data_;
  MatchContext context_;
  Clock::time_point begin_ = Clock::now();
};

} // namespace

absl::StatusOr<Regex> Regex::compile(absl::string_view pattern) {
  if (pattern.size() > kMaxPattern)
    return absl::InvalidArgumentError(absl::StrCat(
        "the regex has ", pattern.size(), " bytes, more than the ", kMaxPattern, " that are read"));
  LATHE_ASSIGN_OR_RETURN(std::string translated, fromOniguruma(pattern));
  CompileContext context(pcre2_compile_context_create(nullptr));
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int code = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code *compiled = pcre2_compile(
      reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
      PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C | PCRE2_USE_OFFSET_LIMIT,
      &code, &offset, context.get());
  if (!compiled)
    return absl::InvalidArgumentError(
        absl::StrCat("the regex '", pattern, "' is broken: ", errorText(code)));
  Regex regex;
  regex.pattern_ = std::string(pattern);
  regex.code_ = std::shared_ptr<pcre2_code>(compiled, pcre2_code_free);
  pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE); // only faster; without it the interpreter runs
  return regex;
}

absl::StatusOr<std::vector<Range>> Regex::findAll(absl::string_view text) const {
  std::vector<Range> matches;
  Search search(code_.get(), pattern_, text);
  size_t from = 0;
  while (from <= text.size()) {
    LATHE_ASSIGN_OR_RETURN(std::optional<Range> found, search.next(from));
    if (!found)
      break;
    bool empty = found->begin == found->end;
    if (empty && !matches.empty() && matches.back().end == found->end) {
      from = nextBoundary(text, from + 1);
      continue;
    }
    matches.push_back(*found);
    from = found->end;
    LATHE_RETURN_IF_ERROR(search.checkClock());
  }
  return matches;
}

} // namespace lathe::text
