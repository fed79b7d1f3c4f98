// Templates with the text that Jinja2 renders from them, all with the context of chat_template.cpp.
#pragma once

#include <string>
#include <vector>

namespace lathe::text {

struct ChatCase {
  const char *source, *rendered;
};

extern const std::vector<ChatCase> kOperatorCases, kFilterCases, kStatementCases;

} // namespace lathe::text
