// Rows of text in columns that line up.
#pragma once

#include <string>
#include <vector>

namespace lathe::cli {

// Two spaces before each row and between columns; the last column is not padded. Rows may have
// different numbers of cells. Control characters, which could steer a terminal, are shown as '?'.
std::string formatTable(const std::vector<std::vector<std::string>> &rows);

} // namespace lathe::cli
