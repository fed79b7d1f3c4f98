lathe_unit_test(reference_ops_test
  SOURCES reference/basic.cpp reference/products.cpp reference/attention.cpp reference/moe.cpp
  DEPS lathe_reference_ops lathe_frontend)
target_include_directories(reference_ops_test PRIVATE ${CMAKE_CURRENT_LIST_DIR}/reference)
lathe_unit_test(reference_interpreter_test MLIR
  SOURCES reference/interpreter.cpp
  DEPS lathe_reference)
