lathe_unit_test(plugin_backend_test MLIR
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/plugin/program_view.cpp ${CMAKE_CURRENT_LIST_DIR}/plugin/constants.cpp
  DEPS lathe_plugin_backend)
