lathe_unit_test(golden_shapes_test MLIR SOURCES shapes.cpp compiled_model.cpp interpreted_model.cpp
  DEPS lathe_compiler_driver lathe_interpret lathe_tokenizer)
set_tests_properties(golden_shapes_test PROPERTIES TIMEOUT 1200)
