lathe_fuzz_target(fuzz_tokenizer
  SOURCES tokenizer.cpp
  DEPS lathe_tokenizer
  CORPUS ${CMAKE_CURRENT_SOURCE_DIR}/corpus/tokenizer)
