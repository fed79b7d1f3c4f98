lathe_fuzz_target(chat_template_fuzz
  SOURCES chat_template.cpp
  DEPS lathe_chat
  CORPUS ${CMAKE_CURRENT_SOURCE_DIR}/corpus/chat_template)
