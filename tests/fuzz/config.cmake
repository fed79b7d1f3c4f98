lathe_fuzz_target(fuzz_config
  SOURCES config.cpp
  DEPS lathe_frontend
  CORPUS ${CMAKE_CURRENT_SOURCE_DIR}/corpus/config)
