if(LATHE_COMPILER)
  lathe_unit_test(tools_compiler_test MLIR
    SOURCES compiler/decode_work.cpp compiler/depth.cpp compiler/memory.cpp compiler/placement.cpp compiler/refusals.cpp compiler/shared_weights.cpp compiler/targets.cpp
    DEPS lathe_compiler_driver)
  add_library(lying_plugin MODULE compiler/lying_plugin.c)
  target_include_directories(lying_plugin PRIVATE ${PROJECT_SOURCE_DIR})
  set_target_properties(lying_plugin PROPERTIES PREFIX "" C_VISIBILITY_PRESET hidden)
  target_compile_definitions(tools_compiler_test PRIVATE LATHE_LYING_PLUGIN="$<TARGET_FILE:lying_plugin>"
    LATHE_TILES_PLUGIN="$<TARGET_FILE:lathe_tiles>")
  add_dependencies(tools_compiler_test lying_plugin lathe_tiles)
  set_tests_properties(tools_compiler_test PROPERTIES TIMEOUT 600)
endif()
