#include "text/tokenizer/oniguruma.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "text/tokenizer/utf8.h"

namespace lathe::text {
namespace {

// The contents of sets. PCRE2's own \s has U+180E, its \w lacks marks and connectors.
constexpr absl::string_view kSpace =
    "\\x{9}-\\x{d} \\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}"
    "\\x{3000}";
constexpr absl::string_view kNotSpace =
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}!-\\x{84}\\x{86}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}"
    "\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}"
    "\\x{3001}-\\x{d7ff}\\x{e000}-\\x{10ffff}";
constexpr absl::string_view kWord = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}";
// Outside of sets Oniguruma takes Latin-1's superscripts and fractions for word characters as well.
constexpr absl::string_view kLatinWord = "\\x{b2}\\x{b3}\\x{b9}\\x{bc}-\\x{be}";
constexpr absl::string_view kHex = "0-9A-Fa-f";
constexpr int kMaxSetDepth = 16;

constexpr absl::string_view kCategories =
    " L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp C Cc "
    "Cf Cn Co Cs Any ";
constexpr absl::string_view kLongNames[][2] = {
    {"letter", "L"},
    {"mark", "M"},
    {"number", "N"},
    {"punctuation", "P"},
    {"symbol", "S"},
    {"separator", "Z"},
    {"other", "C"},
    {"uppercaseletter", "Lu"},
    {"lowercaseletter", "Ll"},
    {"titlecaseletter", "Lt"},
    {"modifierletter", "Lm"},
    {"otherletter", "Lo"},
    {"decimalnumber", "Nd"},
    {"alpha", "Alphabetic"},
    {"alphabetic", "Alphabetic"},
    {"upper", "Uppercase"},
    {"uppercase", "Uppercase"},
    {"lower", "Lowercase"},
    {"lowercase", "Lowercase"},
    {"ideographic", "Ideographic"},
    {"emoji", "Emoji"},
    {"extendedpictographic", "Extended_Pictographic"},
    {"digit", "Nd"},
};

constexpr absl::string_view kPosixSets[][2] = {
    {"space", kSpace},
    {"word", kWord},
    {"xdigit", kHex},
    {"alpha", "\\p{Alphabetic}"},
    {"alnum", "\\p{Alphabetic}\\p{Nd}"},
    {"digit", "\\p{Nd}"},
    {"punct", "\\p{P}\\p{S}"},
    {"upper", "\\p{Uppercase}"},
    {"lower", "\\p{Lowercase}"},
    {"cntrl", "\\p{Cc}"},
    {"blank", "\\p{Zs}\\x{9}"},
    {"ascii", "\\x{0}-\\x{7f}"},
};

std::string propertyName(absl::string_view name) {
  if (absl::StrContains(kCategories, absl::StrCat(" ", name, " ")))
    return std::string(name);
  std::string plain;
  for (char c : name)
    if (absl::ascii_isalnum(c))
      plain += absl::ascii_tolower(c);
  for (const auto &known : kLongNames)
    if (known[0] == plain)
      return std::string(known[1]);
  return absl::StrCat("sc:", name); // PCRE2's plain \p{Han} means Script_Extensions
}

class Translator {
public:
  explicit Translator(absl::string_view pattern) : in_(pattern) {}

  absl::StatusOr<std::string> run() {
    while (at_ < in_.size())
      LATHE_RETURN_IF_ERROR(next());
    return std::move(out_);
  }

private:
  char peek(size_t ahead = 0) const { return at_ + ahead < in_.size() ? in_[at_ + ahead] : '\0'; }
  bool follows(absl::string_view text) const { return absl::StartsWith(in_.substr(at_), text); }

  absl::Status refuse(absl::string_view what) const {
    return absl::UnimplementedError(
        absl::StrCat("in the regex '", in_, "', ", what, " at byte ", at_, " is not supported"));
  }

  // Everything that a quantifier can stand behind goes through here.
  void atom(absl::string_view text) {
    atom_ = out_.size();
    quantified_ = false;
    absl::StrAppend(&out_, text);
  }

  void copyCharacter() {
    size_t length = decodeAt(in_, at_).length;
    atom(in_.substr(at_, length));
    at_ += length;
  }

  absl::Status next() {
    switch (peek()) {
    case '\\': return escape();
    case '[': return outerSet();
    case '(': return openGroup();
    case ')': closeGroup(); return absl::OkStatus();
    case '*':
    case '+':
    case '?': quantifier(std::string(1, in_[at_++])); return absl::OkStatus();
    case '{': interval(); return absl::OkStatus();
    case '|':
    case '^':
    case '$':
      out_ += in_[at_++];
      atom_ = std::string::npos;
      return absl::OkStatus();
    default: copyCharacter(); return absl::OkStatus();
    }
  }

  void wrapAtom() {
    out_.insert(atom_, "(?:");
    out_ += ')';
  }

  void quantifier(absl::string_view text) {
    if (atom_ != std::string::npos && quantified_)
      wrapAtom();
    absl::StrAppend(&out_, text);
    quantified_ = true;
    if (peek() == '?' || peek() == '+')
      out_ += in_[at_++];
  }

  // {n}? and {n,m}+ are no lazy and no possessive forms here: they repeat the repeat.
  void interval() {
    size_t scan = at_ + 1;
    auto digits = [&] {
      size_t begin = scan;
      while (scan < in_.size() && absl::ascii_isdigit(in_[scan]))
        ++scan;
      return in_.substr(begin, scan - begin);
    };
    absl::string_view least = digits(), most = least;
    bool comma = scan < in_.size() && in_[scan] == ',';
    if (comma) {
      ++scan;
      most = digits();
    }
    bool valid = scan < in_.size() && in_[scan] == '}' && !(least.empty() && most.empty());
    if (!valid || atom_ == std::string::npos) {
      atom("\\{");
      ++at_;
      return;
    }
    at_ = scan + 1;
    if (quantified_)
      wrapAtom();
    absl::StrAppend(&out_, "{", least.empty() ? "0" : least, comma ? "," : "", comma ? most : "",
                    "}");
    quantified_ = true;
    bool lazy = comma && peek() == '?';
    if (lazy)
      out_ += in_[at_++];
  }

  absl::Status openGroup() {
    groups_.push_back(out_.size());
    atom_ = std::string::npos;
    if (follows("(*"))
      return refuse("'(*'");
    out_ += in_[at_++];
    if (peek() != '?')
      return absl::OkStatus();
    out_ += in_[at_++];
    if (peek() == '<' && peek(1) != '=' && peek(1) != '!') { // a name
      while (at_ < in_.size() && peek() != '>')
        out_ += in_[at_++];
      return absl::OkStatus();
    }
    if (peek() == '~')
      return refuse("the absent operator '(?~'");
    if (peek() == '#')
      return comment();
    return options();
  }

  absl::Status comment() {
    size_t end = in_.find(')', at_);
    out_.resize(groups_.back());
    groups_.pop_back();
    at_ = end == in_.npos ? in_.size() : end + 1;
    return absl::OkStatus();
  }

  absl::Status options() {
    for (; absl::ascii_isalpha(peek()) || peek() == '-'; ++at_) {
      char option = peek();
      if (!absl::StrContains("imx-", absl::string_view(&option, 1)))
        return refuse(absl::StrCat("the option '", in_.substr(at_, 1), "'"));
      out_ += option == 'm' ? 's' : option;
    }
    if (peek() == ':' || peek() == '=' || peek() == '!' || peek() == '>') {
      out_ += in_[at_++];
    } else if (peek() == '<') {
      absl::StrAppend(&out_, in_.substr(at_, 2));
      at_ = std::min(at_ + 2, in_.size());
    }
    return absl::OkStatus();
  }

  void closeGroup() {
    out_ += in_[at_++];
    atom_ = groups_.empty() ? std::string::npos : groups_.back();
    quantified_ = false;
    if (!groups_.empty())
      groups_.pop_back();
  }

  absl::StatusOr<std::string> property() { // at \p or \P, with a brace behind
    bool negated = peek(1) == 'P';
    size_t end = in_.find('}', at_);
    if (peek(2) != '{' || end == in_.npos)
      return refuse("a property without braces");
    absl::string_view name = in_.substr(at_ + 3, end - at_ - 3);
    if (absl::ConsumePrefix(&name, "^"))
      negated = !negated;
    at_ = end + 1;
    return absl::StrCat(negated ? "\\P{" : "\\p{", propertyName(name), "}");
  }

  // \xHH, \x{H..}, \uHHHH
  absl::StatusOr<std::string> codePoint() {
    bool braces = peek(1) == 'x' && peek(2) == '{';
    size_t begin = at_ + (braces ? 3 : 2), most = peek(1) == 'u' ? 4 : braces ? 8 : 2, end = begin;
    while (end < in_.size() && end - begin < most && absl::ascii_isxdigit(in_[end]))
      ++end;
    if (end == begin || (braces && (end >= in_.size() || in_[end] != '}')))
      return refuse("a code point without hexadecimal digits");
    std::string digits(in_.substr(begin, end - begin));
    at_ = end + (braces ? 1 : 0);
    return absl::StrCat("\\x{", digits, "}");
  }

  // What means the same in and out of sets; empty when the letter is none of those.
  absl::StatusOr<std::string> commonEscape() {
    switch (peek(1)) {
    case 'p':
    case 'P': return property();
    case 'x':
    case 'u': return codePoint();
    case 'v': at_ += 2; return std::string("\\x{b}");
    case 'd':
    case 'D':
    case 'n':
    case 'r':
    case 't':
    case 'f':
    case 'a':
    case 'e': at_ += 2; return std::string(in_.substr(at_ - 2, 2));
    default: return std::string();
    }
  }

  absl::Status escape() {
    if (at_ + 1 >= in_.size())
      return refuse("a backslash at the end");
    LATHE_ASSIGN_OR_RETURN(std::string common, commonEscape());
    if (!common.empty()) {
      atom(common);
      return absl::OkStatus();
    }
    char letter = peek(1);
    std::string word = absl::StrCat("[", kWord, kLatinWord, "]");
    switch (letter) {
    case 's': return simple(absl::StrCat("[", kSpace, "]"));
    case 'S': return simple(absl::StrCat("[^", kSpace, "]"));
    case 'w': return simple(word);
    case 'W': return simple(absl::StrCat("[^", kWord, kLatinWord, "]"));
    case 'h': return simple(absl::StrCat("[", kHex, "]"));
    case 'H': return simple(absl::StrCat("[^", kHex, "]"));
    case 'b':
      return simple(
          absl::StrCat("(?:(?<=", word, ")(?!", word, ")|(?<!", word, ")(?=", word, "))"));
    case 'B':
      return simple(
          absl::StrCat("(?:(?<=", word, ")(?=", word, ")|(?<!", word, ")(?!", word, "))"));
    case 'A':
    case 'z':
    case 'Z':
    case 'G':
    case 'K':
    case 'R':
    case 'X': return simple(std::string(in_.substr(at_, 2)));
    default: break;
    }
    if (absl::ascii_isalpha(letter) && letter != 'k' && letter != 'g')
      return refuse(absl::StrCat("'\\", in_.substr(at_ + 1, 1), "'"));
    ++at_; // the backslash; a character outside ASCII needs none
    if (static_cast<int8_t>(letter) < 0)
      copyCharacter();
    else
      simpleAfterBackslash();
    return absl::OkStatus();
  }
  absl::Status simple(const std::string &text) {
    atom(text);
    at_ += 2;
    return absl::OkStatus();
  }
  void simpleAfterBackslash() {
    atom(absl::StrCat("\\", in_.substr(at_, 1)));
    ++at_;
  }

  absl::Status outerSet() {
    atom("[");
    ++at_;
    if (peek() == '^')
      out_ += in_[at_++];
    if (peek() == ']') { // first in the set: itself
      out_ += "\\]";
      ++at_;
    }
    LATHE_RETURN_IF_ERROR(setItems(0));
    out_ += ']';
    return absl::OkStatus();
  }

  // Up to and past the closing bracket. A set within the set adds its items to the outer one.
  absl::Status setItems(int depth) {
    if (depth > kMaxSetDepth)
      return refuse("a set nested so deep");
    bool after_set = true; // a '-' behind it is itself
    while (at_ < in_.size() && peek() != ']') {
      if (follows("&&"))
        return refuse("'&&' in a set");
      if (follows("[:")) {
        LATHE_RETURN_IF_ERROR(posixSet());
        after_set = true;
      } else if (peek() == '[') {
        if (peek(1) == '^')
          return refuse("a negated set within a set");
        ++at_;
        LATHE_RETURN_IF_ERROR(setItems(depth + 1));
        after_set = true;
      } else if (peek() == '\\') {
        LATHE_RETURN_IF_ERROR(setEscape(after_set));
      } else if (peek() == '-') {
        bool range = !after_set && peek(1) != ']' && peek(1) != '[' && !setFollows(1);
        out_ += range ? "-" : "\\-";
        ++at_;
      } else {
        after_set = false;
        if (peek() == '^')
          out_ += '\\';
        size_t length = decodeAt(in_, at_).length;
        absl::StrAppend(&out_, in_.substr(at_, length));
        at_ += length;
      }
    }
    if (at_ >= in_.size())
      return refuse("a set without an end");
    ++at_;
    return absl::OkStatus();
  }

  bool setFollows(size_t ahead) const {
    char letter = peek(ahead + 1);
    return peek(ahead) == '\\' && letter != '\0' &&
           absl::StrContains("sSwWhHdDpP", absl::string_view(&letter, 1));
  }

  absl::Status posixSet() {
    size_t end = in_.find(":]", at_ + 2);
    if (end == in_.npos)
      return refuse("'[:' without an end");
    absl::string_view name = in_.substr(at_ + 2, end - at_ - 2);
    for (const auto &known : kPosixSets) {
      if (known[0] != name)
        continue;
      absl::StrAppend(&out_, known[1]);
      at_ = end + 2;
      return absl::OkStatus();
    }
    return refuse(absl::StrCat("'[:", name, ":]'"));
  }

  absl::Status setEscape(bool &after_set) {
    if (at_ + 1 >= in_.size())
      return refuse("a backslash at the end");
    after_set = setFollows(0);
    LATHE_ASSIGN_OR_RETURN(std::string common, commonEscape());
    char letter = common.empty() ? peek(1) : '\0';
    absl::string_view items = letter == 's'   ? kSpace
                              : letter == 'S' ? kNotSpace
                              : letter == 'w' ? kWord
                              : letter == 'h' ? kHex
                              : letter == 'b' ? "\\x{8}"
                                              : absl::string_view(common);
    if (!items.empty()) {
      absl::StrAppend(&out_, items);
      at_ += common.empty() ? 2 : 0;
      return absl::OkStatus();
    }
    if (absl::ascii_isalnum(letter))
      return refuse(absl::StrCat("'\\", in_.substr(at_ + 1, 1), "' in a set"));
    size_t length = decodeAt(in_, at_ + 1).length;
    absl::StrAppend(&out_, static_cast<int8_t>(letter) < 0 ? "" : "\\",
                    in_.substr(at_ + 1, length));
    at_ += 1 + length;
    return absl::OkStatus();
  }

  absl::string_view in_;
  size_t at_ = 0;
  std::string out_;
  size_t atom_ = std::string::npos; // where the last atom begins in out_
  bool quantified_ = false;         // the last atom has a quantifier already
  std::vector<size_t> groups_;      // where the open groups begin in out_
};

} // namespace

absl::StatusOr<std::string> fromOniguruma(absl::string_view pattern) {
  return Translator(pattern).run();
}

} // namespace lathe::text
