// The two streams: results on standard output, everything else on standard error.
#pragma once

#include <nlohmann/json.hpp>

#include "absl/strings/string_view.h"

namespace lathe::cli {

void print(absl::string_view text);                  // as it is
void printNow(absl::string_view text);               // and seen at once
void printJson(const nlohmann::ordered_json &value); // one line; what is not UTF-8 becomes U+FFFD

void printError(absl::string_view text); // "error: TEXT"
void printNote(absl::string_view text);  // "note: TEXT"
void printAside(absl::string_view text); // TEXT as it is, on standard error

bool outputFailed(); // something of standard output could not be written

} // namespace lathe::cli
