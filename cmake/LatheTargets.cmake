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

# Without these permissions ccache keeps nothing that was built with a precompiled header.
find_program(LATHE_CCACHE ccache)
if(LATHE_CCACHE)
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${LATHE_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
  add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fpch-preprocess>
                      "$<$<COMPILE_LANG_AND_ID:CXX,Clang>:SHELL:-Xclang -fno-pch-timestamp>")
endif()

function(lathe_common_options target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers
    $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>) # std::stable_sort of libstdc++ 12 calls one
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
  if(LATHE_SANITIZE)
    # Most of the time of such a build is in the compiler, but for fuzzers, which run for minutes.
    target_compile_options(${target} PUBLIC -fsanitize=address,undefined -fno-sanitize-recover=undefined
                                            -fno-omit-frame-pointer $<IF:$<BOOL:${LATHE_FUZZ}>,-O1,-O0> -g1)
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

# lathe_precompile(TARGET HEADER FLAGS DEPS...): builds a target with a header, and what that needs. All
# targets of a header share one that is made once, so they have the same FLAGS in a release.
function(lathe_precompile target header flags)
  get_filename_component(stem ${header} NAME_WE)
  set(pch lathe_${stem}_pch)
  if(NOT TARGET ${pch})
    file(WRITE ${PROJECT_BINARY_DIR}/${pch}.cpp "int main() {}\n")
    get_target_property(kind ${target} TYPE)
    if(kind STREQUAL EXECUTABLE) # whose code is -fPIE, and so must the header's be
      add_executable(${pch} ${PROJECT_BINARY_DIR}/${pch}.cpp)
    else()
      add_library(${pch} STATIC ${PROJECT_BINARY_DIR}/${pch}.cpp)
    endif()
    lathe_common_options(${pch})
    target_compile_options(${pch} PRIVATE "$<$<CONFIG:Release>:${flags}>")
    target_link_libraries(${pch} PUBLIC ${ARGN})
    target_precompile_headers(${pch} PRIVATE ${PROJECT_SOURCE_DIR}/${header})
  endif()
  target_compile_options(${target} PRIVATE "$<$<CONFIG:Release>:${flags}>")
  target_link_libraries(${target} PUBLIC ${ARGN})
  target_precompile_headers(${target} REUSE_FROM ${pch})
endfunction()

# lathe_host_library(NAME [SHARED] SOURCES... DEPS...): a library of what runs without the compiler. Most
# of the time that such files compile is absl, JSON and std: one precompiled header serves all of them.
function(lathe_host_library name)
  lathe_library(${name} ${ARGN})
  lathe_precompile(${name} base/pch/host.h "-O2;-DNDEBUG" absl::flat_hash_map absl::span absl::status
                   absl::statusor absl::str_format absl::strings nlohmann_json::nlohmann_json)
endfunction()

# lathe_compiler_library(NAME SOURCES... DEPS...): a static library of the layers that use MLIR. One
# precompiled header serves all of them (they share every flag that matters to it). -O1: what is slow
# in a compiler is MLIR and LLVM, not our passes; the build is what a developer waits for.
function(lathe_compiler_library name)
  lathe_library(${name} ASSERTS ${ARGN})
  lathe_precompile(${name} ir/pch/mlir.h -O1 lathe_mlir)
  target_compile_options(${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>) # false alarms in generated code
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

# lathe_unit_test(NAME [MLIR|OPTIMISED] SOURCES... DEPS...): one GoogleTest program, one ctest entry. Test
# data is found through LATHE_TEST_DATA, the source tree's tests/data. Most of a test's time is in what it
# tests, or in its own compilation, so it is -O0 in a release; OPTIMISED: it computes what it compares with.
# MLIR: of a layer that uses it.
function(lathe_unit_test name)
  cmake_parse_arguments(ARG "MLIR;OPTIMISED" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  lathe_common_options(${name})
  set(c_sources ${ARG_SOURCES})
  list(FILTER c_sources INCLUDE REGEX "\\.c$")
  set_source_files_properties(${c_sources} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
  if(ARG_MLIR)
    lathe_precompile(${name} tests/pch/mlir_test.h -O0 lathe_mlir GTest::gmock nlohmann_json::nlohmann_json)
  elseif(ARG_OPTIMISED)
    lathe_precompile(${name} tests/pch/optimised_test.h -O2 GTest::gmock nlohmann_json::nlohmann_json)
  else()
    lathe_precompile(${name} tests/pch/test.h -O0 GTest::gmock nlohmann_json::nlohmann_json)
  endif()
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
