# Three processes of one program, so that ctest can spread them over the cores.
lathe_unit_test(golden_x86_test MLIR SOURCES x86.cpp compiled_model.cpp DEPS lathe_compiler_driver lathe_tokenizer)
set_tests_properties(golden_x86_test PROPERTIES ENVIRONMENT "GTEST_TOTAL_SHARDS=3;GTEST_SHARD_INDEX=0" TIMEOUT 1200)
foreach(shard 1 2)
  add_test(NAME golden_x86_test_${shard} COMMAND golden_x86_test)
  set_tests_properties(golden_x86_test_${shard} PROPERTIES
    ENVIRONMENT "GTEST_TOTAL_SHARDS=3;GTEST_SHARD_INDEX=${shard}" TIMEOUT 1200)
endforeach()
