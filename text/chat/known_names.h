// The error for a name that nothing is called by: names the nearest one that exists.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace lathe::text {

// "unknown filter 'tojsn'; did you mean 'tojson'? known ones are ..."; for a name out of `refused`,
// which Jinja2 or Python has: "the filter 'xmlattr' is not offered in chat templates; ...".
std::string unknownName(absl::string_view what, absl::string_view name,
                        absl::Span<const absl::string_view> known,
                        absl::Span<const absl::string_view> refused);

} // namespace lathe::text
