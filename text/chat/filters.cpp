#include "text/chat/filters.h"

#include <vector>

#include "text/chat/known_names.h"

namespace lathe::text {
namespace {

constexpr absl::string_view kRefused[] = {"filesizeformat", "groupby",   "pprint",   "random",
                                          "slice",          "striptags", "truncate", "urlencode",
                                          "urlize",         "wordwrap",  "xmlattr",  "forceescape"};

absl::Span<const Function> tableAt(int place) {
  switch (place) {
  case 0: return textFilters();
  case 1: return numberFilters();
  case 2: return sequenceFilters();
  default: return selectionFilters();
  }
}

constexpr int kTables = 4;

} // namespace

absl::StatusOr<const Function *> findFilter(absl::string_view name) {
  std::vector<absl::string_view> known;
  for (int i = 0; i < kTables; ++i)
    for (const Function &filter : tableAt(i)) {
      if (filter.name == name)
        return &filter;
      known.push_back(filter.name);
    }
  return absl::InvalidArgumentError(unknownName("filter", name, known, kRefused));
}

} // namespace lathe::text
