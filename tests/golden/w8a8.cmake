lathe_unit_test(golden_w8a8_test MLIR SOURCES w8a8.cpp compiled_model.cpp interpreted_model.cpp
  DEPS lathe_compiler_driver lathe_interpret lathe_tokenizer)
set_tests_properties(golden_w8a8_test PROPERTIES TIMEOUT 1200)
