lathe_fuzz_target(fuzz_generation_config
  SOURCES generation_config.cpp
  DEPS lathe_frontend
  CORPUS ${CMAKE_CURRENT_SOURCE_DIR}/corpus/generation_config)
