#include "frontend/quote.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace lathe::frontend {

std::string quotedName(absl::string_view text) {
  const size_t limit = 120;
  if (text.size() <= limit)
    return absl::StrCat("'", absl::Utf8SafeCHexEscape(text), "'");
  return absl::StrCat("'", absl::Utf8SafeCHexEscape(text.substr(0, limit)), "...'");
}

} // namespace lathe::frontend
