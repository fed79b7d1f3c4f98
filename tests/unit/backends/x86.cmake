lathe_unit_test(x86_code_test MLIR SOURCES ${CMAKE_CURRENT_LIST_DIR}/x86/object.cpp ${CMAKE_CURRENT_LIST_DIR}/x86/level.cpp
  DEPS lathe_x86_code lathe_runtime)
lathe_unit_test(x86_folded_ops_test MLIR SOURCES ${CMAKE_CURRENT_LIST_DIR}/x86/folded_ops.cpp DEPS lathe_x86)
lathe_unit_test(x86_costs_test MLIR SOURCES ${CMAKE_CURRENT_LIST_DIR}/x86/costs.cpp DEPS lathe_x86)
