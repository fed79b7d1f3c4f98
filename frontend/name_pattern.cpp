#include "frontend/name_pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"

#include "base/status.h"
#include "frontend/quote.h"

namespace lathe::frontend {
namespace {

constexpr size_t kMaxPattern = 4096;
constexpr uint32_t kMatchLimit = 10'000, kDepthLimit = 1'000;

} // namespace

struct NamePattern::Regex {
  explicit Regex(pcre2_code *code) : code(code), limits(pcre2_match_context_create(nullptr)) {
    pcre2_set_match_limit(limits, kMatchLimit);
    pcre2_set_depth_limit(limits, kDepthLimit);
  }
  ~Regex() {
    pcre2_match_context_free(limits);
    pcre2_code_free(code);
  }
  Regex(const Regex &) = delete;

  bool matches(absl::string_view text) const {
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(code, nullptr);
    int result = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, 0,
                             data, limits);
    pcre2_match_data_free(data);
    return result >= 0;
  }

  pcre2_code *code;
  pcre2_match_context *limits;
};

absl::StatusOr<std::shared_ptr<const NamePattern>> NamePattern::target(absl::string_view text) {
  auto pattern = std::make_shared<NamePattern>();
  pattern->text_ = std::string(text);
  if (!absl::ConsumePrefix(&text, "re:"))
    return pattern;
  if (text.size() > kMaxPattern)
    return absl::InvalidArgumentError(absl::StrCat("the regular expression ", quotedName(text),
                                                   " is ", text.size(), " bytes long, more than ",
                                                   kMaxPattern));
  int error = 0;
  PCRE2_SIZE at = 0;
  pcre2_code *code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                                   PCRE2_ANCHORED | PCRE2_NEVER_BACKSLASH_C, &error, &at, nullptr);
  if (!code) {
    PCRE2_UCHAR message[128] = {};
    pcre2_get_error_message(error, message, sizeof message);
    return absl::InvalidArgumentError(absl::StrCat("the regular expression ", quotedName(text),
                                                   " is wrong at byte ", at, ": ",
                                                   reinterpret_cast<const char *>(message)));
  }
  pattern->kind_ = Kind::regex;
  pattern->regex_ = std::make_shared<Regex>(code);
  return pattern;
}

std::shared_ptr<const NamePattern> NamePattern::component(absl::string_view text) {
  auto pattern = std::make_shared<NamePattern>();
  pattern->kind_ = Kind::component;
  pattern->text_ = absl::StrCat(".", absl::StripSuffix(text, "."), ".");
  return pattern;
}

bool NamePattern::matches(absl::string_view module, absl::string_view module_class) const {
  switch (kind_) {
  case Kind::equal: return module == text_ || module_class == text_;
  case Kind::component: return absl::StrContains(absl::StrCat(".", module, "."), text_);
  case Kind::regex: return regex_->matches(module) || regex_->matches(module_class);
  }
  return false;
}

} // namespace lathe::frontend
