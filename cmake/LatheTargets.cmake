# How targets are made in this tree. Folders call these instead of add_library, so that
# standard, warnings, sanitizers and install rules are written down once.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g0")

find_program(LATHE_CCACHE ccache)
if(LATHE_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${LATHE_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${LATHE_CCACHE})
endif()

function(lathe_common_options target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers)
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
  if(LATHE_SANITIZE)
    target_compile_options(${target} PUBLIC -fsanitize=address,undefined -fno-sanitize-recover=undefined
                                            -fno-omit-frame-pointer -O1 -g1)
    target_link_options(${target} PUBLIC -fsanitize=address,undefined)
  endif()
  if(LATHE_FUZZ) # libraries, too: a fuzzer that cannot see their branches only guesses
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
endfunction()

# lathe_library(NAME [SHARED] [ASSERTS] SOURCES... DEPS...): a static library of one folder. In a
# release headers (absl, JSON) assert nothing in it, since models are read and run here, but for ASSERTS:
# the compiler's layers, whose time is in MLIR and LLVM, where a wrong cast ends and says where. Tests
# assert always, and all of the debug, sanitizer and fuzz builds.
function(lathe_library name)
  cmake_parse_arguments(ARG "SHARED;ASSERTS" "" "SOURCES;DEPS" ${ARGN})
  if(ARG_SHARED)
    add_library(${name} SHARED ${ARG_SOURCES})
  else()
    add_library(${name} STATIC ${ARG_SOURCES})
  endif()
  lathe_common_options(${name})
  if(NOT ARG_ASSERTS)
    target_compile_definitions(${name} PRIVATE $<$<CONFIG:Release>:NDEBUG>)
  endif()
  target_link_libraries(${name} PUBLIC ${ARG_DEPS})
endfunction()

# lathe_compiler_library(NAME SOURCES... DEPS...): a static library of the layers that use MLIR. One
# precompiled header serves all of them (they share every flag that matters to it). -O1: what is slow
# in a compiler is MLIR and LLVM, not our passes; the build is what a developer waits for.
function(lathe_compiler_library name)
  if(NOT TARGET lathe_mlir_pch)
    file(WRITE ${PROJECT_BINARY_DIR}/lathe_mlir_pch.cpp "")
    add_library(lathe_mlir_pch STATIC ${PROJECT_BINARY_DIR}/lathe_mlir_pch.cpp)
    lathe_common_options(lathe_mlir_pch)
    target_compile_options(lathe_mlir_pch PRIVATE $<$<CONFIG:Release>:-O1>)
    target_link_libraries(lathe_mlir_pch PUBLIC lathe_mlir)
    target_precompile_headers(lathe_mlir_pch PRIVATE ${PROJECT_SOURCE_DIR}/ir/pch/mlir.h)
  endif()
  lathe_library(${name} ASSERTS ${ARGN})
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1> -Wno-maybe-uninitialized) # false alarms in generated code
  target_link_libraries(${name} PUBLIC lathe_mlir)
  target_precompile_headers(${name} REUSE_FROM lathe_mlir_pch)
  if(TARGET lathe_ir_generated)
    add_dependencies(${name} lathe_ir_generated)
  endif()
endfunction()

# lathe_program(NAME SOURCES... DEPS...): a program in bin/.
function(lathe_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  lathe_common_options(${name})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS})
endfunction()

# lathe_unit_test(NAME SOURCES... DEPS...): one GoogleTest program, one ctest entry.
# Test data is found through LATHE_TEST_DATA, the source tree's tests/data.
function(lathe_unit_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  lathe_common_options(${name})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  target_compile_definitions(${name} PRIVATE LATHE_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data"
                                             LATHE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
endfunction()

# lathe_fuzz_target(NAME SOURCES... DEPS... CORPUS DIR): with -DLATHE_FUZZ=ON a libFuzzer program;
# in every build a test that replays the corpus, so that a find stays found.
function(lathe_fuzz_target name)
  cmake_parse_arguments(ARG "" "CORPUS" "SOURCES;DEPS" ${ARGN})
  if(LATHE_FUZZ)
    add_executable(${name} ${ARG_SOURCES})
    lathe_common_options(${name})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    target_link_libraries(${name} PRIVATE ${ARG_DEPS})
  elseif(LATHE_TESTS)
    add_executable(${name} ${ARG_SOURCES} ${PROJECT_SOURCE_DIR}/tests/fuzz/replay.cpp)
    lathe_common_options(${name})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
    target_link_libraries(${name} PRIVATE ${ARG_DEPS})
    add_test(NAME ${name} COMMAND ${name} ${ARG_CORPUS})
  endif()
endfunction()
