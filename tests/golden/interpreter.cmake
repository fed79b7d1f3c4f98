if(TARGET lathe_models)
  lathe_unit_test(golden_interpreter_test SOURCES interpreter.cpp DEPS lathe_interpret lathe_tokenizer)
endif()
