if(TARGET lathe_compiler_driver)
  lathe_unit_test(golden_x86_test SOURCES x86.cpp DEPS lathe_compiler_driver lathe_runtime lathe_tokenizer lathe_frontend)
  set_tests_properties(golden_x86_test PROPERTIES TIMEOUT 1200)
endif()
