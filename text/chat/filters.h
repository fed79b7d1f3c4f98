// The filters: Jinja2's, and `tojson` as Hugging Face has it.
#pragma once

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "text/chat/function.h"

namespace lathe::text {

// An error that names the nearest filter where there is none.
absl::StatusOr<const Function *> findFilter(absl::string_view name);

// The tables that it looks through, one a file.
absl::Span<const Function> textFilters();
absl::Span<const Function> numberFilters();
absl::Span<const Function> sequenceFilters();
absl::Span<const Function> selectionFilters();

} // namespace lathe::text
