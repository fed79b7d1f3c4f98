// Oniguruma's regular expressions (Ruby syntax, which Hugging Face tokenizers uses) in PCRE2's
// words.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lathe::text {

// The same pattern for PCRE2 under UTF, UCP and MULTILINE. What differs and is translated:
// `\s \w \b \h \v \p{Script} \p{^..} \uHHHH`, `(?m)` (dot matches a newline), `{,n}`, `{n}?` and
// `{n,m}+` (which repeat the repeat), sets within sets. Fails on what has no translation, naming
// it:
// `&&` in a set, a negated set within a set, `\W` in a set, unknown letters behind a backslash.
absl::StatusOr<std::string> fromOniguruma(absl::string_view pattern);

} // namespace lathe::text
