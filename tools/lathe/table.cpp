#include "tools/lathe/table.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace lathe::cli {
namespace {

size_t charactersOf(const std::string &utf8) {
  return std::count_if(utf8.begin(), utf8.end(), [](char c) { return (c & 0xc0) != 0x80; });
}

std::vector<size_t> widthsOf(const std::vector<std::vector<std::string>> &rows) {
  std::vector<size_t> widths;
  for (const std::vector<std::string> &row : rows)
    for (size_t i = 0; i < row.size(); ++i) {
      widths.resize(std::max(widths.size(), i + 1));
      widths[i] = std::max(widths[i], charactersOf(row[i]));
    }
  return widths;
}

std::string printable(std::string text) {
  std::replace_if(text.begin(), text.end(), absl::ascii_iscntrl, '?');
  return text;
}

} // namespace

std::string formatTable(const std::vector<std::vector<std::string>> &rows) {
  std::vector<size_t> widths = widthsOf(rows);
  std::string text;
  for (const std::vector<std::string> &row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      std::string padding(widths[i] - charactersOf(row[i]), ' ');
      absl::StrAppend(&line, "  ", printable(row[i]), padding);
    }
    absl::StrAppend(&text, line.substr(0, line.find_last_not_of(' ') + 1), "\n");
  }
  return text;
}

} // namespace lathe::cli
