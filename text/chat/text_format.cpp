#include "text/chat/text_format.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "base/status.h"
#include "text/chat/repr.h"

namespace lathe::text {
namespace {

absl::StatusOr<const Value *> fieldValue(Call &call, absl::string_view field, size_t *automatic) {
  if (field.find_first_of(".[!:{") != absl::string_view::npos)
    return call.fault(absl::StrCat("offers only plain fields, not '{", field,
                                   "}'; format the value before, as with '|round' or '%'"));
  size_t place = 0;
  if (field.empty() || absl::SimpleAtoi(field, &place)) {
    place = field.empty() ? (*automatic)++ : place;
    if (place >= call.arguments.positional.size())
      return call.fault(absl::StrCat("has no argument ", place));
    return &call.arguments.positional[place];
  }
  for (const auto &[name, value] : call.arguments.named)
    if (name == field)
      return &value;
  return call.fault(absl::StrCat("has no argument '", field, "'"));
}

} // namespace

absl::StatusOr<Value> formatFields(Call &call) {
  absl::string_view rest = *call.subject.text();
  std::string out;
  size_t automatic = 0;
  while (!rest.empty()) {
    size_t plain = std::min(rest.find_first_of("{}"), rest.size());
    out.append(rest.data(), plain);
    rest.remove_prefix(plain);
    if (absl::StartsWith(rest, "{{") || absl::StartsWith(rest, "}}")) {
      out += rest[0];
      rest.remove_prefix(2);
      continue;
    }
    if (rest.empty())
      break;
    size_t end = rest.find('}');
    if (rest[0] == '}' || end == absl::string_view::npos)
      return call.fault("is given a single brace");
    LATHE_ASSIGN_OR_RETURN(const Value *value,
                           fieldValue(call, rest.substr(1, end - 1), &automatic));
    LATHE_ASSIGN_OR_RETURN(std::string text, toText(call.budget, *value));
    LATHE_RETURN_IF_ERROR(call.budget.spendText(out.size() + text.size()));
    out += text;
    rest.remove_prefix(end + 1);
  }
  LATHE_RETURN_IF_ERROR(call.budget.spendText(out.size()));
  return Value(std::move(out), call.subject.isMarkup());
}

} // namespace lathe::text
