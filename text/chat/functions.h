// The names that stand for a function without being set by anyone: Jinja2's globals, and those that
// Hugging Face adds.
#pragma once

#include "text/chat/function.h"

namespace lathe::text {

// range, dict, namespace, raise_exception, strftime_now; null for another name.
const Function *findGlobalFunction(absl::string_view name);
// `namespace` makes something that the interpreter has to own: it runs it itself.
bool makesNamespace(const Function &function);

// The content of dict(...) and namespace(...): a dict or pairs, then names.
absl::StatusOr<Mapping> mappingOf(Call &call);

// Jinja2's globals that are not offered here, for the error.
bool isRefusedGlobal(absl::string_view name);

} // namespace lathe::text
