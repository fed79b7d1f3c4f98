# What asks a plugin's compile half knows no MLIR, so that its source can be compiled into this.
lathe_fuzz_target(plugin_fuzz
  SOURCES plugin.cpp hostile_plugin.cpp ${PROJECT_SOURCE_DIR}/backends/plugin/target.cpp
          ${PROJECT_SOURCE_DIR}/backends/plugin/compile.cpp
          ${PROJECT_SOURCE_DIR}/runtime/device/error.cpp
          ${PROJECT_SOURCE_DIR}/tests/unit/plugins/program_builder.cpp
  DEPS lathe_runtime lathe_base
  CORPUS ${CMAKE_CURRENT_SOURCE_DIR}/corpus/plugin)
