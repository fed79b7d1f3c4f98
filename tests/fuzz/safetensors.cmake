lathe_fuzz_target(fuzz_safetensors
  SOURCES safetensors.cpp
  DEPS lathe_frontend
  CORPUS ${CMAKE_CURRENT_SOURCE_DIR}/corpus/safetensors)
