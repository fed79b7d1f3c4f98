lathe_unit_test(text_tokenizer_test
  SOURCES tokenizer_golden.cpp tokenizer_refusals.cpp tokenizer_regex.cpp tokenizer_steps.cpp
          tokenizer_text.cpp tokenizer_packed_lists.cpp
  DEPS lathe_tokenizer)
