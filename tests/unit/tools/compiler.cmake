if(LATHE_COMPILER)
  lathe_unit_test(tools_compiler_test
    SOURCES compiler/decode_work.cpp compiler/depth.cpp compiler/memory.cpp compiler/refusals.cpp compiler/targets.cpp
    DEPS lathe_compiler_driver)
  set_tests_properties(tools_compiler_test PROPERTIES TIMEOUT 600)
endif()
