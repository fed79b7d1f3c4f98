lathe_unit_test(text_tokenizer_test
  SOURCES tokenizer_golden.cpp
  DEPS lathe_tokenizer)
