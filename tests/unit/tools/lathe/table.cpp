#include "tools/lathe/table.h"

#include <gtest/gtest.h>

namespace lathe::cli {
namespace {

TEST(FormatTable, linesColumnsUp) {
  EXPECT_EQ(formatTable({{"a", "bb", "c"}, {"aaa", "b", "cc"}}), "  a    bb  c\n  aaa  b   cc\n");
}

TEST(FormatTable, takesRowsOfAnyLength) {
  EXPECT_EQ(formatTable({{"a"}, {}, {"b", "", "c"}}), "  a\n\n  b    c\n");
  EXPECT_EQ(formatTable({}), "");
}

TEST(FormatTable, countsCharactersNotBytes) {
  EXPECT_EQ(formatTable({{"\xc3\xa9", "x"}, {"ab", "y"}}), "  \xc3\xa9   x\n  ab  y\n");
}

TEST(FormatTable, showsNoControlCharacters) {
  EXPECT_EQ(formatTable({{"a\x1b[2J\nb"}}), "  a?[2J?b\n");
}

} // namespace
} // namespace lathe::cli
