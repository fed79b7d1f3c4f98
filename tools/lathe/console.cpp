#include "tools/lathe/console.h"

#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"

namespace lathe::cli {

void print(absl::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void printNow(absl::string_view text) {
  print(text);
  std::fflush(stdout);
}

void printJson(const nlohmann::ordered_json &value) {
  print(value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  print("\n");
}

// Standard output first, so that the two stand in order where both are one terminal.
void printAside(absl::string_view text) {
  std::fflush(stdout);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

void printError(absl::string_view text) { printAside(absl::StrCat("error: ", text, "\n")); }

void printNote(absl::string_view text) { printAside(absl::StrCat("note: ", text, "\n")); }

bool outputFailed() { return std::fflush(stdout) != 0 || std::ferror(stdout) != 0; }

} // namespace lathe::cli
