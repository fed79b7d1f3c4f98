lathe_unit_test(chat_template_test
  SOURCES chat_template.cpp chat_cases_operators.cpp chat_cases_filters.cpp chat_cases_statements.cpp
          chat_template_golden.cpp chat_template_errors.cpp
  DEPS lathe_chat)
