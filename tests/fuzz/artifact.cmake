# The check of code is not shown by the runtime's library, so its source is compiled into this.
lathe_fuzz_target(fuzz_artifact
  SOURCES artifact.cpp ${PROJECT_SOURCE_DIR}/runtime/cpu/elf_check.cpp
  DEPS lathe_artifact
  CORPUS ${CMAKE_CURRENT_SOURCE_DIR}/corpus/artifact)
