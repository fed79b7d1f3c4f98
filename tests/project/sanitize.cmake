# Builds what parses and what runs under ASan and UBSan, without the compiler, and runs its tests.
# usage: cmake -DSOURCE=DIR -DBUILD=DIR -DCORES=N -P sanitize.cmake
set(tests base_test artifact_test frontend_test runtime_test null_plugin_test onednn_plugin_test template_plugin_test fuzz_artifact fuzz_config fuzz_safetensors)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "sanitize: failed with ${status}: ${ARGN}")
  endif()
endfunction()

run(${CMAKE_COMMAND} -S ${SOURCE} -B ${BUILD} -G Ninja -DCMAKE_BUILD_TYPE=Debug
    -DLATHE_SANITIZE=ON -DLATHE_COMPILER=OFF -DLATHE_TESTS=ON)
run(${CMAKE_COMMAND} --build ${BUILD} --parallel ${CORES} --target ${tests})
list(JOIN tests "|" names)
run(${CMAKE_CTEST_COMMAND} --test-dir ${BUILD} --output-on-failure --no-tests=error --parallel ${CORES} -R "^(${names})$")
