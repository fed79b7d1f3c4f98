#include "text/tokenizer/packed_lists.h"

#include <charconv>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "text/tokenizer/utf8.h"

namespace lathe::text {
namespace {

constexpr int kMaxDepth = 64;

// Walks over JSON text. Every function returns false on what it does not expect.
class Scanner {
public:
  explicit Scanner(absl::string_view text) : text_(text) {}

  size_t at() const { return at_; }
  bool done() const { return at_ >= text_.size(); }

  void space() {
    while (!done() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r'))
      ++at_;
  }
  bool sees(char c) {
    space();
    return !done() && text_[at_] == c;
  }
  bool take(char c) {
    if (!sees(c))
      return false;
    ++at_;
    return true;
  }

  // A string, decoded to `out`, which has room for it.
  bool string(char *&out, absl::string_view &value) {
    char *begin = out;
    if (!take('"'))
      return false;
    while (!done()) {
      char c = text_[at_++];
      if (c == '"') {
        value = {begin, size_t(out - begin)};
        return true;
      }
      if (static_cast<uint8_t>(c) < 0x20 || (c == '\\' && !escape(out)))
        return false;
      if (c != '\\')
        *out++ = c;
    }
    return false;
  }

  bool integer(int64_t &value) {
    space();
    size_t begin = at_;
    while (!done() && absl::ascii_isdigit(text_[at_]))
      ++at_;
    bool leading_zero = at_ - begin > 1 && text_[begin] == '0';
    auto result = std::from_chars(text_.data() + begin, text_.data() + at_, value);
    return at_ > begin && !leading_zero && result.ec == std::errc() && endsHere();
  }

  // Over any value; whether it is sound, the general reader will say.
  bool skipValue() {
    int depth = 0;
    do {
      space();
      if (done())
        return false;
      char c = text_[at_];
      if (c == '"') {
        if (!skipString())
          return false;
      } else {
        depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        if (depth > kMaxDepth || depth < 0)
          return false;
        ++at_;
        while (depth == 0 && !endsHere()) // a number or a word
          ++at_;
      }
    } while (depth > 0);
    return true;
  }

  bool skipString() {
    for (++at_; !done(); ++at_) {
      if (text_[at_] == '\\')
        ++at_;
      else if (text_[at_] == '"')
        return ++at_, true;
    }
    return false;
  }

private:
  bool endsHere() const { return done() || std::strchr(",]} \n\r\t:", text_[at_]) != nullptr; }

  bool escape(char *&out) { // behind the backslash
    if (done())
      return false;
    char c = text_[at_++];
    if (c == 'u')
      return codePoint(out);
    static constexpr absl::string_view kLetters = "\"\\/bfnrt", kBytes = "\"\\/\b\f\n\r\t";
    size_t which = kLetters.find(c);
    if (which == kLetters.npos)
      return false;
    *out++ = kBytes[which];
    return true;
  }

  // \uXXXX becomes at most three bytes. Surrogates are left to the general reader.
  bool codePoint(char *&out) {
    uint32_t value = 0;
    if (text_.size() - at_ < 4)
      return false;
    const char *begin = text_.data() + at_;
    auto result = std::from_chars(begin, begin + 4, value, 16);
    if (result.ptr != begin + 4 || (value >= 0xD800 && value < 0xE000))
      return false;
    at_ += 4;
    std::string bytes;
    appendUtf8(bytes, value);
    std::memcpy(out, bytes.data(), bytes.size());
    out += bytes.size();
    return true;
  }

  absl::string_view text_;
  size_t at_ = 0;
};

// A part of the text that is taken out of it.
struct Cut {
  size_t begin, end;
};

class Reader {
public:
  Reader(absl::string_view text, Document &document)
      : text_(text), scan_(text), document_(document), strings_(new char[text.size() + 1]),
        merge_strings_(new char[text.size() + 1]), next_(strings_.get()),
        next_merge_(merge_strings_.get()) {}

  bool run() {
    return validPrefix(text_) == text_.size() && members([this](absl::string_view key) {
             if (key != "model" || !scan_.sees('{'))
               return key != "model" && scan_.skipValue();
             return !std::exchange(model_seen_, true) && model();
           }) &&
           (scan_.space(), scan_.done()) && document_.shape != VocabularyShape::kAbsent;
  }

  std::string finish() {
    document_.strings = std::move(strings_);
    document_.merge_strings = std::move(merge_strings_);
    std::string rest;
    size_t copied = 0;
    for (Cut cut : cuts_) {
      absl::StrAppend(&rest, text_.substr(copied, cut.begin - copied), "null");
      copied = cut.end;
    }
    absl::StrAppend(&rest, text_.substr(copied));
    return rest;
  }

private:
  // {"key": value, ...}: `value` reads each value.
  template <typename Value> bool members(Value value) {
    if (!scan_.take('{'))
      return false;
    if (scan_.take('}'))
      return true;
    do {
      char buffer[64], *out = buffer;
      absl::string_view key;
      scan_.space();
      size_t begin = scan_.at();
      if (scan_.done() || text_[begin] != '"' || !scan_.skipString())
        return false;
      if (scan_.at() - begin < sizeof buffer) {
        Scanner again(text_.substr(begin, scan_.at() - begin));
        if (!again.string(out, key))
          return false;
      }
      if (!scan_.take(':') || !value(key))
        return false;
    } while (scan_.take(','));
    return scan_.take('}');
  }

  // [element, ...]
  template <typename Element> bool elements(Element element) {
    if (!scan_.take('['))
      return false;
    if (scan_.take(']'))
      return true;
    do {
      if (!element())
        return false;
    } while (scan_.take(','));
    return scan_.take(']');
  }

  bool model() {
    return members([this](absl::string_view key) {
      if (key != "vocab" && key != "merges")
        return scan_.skipValue();
      scan_.space();
      size_t begin = scan_.at();
      bool taken = key == "vocab" ? vocabulary() : merges();
      cuts_.push_back({begin, scan_.at()});
      return taken;
    });
  }

  // Unigram's list of scores is short, and the general reader keeps the one way to read a real
  // number.
  bool vocabulary() {
    if (document_.shape != VocabularyShape::kAbsent || !scan_.take('{'))
      return false;
    document_.shape = VocabularyShape::kObject;
    if (scan_.take('}'))
      return true;
    do {
      VocabularyEntry entry{};
      if (!scan_.string(next_, entry.token) || !scan_.take(':') || !scan_.integer(entry.id) ||
          entry.id >= kMaxVocabulary || int64_t(document_.vocabulary.size()) >= kMaxVocabulary)
        return false;
      document_.vocabulary.push_back(entry);
    } while (scan_.take(','));
    return scan_.take('}');
  }

  bool merges() {
    if (std::exchange(document_.has_merges, true))
      return false;
    return elements([this] {
      MergeEntry merge{{}, {}, !scan_.sees('[')};
      bool sound = merge.legacy ? scan_.string(next_merge_, merge.left)
                                : scan_.take('[') && scan_.string(next_merge_, merge.left) &&
                                      scan_.take(',') && scan_.string(next_merge_, merge.right) &&
                                      scan_.take(']');
      if (!sound || int64_t(document_.merges.size()) >= kMaxMerges)
        return false;
      document_.merges.push_back(merge);
      return true;
    });
  }

  absl::string_view text_;
  Scanner scan_;
  Document &document_;
  std::unique_ptr<char[]> strings_, merge_strings_;
  char *next_, *next_merge_;
  bool model_seen_ = false;
  std::vector<Cut> cuts_;
};

} // namespace

std::optional<std::string> takePackedLists(absl::string_view text, Document &document) {
  Reader reader(text, document);
  if (reader.run())
    return reader.finish();
  document = Document();
  return std::nullopt;
}

} // namespace lathe::text
